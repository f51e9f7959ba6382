// The names in statements of a schema script.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pana {

// A qualified name without its quotes.
struct RelationName {
  std::string schema;
  std::string name;
  auto operator<=>(const RelationName&) const = default;
};

// The parts of a name with any number of dots, without their quotes; nothing when it is no name.
std::vector<std::string> parse_name(std::string_view qualified);

// "Odd ""name""" -> Odd "name"; nothing when the text is not a name without a dot.
std::optional<std::string> parse_simple_name(std::string_view name);

// public."Odd ""name""" -> {public, Odd "name"}; nothing when the text is not two names with a dot between.
std::optional<RelationName> parse_relation_name(std::string_view qualified);

// The sequence of "SELECT pg_catalog.setval('public.orders_id_seq', 1, true);", nothing for any other statement.
std::optional<RelationName> sequence_of(std::string_view statement);

// A statement of pg_dump's --clean, understood: what it drops, or takes from a table.
struct DropStatement {
  std::string kind;                      // TABLE, OPERATOR CLASS; ALTER TABLE; LARGE OBJECTS of pana's own statement
  std::optional<RelationName> relation;  // the table, view or sequence that it is about
  std::optional<std::string> schema;     // where what it drops is, or what DROP SCHEMA names
  std::optional<std::string> name;       // of what is in no schema and has a name: EXTENSION, PUBLICATION

  // An index, a trigger, a rule, a policy, extended statistics: dropped with its table.
  bool goes_with_its_table() const;
};

DropStatement understand_drop(std::string_view statement);

}  // namespace pana
