// The objects of a backup's database by their identity, so that a restore knows which of them the target has already.
//
// Lines of the index of their own (docs/format.md, "Object lines"), which older readers pass over.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"

namespace pana {

constexpr std::uint32_t kRelationCatalog = 1259;  // pg_class

// What "(class 1259 OID 16386)" of a TOC comment says: the catalog that holds the object, by its OID, which is the same
// in every PostgreSQL, and the object's own OID in the source.
struct ObjectId {
  std::uint32_t catalog = 0;
  std::uint32_t oid = 0;
  auto operator<=>(const ObjectId&) const = default;
};

// What an object is called in any database, as pg_identify_object_as_address() says it. Names are not quoted.
struct ObjectAddress {
  std::string type;                // "table", "function", "table constraint"
  std::vector<std::string> names;  // "public", "orders"
  std::vector<std::string> arguments;
  auto operator<=>(const ObjectAddress&) const = default;
};

struct ColumnRights {
  std::string column;
  std::vector<std::string> rights;
};

struct DatabaseObject {
  ObjectId id;
  ObjectAddress address;
  std::string owner;      // empty for what has none: a constraint, a trigger
  std::string extension;  // that it is a member of; empty for others
  // Rights as PostgreSQL writes them ("anon=r/postgres"); nothing: those that it gives to every new object.
  std::optional<std::vector<std::string>> rights;
  std::vector<ColumnRights> column_rights;  // of a relation's columns that have rights of their own
};

// The names in them, to be converted.
std::vector<std::string*> texts_of(std::vector<DatabaseObject>& objects);

Json object_json(const DatabaseObject& object);

// The inverse. Throws Error(damaged) or Json::exception where something is missing or of another type.
DatabaseObject parse_object(const Json& json);

}  // namespace pana
