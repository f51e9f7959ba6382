// Makes what stands behind the rows: indexes, constraints, triggers, rights.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <stop_token>

#include "command/restore_schema.h"

namespace pana {

// By the OIDs of their constraints. The index must outlive them.
std::map<std::uint32_t, const ConstraintIndex*> constraint_indexes_of(const Index& index);

// The post-data objects, several at a time where PostgreSQL allows it. The file's order is the truth; only runs of
// objects that do not depend on each other are taken apart:
//  - indexes, and primary keys and unique constraints: their indexes are built side by side, those of one table, too,
//    the largest tables first; the constraints are then made of the finished indexes;
//  - foreign keys: side by side as long as they have no table in common, for each locks both of its tables with all
//    partitions of them.
// Everything else runs one by one, comments wait for the end of the run they stand in.
void run_post_data(std::span<Connection> connections, const RestoreSelection& selection, const Index& index,
                   SchemaRunner& runner, const std::stop_token& stop);

}  // namespace pana
