// Which object a statement of pg_dump's script is about.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sql/schema_names.h"

namespace pana {

struct NamedObject {
  std::string kind;    // by kind_of()
  std::string schema;  // empty where it has none
  std::string name;    // of a function without its arguments
  auto operator<=>(const NamedObject&) const = default;
};

// One word for what GRANT, COMMENT and CREATE call differently: "FUNCTION" for a procedure and an aggregate, "TYPE" for
// a domain.
std::string_view kind_of(std::string_view type);

// What the statement is about: COMMENT ON, SECURITY LABEL FOR ... ON, GRANT ... ON and REVOKE ... ON something, or on a
// constraint of a domain; ALTER DOMAIN; the family of a CREATE OPERATOR CLASS. Nothing for relations, which
// SchemaObject has, for casts and transforms.
std::optional<NamedObject> described_object(std::string_view statement);

// CREATE TABLE ... ( ... ) INHERITS (a, b)
std::vector<RelationName> parents_of(std::string_view create_table);

}  // namespace pana
