// Which parts of a backup a restore wants: by its request, by the backup, and by what the target has.
#pragma once

#include <functional>
#include <stop_token>

#include "command/restore_request.h"
#include "command/restore_selection.h"
#include "command/sql_names.h"
#include "format/backup_reader.h"
#include "pg/connection.h"

namespace pana {

// The definitions of the large objects that are wanted, with their comments and grants as far as the request wants
// these, in the file's order, one after the other.
void read_large_object_definitions(const RestoreRequest& request, const BackupReader& backup,
                                   const std::stop_token& stop, const std::function<void(SchemaObject object)>& take);

// Reads the schema out of the backup and chooses. Throws Error(usage) when a table pattern matches nothing, or nothing
// is chosen. `connection`, to the target, tells which parents and publications of chosen tables are there: a partition
// is attached to a parent that is not chosen when its indexes are made, which then become parts of the parent's.
RestoreSelection select_for_restore(const RestoreRequest& request, const BackupReader& backup, const ScriptNames& names,
                                    Connection& connection, const std::stop_token& stop);

}  // namespace pana
