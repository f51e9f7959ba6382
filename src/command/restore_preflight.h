// Looks at a restore's target before anything is changed.
#pragma once

#include "command/preflight_rights.h"
#include "command/restore_request.h"
#include "command/restore_selection.h"
#include "format/backup_reader.h"
#include "pg/connection.h"

namespace pana {

struct TargetFindings {
  std::vector<std::string> missing_roles;  // to be made, as the request says; in the index's names
  std::vector<std::string> triggers;       // that fire for rows, by the request's leave
  std::vector<std::string> adapted;        // what is different of tables that need a missing extension
  std::vector<std::string> left_out;       // what cannot be without it
  std::vector<std::string> dropped;        // in a dry run: what --clean drops
  std::vector<std::string> emptied;        // or empties
};

// Throws Error(refused) with everything that stands in the way of the restore: objects that are there already, roles,
// extensions and rights that are missing. What only the server knows is tried in
// a transaction that is rolled back: of a choice of tables, the types, functions and tables that it needs; as no
// superuser, everything but the rows; what --clean drops or empties. Changes nothing. `problems` are those that are
// known already. Tables that need a missing extension's types are adapted in the selection.
TargetFindings check_restore_target(Connection& connection, const RestoreRequest& request, const BackupReader& backup,
                                    RestoreSelection& selection, const ScriptNames& names, Problems problems);

// Whether what needs a missing extension is left out: the request says so, and nothing else can be missing, because the
// backup has all the rest.
bool leaves_out(const RestoreRequest& request, const Index& index, const RestoreSelection& selection);

}  // namespace pana
