// Makes room for what is restored: restore --clean.
#pragma once

#include "command/restore_request.h"
#include "command/restore_selection.h"
#include "format/backup_reader.h"
#include "pg/connection.h"

namespace pana {

// Drops what the restore makes again, and nothing else: all of it or, with an error that names what depends on it,
// nothing. One by one where the server has no room for so many locks.
void drop_objects(Connection& connection, const RestoreRequest& request, const BackupReader& backup,
                  const RestoreSelection& selection, const ScriptNames& names);

// The same within a transaction of the caller's, who must roll it back after an error.
void drop_objects_in_transaction(Connection& connection, const RestoreRequest& request, const BackupReader& backup,
                                 const RestoreSelection& selection, const ScriptNames& names);

// Empties the selected tables, all or none, of what a restore would bring. In an action of with_index_encoding().
void empty_tables(Connection& connection, const BackupReader& backup, const RestoreSelection& selection);

}  // namespace pana
