#include "command/filled_tables.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>

namespace pana {
namespace {

// Of a few: each takes one of the server's locks.
std::vector<std::string> look_into(Connection& connection, std::span<const TableToLookInto> tables) {
  std::vector<std::string> names;
  for (const TableToLookInto& table : tables) names.push_back(connection.quote_literal(table.name));
  const QueryResult found = connection.query(fmt::format(
      "SELECT t.number - 1, pg_catalog.has_table_privilege(c.oid, 'SELECT') AND NOT "
      "pg_catalog.row_security_active(c.oid) FROM pg_catalog.unnest(ARRAY[{}]::text[]) WITH ORDINALITY AS t (name, "
      "number) JOIN pg_catalog.pg_class AS c ON c.oid = pg_catalog.to_regclass(t.name) WHERE c.relkind IN ('r', 'p', "
      "'f', 'v', 'm') ORDER BY 1",
      fmt::join(names, ", ")));
  std::vector<std::string> questions;
  for (int row = 0; row < found.rows(); ++row) {
    const auto number = static_cast<std::size_t>(found.integer(row, 0));
    const TableToLookInto& table = tables[number];
    questions.push_back(
        found.boolean(row, 1)
            ? fmt::format("SELECT {} WHERE EXISTS (SELECT FROM ONLY {} {})", number, table.name, table.condition)
            : fmt::format("SELECT {} WHERE pg_catalog.pg_relation_size(pg_catalog.to_regclass({})) > 0", number,
                          names[number]));
  }
  std::vector<std::string> filled;
  if (questions.empty()) return filled;
  const QueryResult numbers = connection.query(fmt::format("{}", fmt::join(questions, " UNION ALL ")));
  for (int row = 0; row < numbers.rows(); ++row)
    filled.push_back(tables[static_cast<std::size_t>(numbers.integer(row, 0))].text);
  return filled;
}

}  // namespace

std::vector<std::string> filled_tables(Connection& connection, std::span<const TableToLookInto> tables) {
  constexpr std::size_t kBatch = 100;
  std::vector<std::string> filled;
  for (std::size_t begin = 0; begin < tables.size(); begin += kBatch) {
    std::ranges::move(look_into(connection, tables.subspan(begin, std::min(kBatch, tables.size() - begin))),
                      std::back_inserter(filled));
  }
  return filled;
}

}  // namespace pana
