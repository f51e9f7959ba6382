// Runs the entries of a schema script.
#pragma once

#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "base/progress.h"
#include "command/restore.h"
#include "command/restore_errors.h"
#include "command/restore_selection.h"
#include "pg/connection.h"

namespace pana {

// Runs one entry's statements in one transaction.
void run_entry(Connection& connection, const RestoreRequest& request, const SchemaEntry& entry, RestoreErrors& errors);

// The post-data entries, several at a time where PostgreSQL allows it. The file's order is the truth; only runs of
// entries that do not depend on each other are taken apart:
//  - indexes, and primary keys and unique constraints: their indexes are built side by side, those of one table, too,
//    the largest tables first; the constraints are then made of the finished indexes;
//  - foreign keys: side by side as long as they have no table in common, for each locks both of its tables.
// Everything else runs one by one, comments wait for the end of the run they stand in.
void run_post_data(std::span<Connection> connections, const RestoreRequest& request, const Index& index,
                   const RestoreSelection& selection, RestoreErrors& errors, Progress& progress,
                   const std::stop_token& stop);

}  // namespace pana
