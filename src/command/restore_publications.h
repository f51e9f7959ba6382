// Publications of the target, and what a restore of parts brings that belongs to them.
#pragma once

#include <vector>

#include "pg/connection.h"
#include "sql/schema_object.h"

namespace pana {

// A publication that is replaced keeps what is excluded, and left alone, among its members.
bool stays_in_its_publication(Connection& connection, const SchemaObject& object);

// A choice of schemas or tables leaves publications to the target: what is chosen joins those that are there.
void leave_publications_out(Connection& connection, std::vector<SchemaObject>& post_data);

}  // namespace pana
