// Looks at a restore's target before anything is changed.
#pragma once

#include "command/preflight_rights.h"
#include "command/restore_request.h"
#include "command/restore_selection.h"
#include "format/backup_reader.h"
#include "pg/connection.h"

namespace pana {

// Throws Error(refused) with everything that stands in the way of the restore: objects that are there already, roles,
// extensions and rights that are missing. What only the server knows is tried in
// a transaction that is rolled back: of a choice of tables, the types, functions and tables that it needs; as no
// superuser, everything but the rows; what --clean drops or empties. Changes nothing. Returns the roles that are
// missing and have to be made, as the request says, in the index's names. `problems` are those that are known already.
std::vector<std::string> check_restore_target(Connection& connection, const RestoreRequest& request,
                                              const BackupReader& backup, const RestoreSelection& selection,
                                              const ScriptNames& names, Problems problems);

}  // namespace pana
