// The tables that entries and statements of a schema script are about.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "pg/schema_script.h"

namespace pana {

// A qualified name without its quotes.
struct RelationName {
  std::string schema;
  std::string name;
};

// public."Odd ""name""" -> {public, Odd "name"}; nothing when the text is not two names with a dot between.
std::optional<RelationName> parse_relation_name(std::string_view qualified);

// The table or sequence that an entry defines or is attached to (its index, trigger, comment ...), nothing for the
// others. For the partition of a table it is the partition.
std::optional<RelationName> relation_of(const SchemaEntry& entry);

// The schema of what a DROP or ALTER statement of pg_dump's --clean is about: that of the first qualified name in it, or
// the one that DROP SCHEMA names. Nothing for what is in no schema.
std::optional<std::string> schema_of_drop(std::string_view statement);

// The sequence and the table of "ALTER SEQUENCE s OWNED BY t.c;".
struct SequenceOwner {
  RelationName sequence;
  RelationName table;
};
std::optional<SequenceOwner> sequence_owner(const SchemaEntry& entry);

}  // namespace pana
