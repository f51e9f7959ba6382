// How the objects of a target are defined, in the words of pg_dump's script.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "format/database_object.h"
#include "pg/connection.h"

namespace pana {

// What pg_dump writes of the objects, or would be part of what it writes, where one server wrote both: a newer one may
// write an expression otherwise. Of tables their lines: columns, but inherited ones, which stand with their parent, and
// checks. By the objects' OIDs in the session's database, in the session's encoding; not what is of extensions.
std::map<ObjectId, std::vector<std::string>> read_object_definitions(Connection& connection);

// Whether the entry's statements hold all of these parts, and none of those that begin with "!".
bool has_parts(const std::string& sql, const std::vector<std::string>& parts);

// Whether the columns and constraints of a CREATE TABLE are these lines, in any order.
bool has_lines(const std::string& sql, const std::vector<std::string>& lines);

}  // namespace pana
