#include "command/preflight_tables.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "command/filled_tables.h"
#include "command/restore_large_objects.h"
#include "command/sql_names.h"
#include "pg/catalog.h"

namespace pana {
namespace {

// A table of the index, and what the target has of that name.
struct TargetTable {
  const TableInfo* table = nullptr;
  std::string name;                                      // quoted
  std::string text;                                      // for messages
  std::optional<std::vector<std::string>> columns = {};  // that can be loaded; nothing when there is no such table
  bool is_table = false;
  bool takes_rows = false;  // COPY does not refuse it: also a foreign table, or a view that a trigger stands in for
};

// The selected tables, some at a time: a question for each alone would cost a round trip, one for all of them much
// memory and many of the server's locks.
void for_target_tables(Connection& connection, const Index& index, const RestoreSelection& selection, bool are_disabled,
                       const std::function<void(std::span<const TargetTable> tables)>& action) {
  constexpr std::size_t kBatch = 100;
  std::vector<TargetTable> tables;
  for (const TableInfo* const table : selection.tables) {
    if (table->id != kLargeObjects)
      tables.push_back({.table = table,
                        .name = sql_name(connection, index.header, table->schema, table->name),
                        .text = sql_text(index.header, table->schema + "." + table->name)});
  }
  for (std::size_t begin = 0; begin < tables.size(); begin += kBatch) {
    const std::span<TargetTable> batch = std::span(tables).subspan(begin, std::min(kBatch, tables.size() - begin));
    std::vector<std::string> names;
    for (const TargetTable& table : batch) names.push_back(connection.quote_literal(table.name));
    const QueryResult found = connection.query(
        fmt::format("SELECT t.number - 1, a.attname, c.relkind IN ('r', 'p'), c.relkind IN ('r', 'p', 'f') OR "
                    "EXISTS (SELECT FROM pg_catalog.pg_trigger WHERE tgrelid = c.oid AND tgtype & 68 "
                    "= 68 AND tgenabled IN ({})) FROM "
                    "pg_catalog.unnest(ARRAY[{}]::text[]) WITH ORDINALITY AS t (name, number) "
                    "JOIN pg_catalog.pg_class AS c ON c.oid = pg_catalog.to_regclass(t.name) "
                    "LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 "
                    "AND NOT a.attisdropped AND a.attgenerated = ''",
                    are_disabled ? "'A', 'R'" : "'O', 'A'", fmt::join(names, ", ")));
    for (int row = 0; row < found.rows(); ++row) {
      TargetTable& table = batch[static_cast<std::size_t>(found.integer(row, 0))];
      table.is_table = found.boolean(row, 2);
      table.takes_rows = found.boolean(row, 3);
      if (!table.columns) table.columns.emplace();
      if (!found.is_null(row, 1)) table.columns->push_back(found.string(row, 1));
    }
    action(batch);
    for (TargetTable& table : batch) table = {};
  }
}

// Of an extension's configuration table, the rows that are the user's count.
std::vector<TableToLookInto> tables_to_look_into(Connection& connection, const Index& index,
                                                 const RestoreSelection& selection) {
  const std::map<RelationName, std::string> conditions = read_extension_conditions(connection);
  std::vector<TableToLookInto> tables;
  for (const TableInfo* const table : selection.tables) {
    if (table->id == kLargeObjects) continue;
    const auto condition = conditions.find(sql_relation(index.header, *table));
    tables.push_back({.name = sql_name(connection, index.header, table->schema, table->name),
                      .text = sql_text(index.header, table->schema + "." + table->name),
                      .condition = condition == conditions.end() ? "" : condition->second});
  }
  return tables;
}

}  // namespace

std::vector<std::string> check_tables(Connection& connection, const RestoreRequest& request, const Index& index,
                                      const RestoreSelection& selection, Problems& problems) {
  std::vector<std::string> missing;
  std::vector<std::string> filled;
  std::vector<std::string> columns;
  std::vector<std::string> views;  // or sequences
  for_target_tables(connection, index, selection, request.disable_triggers, [&](std::span<const TargetTable> tables) {
    for (const TargetTable& table : tables) {
      if (!table.columns) {
        missing.push_back(table.text);
        continue;
      }
      if (request.clean ? !table.is_table : !table.takes_rows) views.push_back(table.text);
      for (const std::string& column : table.table->columns) {
        const bool is_there = std::ranges::find(*table.columns, sql_text(index.header, column)) != table.columns->end();
        if (!is_there) columns.push_back(fmt::format("{} ({})", table.text, column));
      }
    }
  });
  if (request.clean ? request.dry_run : !request.allow_non_empty)
    filled = filled_tables(connection, tables_to_look_into(connection, index, selection));
  const std::size_t large_objects = request.clean ? 0 : count_present_large_objects(connection, selection);
  constexpr const char* kEmptyFirst = "say --clean to empty them first";
  if (large_objects > 0)
    problems.add(fmt::format("{} of the backup's large objects are in the target already", large_objects), kEmptyFirst);
  if (!columns.empty()) {
    problems.add(fmt::format("the target's tables lack the columns {}", list_names(columns)),
                 "add them, or restore the tables with their definition: leave --data-only out");
  }
  if (!views.empty()) {
    problems.add(fmt::format("these relations of the target are no tables, and pana cannot {} them: {}",
                             request.clean ? "empty" : "load rows into", list_names(views)),
                 "restore into another database, or leave them out with -T");
  }
  if (!missing.empty()) {
    problems.add(fmt::format("the target lacks the tables {}", list_names(missing)),
                 "restore them with their definition: leave --data-only out");
  }
  if (request.clean) return filled;
  if (!filled.empty()) {
    problems.add(
        fmt::format("the tables {} hold rows already", list_names(filled)),
        large_objects > 0 ? kEmptyFirst : "say --clean to empty them first, or --allow-non-empty to add to them");
  }
  return {};
}

}  // namespace pana
