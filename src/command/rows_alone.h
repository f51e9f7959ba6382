// Rows for tables that are there, without their definitions: restore --data-only.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <stop_token>

#include "base/progress.h"
#include "command/restore_errors.h"
#include "command/restore_request.h"
#include "command/restore_selection.h"
#include "format/backup_reader.h"
#include "pg/connection.h"
#include "pg/load_order.h"

namespace pana {

// Loads as load_rows() does; with `clean` in place of what the selected tables and large objects hold. With `clean`, on
// one connection, the only one or because a single transaction is wanted, and always where tables refer to each other
// in a circle, all of it is one transaction: whatever is thrown, the target holds what it held. `finish` is run behind
// the rows, in that transaction or one of its own, on the first connection.
std::map<TableId, std::uint64_t> load_rows_alone(std::span<Connection> connections, const RestoreRequest& request,
                                                 const BackupReader& backup, const RestoreSelection& selection,
                                                 const LoadOrder& order, const std::function<void()>& finish,
                                                 RestoreErrors& errors, Progress& progress,
                                                 const std::stop_token& stop);

}  // namespace pana
