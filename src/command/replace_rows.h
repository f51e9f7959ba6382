// Rows in place of those that are there: restore --clean --data-only.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <stop_token>

#include "base/progress.h"
#include "command/restore.h"
#include "command/restore_errors.h"
#include "command/restore_selection.h"
#include "format/backup_reader.h"
#include "pg/connection.h"

namespace pana {

// Empties the selected tables and large objects, and loads them as load_rows() does. On one connection, the only one or because a
// single transaction is wanted, all of it is one transaction: whatever is thrown, the target holds what it held.
std::map<TableId, std::uint64_t> replace_rows(std::span<Connection> connections, const RestoreRequest& request, const BackupReader& backup,
                                              const RestoreSelection& selection, RestoreErrors& errors, Progress& progress, const std::stop_token& stop);

}  // namespace pana
