// Loads row frames over several connections.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "base/progress.h"
#include "command/restore_errors.h"
#include "command/restore_selection.h"
#include "format/backup_reader.h"
#include "pg/connection.h"
#include "pg/load_order.h"

namespace pana {

// What the target's constraints ask of the selected tables that have rows. In an action of with_index_encoding().
LoadOrder order_of_loading(Connection& connection, const Index& index, const RestoreSelection& selection);

// "public.a": those that no order helps, and what does.
std::vector<std::string> tables_in_circles(const LoadOrder& order);
constexpr const char* kWayOutOfCircles =
    "--disable-triggers loads them without checking foreign keys; or drop one of the foreign keys, and add it again "
    "afterwards";

// Whether each frame is loaded in a transaction of its own, or all of them are parts of the one that is under way on
// the only connection; deferred constraints are looked at behind each of them, but for circles at the end of that
// transaction.
enum class LoadTransactions { of_frames, of_all, of_circles };

// Loads the selected frames, each of which is kept only after its checksum was right; in `order`, and
// what the target refuses all the same again behind the others. Returns how many rows of each table the server says it
// stored, which are as many as the backup has; of large objects, how many pieces. When errors are collected, a damaged
// frame is one.
std::map<TableId, std::uint64_t> load_rows(std::span<Connection> connections, LoadTransactions transactions,
                                           const BackupReader& backup, const RestoreSelection& selection,
                                           const LoadOrder& order, RestoreErrors& errors, Progress& progress,
                                           const std::stop_token& stop);

}  // namespace pana
