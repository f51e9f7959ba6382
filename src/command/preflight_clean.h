// What --clean would cost, looked at before it does.
#pragma once

#include <string>
#include <vector>

#include "command/preflight_rights.h"
#include "command/restore_request.h"
#include "command/restore_selection.h"
#include "command/sql_names.h"
#include "format/backup_reader.h"
#include "pg/connection.h"

namespace pana {

// Tables with rows, which a restore of definitions alone would drop and not bring back.
// Of extensions that are dropped with them, the user's.
void check_rows_stay(Connection& connection, const RestoreRequest& request, const RestoreSelection& selection,
                     Problems& problems);

// In the caller's transaction, which is to be rolled back: who may drop what --clean drops, and what depends on it,
// only the server knows. Throws Error(refused). Returns for a dry run what is dropped: table public.orders (12.3 MiB).
std::vector<std::string> try_to_drop(Connection& connection, const RestoreRequest& request, const BackupReader& backup,
                                     const RestoreSelection& selection, const ScriptNames& names);

// Nor who may empty what. In a transaction of its own.
void try_to_empty(Connection& connection, const BackupReader& backup, const RestoreSelection& selection);

}  // namespace pana
