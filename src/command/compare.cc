#include "command/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/guarded.h"
#include "base/parallel.h"
#include "base/work_list.h"
#include "command/connections.h"
#include "command/plan.h"
#include "pg/copy.h"
#include "pg/schema_script.h"
#include "pg/session.h"
#include "pg/snapshot.h"
#include "pg/text_array.h"

namespace pana {
namespace {

// The target's table as the backup reads it: with the backup's columns, in their order.
void take_columns(CatalogTable& table, std::span<const std::string> unicode_columns, const TableInfo& info) {
  std::vector<std::string> sql_columns;
  for (const std::string& column : info.columns) {
    const auto found = std::find(unicode_columns.begin(), unicode_columns.end(), column);
    if (found != unicode_columns.end()) {
      sql_columns.push_back(table.sql_columns[static_cast<std::size_t>(found - unicode_columns.begin())]);
    }
  }
  table.sql_columns = std::move(sql_columns);
}

// Which table of the database stands for which of the backup.
struct Match {
  std::vector<CatalogTable> tables;      // to be read; the table with the plan's id i + 1 is tables[i]
  std::vector<const TableInfo*> infos;   // the backup's, or nullptr for one that only the database has
};

Match match_tables(Connection& control, const BackupReader& backup, const TableFilter& filter) {
  const Index& index = backup.index();
  std::map<std::pair<std::string, std::string>, const TableInfo*> by_name;
  for (const TableInfo& table : index.tables) by_name[{table.schema, table.name}] = &table;
  std::vector<CatalogTable> tables = read_tables(control, TableFilter());
  std::vector<std::string> names;
  for (const CatalogTable& table : tables) {
    names.insert(names.end(), {table.schema, table.name});
    names.insert(names.end(), table.columns.begin(), table.columns.end());
  }
  names = to_unicode(control, index.header.encoding, std::move(names));
  Match match;
  auto name = names.begin();
  for (CatalogTable& table : tables) {
    table.schema = *name++;
    table.name = *name++;
    const auto first_column = name;
    name += static_cast<std::ptrdiff_t>(table.columns.size());
    if (!filter.includes_rows(table.schema, table.name)) continue;
    const auto found = by_name.find({table.schema, table.name});
    if (found == by_name.end() && !index.header.filters.empty()) continue;
    if (found != by_name.end()) take_columns(table, {first_column, name}, *found->second);
    match.infos.push_back(found == by_name.end() ? nullptr : found->second);
    match.tables.push_back(std::move(table));
  }
  return match;
}

// A pattern that matches nothing is a mistake, and nothing compared is not "equal".
void refuse_unmatched(const TableFilter& filter, const Index& index) {
  if (filter.is_empty()) return;
  std::vector<std::pair<std::string, std::string>> tables;
  for (const TableInfo& table : index.tables) tables.emplace_back(table.schema, table.name);
  const std::vector<std::string> unmatched = filter.unmatched_tables(tables);
  constexpr const char* kHint = "pana show lists the backup's tables";
  if (!unmatched.empty()) {
    throw Error(ErrorKind::usage, fmt::format("no table of the backup matches {}", fmt::join(unmatched, ", ")), kHint);
  }
  if (std::none_of(index.tables.begin(), index.tables.end(), [&filter](const TableInfo& table) {
        return table.id != kLargeObjects && filter.includes_rows(table.schema, table.name);
      })) {
    throw Error(ErrorKind::usage, "no table of the backup is chosen by these patterns", kHint);
  }
}

// Reads an item's rows; by the plan's table ids.
TableDigests digest_item(Connection& connection, const WorkItem& item, Progress& progress) {
  TableDigests digests;
  if (!item.large_objects.empty()) {
    RowDigest& digest = digests[kLargeObjects];
    read_large_objects(connection, item.large_objects, [&](std::string_view line) {
      digest.add(line.substr(0, line.size() - 1));
    });
    progress.done += item.bytes;
    return digests;
  }
  CopyOut copy(connection, item.copy_out());
  for (auto chunk = item.chunks.begin(); copy.next_copy(); ++chunk) {
    progress.set_activity(chunk->name);
    RowDigest digest;
    while (const std::optional<std::string_view> row = copy.next_row()) digest.add(row->substr(0, row->size() - 1));
    progress.done += chunk->bytes;
    progress.bytes += digest.bytes;
    progress.rows += digest.rows;
    digests[chunk->table].merge(digest);
  }
  return digests;
}

TableDigests digest_database(std::span<Connection> connections, std::vector<WorkItem>& items, Progress& progress,
                        const std::stop_token& stop) {
  for (const WorkItem& item : items) progress.total += item.bytes;
  WorkList<WorkItem> list(items);
  Guarded<TableDigests> all;
  std::vector<Task> tasks;
  for (Connection& connection : connections) {
    tasks.emplace_back([&](const std::stop_token& worker_stop) {
      connection.set_stop(worker_stop);
      std::size_t locks = 0;
      while (const WorkItem* const item = list.next()) {
        const TableDigests digests = digest_item(connection, *item, progress);
        all.with([&digests](TableDigests& sum) { merge(sum, digests); });
        locks += item->chunks.size();
        if (locks < kTablesLockedAtMost) continue;
        release_locks(connection);
        locks = 0;
      }
    });
  }
  run_parallel(tasks, stop);
  return all.with([](const TableDigests& sum) { return sum; });
}

TableComparison comparison(std::string schema, std::string name, const RowDigest& backup, const RowDigest& database) {
  return {.schema = std::move(schema),
          .name = std::move(name),
          .state = backup == database ? TableState::equal : TableState::different,
          .backup = backup,
          .database = database};
}

// Partitions whose rows may have moved among them are compared as one: under the name of their root.
class Trees {
 public:
  void add(const TableInfo& info, const RowDigest& database) {
    auto& [in_backup, in_database] = trees_[info.loaded_into];
    in_backup.merge(info.content);
    in_database.merge(database);
  }

  void append_to(std::vector<TableComparison>& comparisons) const {
    for (const auto& [name, contents] : trees_) {
      comparisons.push_back(comparison("", name, contents.first, contents.second));
    }
  }

 private:
  std::map<std::string, std::pair<RowDigest, RowDigest>> trees_;
};

std::vector<TableComparison> compare_tables(const Match& match, const BackupReader& backup, const TableFilter& filter,
                                            TableDigests& digests) {
  std::vector<TableComparison> comparisons;
  Trees trees;
  std::set<TableId> seen;
  for (std::size_t i = 0; i < match.tables.size(); ++i) {
    const RowDigest& database = digests[static_cast<TableId>(i + 1)];
    const TableInfo* const info = match.infos[i];
    if (info == nullptr) {
      comparisons.push_back(comparison(match.tables[i].schema, match.tables[i].name, {}, database));
      comparisons.back().state = TableState::extra;
      continue;
    }
    seen.insert(info->id);
    if (info->loaded_into.empty()) {
      comparisons.push_back(comparison(info->schema, info->name, info->content, database));
    } else {
      trees.add(*info, database);
    }
  }
  trees.append_to(comparisons);
  for (const TableInfo& info : backup.index().tables) {
    if (seen.contains(info.id)) continue;
    if (info.id == kLargeObjects) {
      if (filter.includes_everything()) {
        comparisons.push_back(comparison("", info.name, info.content, digests[kLargeObjects]));
      }
    } else if (filter.includes_rows(info.schema, info.name)) {
      comparisons.push_back(comparison(info.schema, info.name, info.content, {}));
      comparisons.back().state = TableState::missing;
    }
  }
  return comparisons;
}

std::vector<std::string> compare_sequences(Connection& control, const BackupReader& backup) {
  const std::vector<std::string> in_backup = statements_of(backup.read_phase(Phase::sequences));
  std::set<std::string> rest(in_backup.begin(), in_backup.end());
  std::vector<std::string> differences;
  for (std::string statement : read_sequence_values(control, TableFilter())) {
    statement.pop_back();  // the newline
    const bool known = rest.erase(statement) > 0;
    if (!known && backup.index().header.filters.empty()) differences.push_back("+" + statement);
  }
  for (const std::string& statement : rest) differences.push_back("-" + statement);
  return differences;
}

}  // namespace

ComparisonReport compare(const CompareRequest& request, const BackupReader& backup, Progress& progress,
                         const std::stop_token& stop) {
  progress.set_activity("connecting");
  const Index& index = backup.index();
  refuse_unmatched(request.filter, index);
  std::vector<Connection> connections = connect_workers(request.url, request.jobs, stop);
  for (Connection& connection : connections) prepare_reading_session(connection, index.header.encoding);
  Connection& control = connections.front();
  const std::string snapshot = export_snapshot(control);
  for (Connection& connection : std::span(connections).subspan(1)) import_snapshot(connection, snapshot);

  const Match match = match_tables(control, backup, request.filter);
  std::vector<LargeObjectId> large_objects;
  if (request.filter.includes_everything()) large_objects = read_large_object_ids(control);
  const std::set<std::string> skipped(index.header.skipped.begin(), index.header.skipped.end());
  std::erase_if(large_objects, [&skipped](LargeObjectId id) { return skipped.contains(name_of(id)); });
  std::vector<WorkItem> items = plan_rows(match.tables, large_objects, connections.size());
  TableDigests digests = digest_database(connections, items, progress, stop);

  ComparisonReport report;
  report.tables = compare_tables(match, backup, request.filter, digests);
  const bool lists_large_objects = index.table(kLargeObjects) != nullptr;
  if (!lists_large_objects && digests.contains(kLargeObjects) && index.header.filters.empty()) {
    report.tables.push_back({.schema = "",
                             .name = kLargeObjectsName,
                             .state = TableState::extra,
                             .backup = {},
                             .database = digests[kLargeObjects]});
  }
  if (request.filter.is_empty()) report.sequences = compare_sequences(control, backup);
  return report;
}

bool ComparisonReport::equal() const {
  return sequences.empty() && std::all_of(tables.begin(), tables.end(), [](const TableComparison& table) {
           return table.state == TableState::equal;
         });
}

std::string_view state_name(TableState state) {
  switch (state) {
    case TableState::equal: return "equal";
    case TableState::different: return "different";
    case TableState::missing: return "missing";
    case TableState::extra: return "extra";
  }
  return "";
}

}  // namespace pana
