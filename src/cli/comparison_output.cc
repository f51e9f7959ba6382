#include "cli/comparison_output.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/human.h"
#include "base/unicode.h"

namespace pana {
namespace {

std::string table_name(const TableComparison& table) {
  return without_controls(table.schema.empty() ? table.name : table.schema + "." + table.name);
}

bool is_of_large_objects(const TableComparison& table) {
  return table.schema.empty() && table.name == kLargeObjectsName;
}

}  // namespace

Json comparison_json(const ComparisonReport& report, const std::string& backup) {
  Json json = {{"backup", backup},
               {"equal", report.equal()},
               {"tables", Json::array()},
               {"sequences", report.sequences},
               {"large_objects", report.large_objects}};
  for (const TableComparison& table : report.tables) {
    json["tables"].push_back({{"schema", table.schema},
                              {"name", table.name},
                              {"state", state_name(table.state)},
                              {"backup_rows", table.backup.rows},
                              {"database_rows", table.database.rows},
                              {"backup_digest", table.backup.hex()},
                              {"database_digest", table.database.hex()},
                              {"missing_columns", table.missing_columns}});
  }
  return json;
}

void print_comparison(const ComparisonReport& report, const std::string& backup, std::string_view what) {
  if (report.equal()) {
    std::uint64_t tables = 0;
    std::uint64_t rows = 0;
    for (const TableComparison& table : report.tables) {
      if (is_of_large_objects(table)) continue;  // their rows are pieces
      ++tables;
      rows += table.backup.rows;
    }
    const std::string large_objects =
        report.compared_large_objects == 0 ? "" : ", " + counted(report.compared_large_objects, "large object");
    fmt::print("{} is equal to {}: {}, {}{}, counts and digests\n", what, backup, counted(tables, "table"),
               counted(rows, "row"), large_objects);
    return;
  }
  fmt::print("{:<10}  {:>15}  {:>15}  table\n", "state", "backup rows", "database rows");
  for (const TableComparison& table : report.tables) {
    if (table.state == TableState::equal) continue;
    fmt::print("{:<10}  {:>15}  {:>15}  {}\n", state_name(table.state), human_count(table.backup.rows),
               human_count(table.database.rows), table_name(table));
    if (table.missing_columns.empty()) continue;
    fmt::print("{:<10}  {:>15}  {:>15}    the database lacks {}\n", "", "", "",
               without_controls(fmt::format("{}", fmt::join(table.missing_columns, ", "))));
  }
  if (!report.large_objects.empty()) fmt::print("large objects: - of the backup, + of the database\n");
  for (const std::string& object : report.large_objects) fmt::print("  {}\n", object);
  if (!report.sequences.empty()) fmt::print("sequences: - of the backup, + of the database\n");
  for (const std::string& sequence : report.sequences) fmt::print("  {}\n", without_controls(sequence));
}

}  // namespace pana
