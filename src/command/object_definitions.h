// How the objects of a target are defined, in the words of pg_dump's script.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "format/database_object.h"
#include "pg/connection.h"

namespace pana {

struct ObjectDefinition {
  // What pg_dump writes of it, where one server wrote both: a newer one may write an expression otherwise. Of a table
  // its lines: columns, but inherited ones, which stand with their parent, and checks.
  std::vector<std::string> parts;
  std::vector<std::string> clauses;           // of a table, what stands around its lines; of a routine, its body
  std::vector<std::string> absent;            // what pg_dump does not write of it
  std::vector<std::string> without_defaults;  // of a table, each of `parts` without its default
};

// By the objects' OIDs in the session's database, in the session's encoding; not of what is of extensions.
std::map<ObjectId, ObjectDefinition> read_object_definitions(Connection& connection);

// Whether the entry's statements hold all of the parts, and nothing that is absent.
bool has_parts(const std::string& sql, const ObjectDefinition& definition);

// Whether a CREATE TABLE has the table's clauses, and its columns and constraints are the table's lines, in any order.
// `separate_defaults` are columns whose default the script sets in an entry of its own.
bool has_lines(const std::string& sql, const ObjectDefinition& table, const std::set<std::string>& separate_defaults);

}  // namespace pana
