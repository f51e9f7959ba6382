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

// public."Odd ""name""" -> {public, Odd "name"}; nothing when the text is not two names with a dot between.
std::optional<RelationName> parse_relation_name(std::string_view qualified);

// The sequence of "SELECT pg_catalog.setval('public.orders_id_seq', 1, true);", nothing for any other statement.
std::optional<RelationName> sequence_of(std::string_view statement);

// Whether a DROP statement is about something that is dropped with its table: an index, a trigger, a rule, a policy.
bool goes_with_its_table(std::string_view drop);

// The table, view or sequence that a DROP or ALTER statement of pg_dump's --clean is about; nothing for other statements.
std::optional<RelationName> relation_of_drop(std::string_view statement);

// The schema of what a DROP or ALTER statement of pg_dump's --clean is about: that of the first qualified name in it, or
// the one that DROP SCHEMA names. Nothing for what is in no schema.
std::optional<std::string> schema_of_drop(std::string_view statement);

}  // namespace pana
