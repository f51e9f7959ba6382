// Partitions that are chosen without their parents, which the target has: they become partitions of these.
#pragma once

#include <vector>

#include "pg/connection.h"
#include "sql/schema_object.h"

namespace pana {

// Puts the TABLE ATTACH of such partitions into post-data, where the server finds their indexes and makes them parts of
// the parents': behind those that were such parts in the source, which must be whole, and so have their own parts, and
// must be made one by one in this order; before all others, which the server might take for them. `indexes` are the
// INDEX ATTACH to indexes of the parents: they say which are which, and, behind the partitions, fail when the server
// has chosen differently.
void join_parents(Connection& connection, std::vector<SchemaObject> partitions, std::vector<SchemaObject> indexes,
                  std::vector<SchemaObject>& post_data);

bool has_relation(Connection& connection, const RelationName& name);

}  // namespace pana
