// An entry of a schema script, understood once: what it makes, what it is attached to, what each of its statements
// does.
//
// This knows the statements that pg_dump writes; it is no parser of all SQL. Where the entry's comment and its
// statements could say different things (nothing is quoted in a comment), the statements are believed.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sql/schema_names.h"
#include "sql/schema_script.h"

namespace pana {

enum class StatementRole {
  definition,  // makes the object; the first statement of an entry that is of no other role
  property,    // changes what has been made: ALTER TABLE ... SET STORAGE, CLUSTER ON, REPLICA IDENTITY
  owner,       // ALTER ... OWNER TO ...
  privilege    // GRANT, REVOKE, ALTER DEFAULT PRIVILEGES, and the SET and RESET SESSION AUTHORIZATION that pg_dump puts
               // around a GRANT whose grantor is not the owner
};

struct SchemaStatement {
  StatementRole role = StatementRole::definition;
  std::string sql;
};

// SET default_tablespace, default_table_access_method or default_with_oids.
struct DefaultSetting {
  std::string name;
  std::string sql;
};

struct SchemaObject {
  std::string type;  // these as in SchemaEntry
  std::string name;
  std::string schema;
  std::string owner;
  std::uint32_t catalog_id = 0;
  std::uint32_t object_id = 0;

  // What must hold while the definition is run, for a definition that stores something; empty for all others.
  std::vector<DefaultSetting> settings;
  std::vector<SchemaStatement> statements;

  // The table, view or sequence that the entry defines or is attached to (its index, trigger, comment, an index's
  // comment ...), nothing for the others. For the partition of a table it is the partition, for an identity column (a
  // SEQUENCE) the table.
  std::optional<RelationName> relation;
  // The table that a foreign key references, or that owns the sequence of a SEQUENCE OWNED BY; the sequence of an
  // identity column; the table whose partition a TABLE ATTACH makes of another, and whose index an INDEX ATTACH
  // completes.
  std::optional<RelationName> refers_to;
  // The publication that a table, or a schema with its tables, is added to.
  std::optional<std::string> publication;
  // Whether it is a large object, or what is said of one: its comment, its grants.
  bool is_of_large_object = false;
  // What CREATE SCHEMA makes. The entry of schema "public" makes nothing.
  std::optional<std::string> makes_schema;
};

// Understands the entries of a script in their order.
class SchemaObjectReader {
 public:
  SchemaObject understand(const SchemaEntry& entry);

 private:
  std::optional<RelationName> relation_of(const SchemaEntry& entry, const SqlLexemes& lexemes) const;
  std::optional<RelationName> described_relation(SqlLexemes lexemes) const;
  std::optional<RelationName> table_of(const std::optional<RelationName>& part) const;

  std::vector<DefaultSetting> settings_;         // those that hold behind what has been read
  std::map<RelationName, RelationName> tables_;  // of the indexes and statistics that have been read
};

}  // namespace pana
