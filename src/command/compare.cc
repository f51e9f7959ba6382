#include "command/compare.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/parallel.h"
#include "command/connections.h"
#include "command/plan.h"
#include "command/row_reading.h"
#include "pg/rights.h"
#include "pg/sequences.h"
#include "pg/session.h"
#include "pg/snapshot.h"
#include "pg/text_array.h"
#include "sql/schema_names.h"
#include "sql/schema_object.h"
#include "sql/schema_script.h"

namespace pana {
namespace {

// Which table of the database stands for which of the backup.
struct Match {
  std::vector<CatalogTable> tables;     // to be read; the table with the plan's id i + 1 is tables[i]
  std::vector<const TableInfo*> infos;  // the backup's, or nullptr for one that only the database has
  std::vector<std::vector<std::string>> missing_columns;
};

// Makes the target's table the one that the backup reads: with the backup's columns, in their order. Returns those that
// it lacks; when it has none of them, all that it has are read, to know the number of rows.
std::vector<std::string> take_columns(CatalogTable& table, std::span<const std::string> unicode_columns,
                                      const TableInfo& info) {
  std::vector<std::string> sql_columns;
  std::vector<std::string> missing;
  for (const std::string& column : info.columns) {
    const auto found = std::find(unicode_columns.begin(), unicode_columns.end(), column);
    if (found == unicode_columns.end()) {
      missing.push_back(column);
    } else {
      sql_columns.push_back(table.sql_columns[static_cast<std::size_t>(found - unicode_columns.begin())]);
    }
  }
  table.sql_columns = std::move(sql_columns);
  return missing;
}

// Which of a database's tables the comparison is about: those that the patterns choose, and of a backup made with
// filters only those that it has.
class Choice {
 public:
  Choice(Connection& control, const Index& index, const TableFilter& filter)
      : control_(control), index_(index), filter_(filter) {
    for (const TableInfo& table : index.tables) by_name_[{table.schema, table.name}] = &table;
  }

  // Names as the session gives them, as the index has them.
  std::vector<std::string> unicode(std::vector<std::string> names) const {
    return to_unicode(control_, index_.header.encoding, std::move(names));
  }

  const TableInfo* find(const std::string& schema, const std::string& name) const {
    const auto found = by_name_.find({schema, name});
    return found == by_name_.end() ? nullptr : found->second;
  }

  // Things with a schema and a name, as the session gives them: those of tables that are not compared are left out.
  template <typename Named>
  void narrow(std::vector<Named>& tables) const {
    std::vector<std::string> names;
    for (const Named& table : tables) names.insert(names.end(), {table.schema, table.name, table.sql_name});
    names = unicode(std::move(names));
    auto name = names.begin();
    std::erase_if(tables, [&](const Named&) {
      const std::string& schema = *name++;
      const std::string& table = *name++;
      if (unlogged_.contains(*name++)) return true;
      return !filter_.includes_rows(schema, table) ||
             (!index_.header.filters.empty() && find(schema, table) == nullptr);
    });
  }

 private:
  Connection& control_;
  const Index& index_;
  const TableFilter& filter_;
  const std::set<std::string> unlogged_{index_.header.unlogged.begin(), index_.header.unlogged.end()};  // not compared
  std::map<std::pair<std::string, std::string>, const TableInfo*> by_name_;
};

Match match_tables(const Choice& choice, std::vector<CatalogTable> tables) {
  std::vector<std::string> names;
  for (const CatalogTable& table : tables) {
    names.insert(names.end(), {table.schema, table.name});
    names.insert(names.end(), table.columns.begin(), table.columns.end());
  }
  names = choice.unicode(std::move(names));
  Match match;
  auto name = names.begin();
  for (CatalogTable& table : tables) {
    table.schema = *name++;
    table.name = *name++;
    const auto first_column = name;
    name += static_cast<std::ptrdiff_t>(table.columns.size());
    const TableInfo* const info = choice.find(table.schema, table.name);
    match.missing_columns.emplace_back();
    if (info != nullptr) match.missing_columns.back() = take_columns(table, {first_column, name}, *info);
    match.infos.push_back(info);
    match.tables.push_back(std::move(table));
  }
  return match;
}

bool compares_large_objects(const Index& index, const TableFilter& filter) {
  return filter.includes_everything() && (index.table(kLargeObjects) != nullptr || index.header.filters.empty());
}

// Those that the backup was made without, and says so.
void leave_skipped_out(const Index& index, std::vector<LargeObjectId>& large_objects) {
  const std::set<std::string> skipped(index.header.skipped.begin(), index.header.skipped.end());
  std::erase_if(large_objects, [&skipped](LargeObjectId id) { return skipped.contains(name_of(id)); });
}

// What could not be read could not be compared, and must not look as if it were missing.
void refuse_uncompared(Connection& control, const Choice& choice, const BackupReader& backup, const TableFilter& filter,
                       Unreadable unreadable) {
  choice.narrow(unreadable.tables);
  choice.narrow(unreadable.hidden);
  if (!filter.is_empty()) unreadable.sequences.clear();
  if (!backup.index().header.filters.empty()) {
    std::set<RelationName> in_backup;
    for (const std::string& statement : statements_of(backup.read_phase(Phase::sequences))) {
      if (std::optional<RelationName> sequence = sequence_of(statement)) in_backup.insert(std::move(*sequence));
    }
    std::erase_if(unreadable.sequences, [&in_backup](const CatalogName& sequence) {
      return !in_backup.contains({.schema = sequence.schema, .name = sequence.name});
    });
  }
  if (!compares_large_objects(backup.index(), filter)) unreadable.large_objects.clear();
  leave_skipped_out(backup.index(), unreadable.large_objects);
  if (unreadable.tables.empty() && unreadable.sequences.empty()) unreadable.schemas.clear();
  constexpr const char* kLeaveOut = "leave them out of the comparison with --exclude-table or --exclude-schema";
  refuse_unreadable(control, unreadable, {.relations = kLeaveOut, .large_objects = "compare the tables alone: -n '*'"});
}

// A pattern that matches nothing is a mistake, and nothing compared is not "equal".
void refuse_unmatched(const TableFilter& filter, const BackupReader& backup) {
  if (filter.is_empty()) return;
  const Index& index = backup.index();
  std::vector<TableFilter::Relation> tables;
  for (const TableInfo& table : index.tables) tables.push_back({.schema = table.schema, .name = table.name});
  std::set<std::string> schemas = {"public"};
  for (const TableFilter::Relation& table : tables) schemas.insert(table.schema);
  if (!filter.unmatched(tables, schemas).empty()) {
    // Partitioned tables have a definition, but no rows of their own; that of some views stands in post-data.
    SchemaScriptReader script(SchemaScriptReader::Input::fragment);
    SchemaObjectReader objects;
    script.feed(backup.read_phase(Phase::pre_data));
    script.feed(backup.read_phase(Phase::post_data));
    script.finish();
    while (const std::optional<SchemaEntry> entry = script.next()) {
      const SchemaObject object = objects.understand(*entry);
      if (object.relation) tables.push_back({.schema = object.relation->schema, .name = object.relation->name});
      schemas.insert(object.makes_schema.value_or(object.schema));
    }
  }
  constexpr const char* kHint = "pana show lists the backup's tables";
  if (const std::vector<std::string> unmatched = filter.unmatched(tables, schemas); !unmatched.empty()) {
    throw Error(ErrorKind::usage,
                fmt::format("no {} of the backup matches {}", filter.has_table_patterns() ? "table" : "schema",
                            fmt::join(unmatched, ", ")),
                kHint);
  }
  if (std::none_of(index.tables.begin(), index.tables.end(), [&filter](const TableInfo& table) {
        return table.id != kLargeObjects && filter.includes_rows(table.schema, table.name);
      })) {
    throw Error(ErrorKind::usage, "no table of the backup is chosen by these patterns", kHint);
  }
}

// One session's part of the digests, by the plan's table ids.
class RowDigests {
 public:
  void begin_chunk(const Chunk& chunk) { digest_ = &digests_[chunk.table]; }
  void add(const RowPiece& piece) { rows_.add(*digest_, piece.text, piece.more); }
  void end_chunk() {}
  void add_large_object_line(std::string_view line) { rows_.add(digests_[kLargeObjects], line); }

  const TableDigests& digests() const { return digests_; }

 private:
  TableDigests digests_;
  RowDigester rows_;
  RowDigest* digest_ = nullptr;  // of the chunk's table
};

// The first of the connections has the locks.
TableDigests digest_database(std::span<Connection> connections, std::vector<WorkItem>& items, Progress& progress,
                             const std::stop_token& stop) {
  progress.total += total_bytes(items);
  WorkList<WorkItem> list(items);
  RateLimit rate(0);
  RowReading reading{.items = list, .progress = progress, .rate = rate, .left_over = {}};
  Guarded<TableDigests> all;
  std::vector<Task> tasks;
  for (Connection& connection : connections) {
    tasks.emplace_back([&](const std::stop_token& worker_stop) {
      connection.set_stop(worker_stop);
      RowDigests rows;
      RowReader(connection, reading, rows, worker_stop).read_items();
      all.with([&rows](TableDigests& sum) { merge(sum, rows.digests()); });
    });
  }
  run_parallel(tasks, stop);
  Connection& control = connections.front();
  control.set_stop(stop);
  RowDigests rest;
  RowReader(control, reading, rest, stop).read_left_over();
  return all.with([&rest](TableDigests& sum) {
    merge(sum, rest.digests());
    return sum;
  });
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
    if (info->loaded_into.empty() || !match.missing_columns[i].empty()) {
      comparisons.push_back(comparison(info->schema, info->name, info->content, database));
      comparisons.back().missing_columns = match.missing_columns[i];
      if (!match.missing_columns[i].empty()) comparisons.back().state = TableState::different;
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

std::vector<std::string> compare_sequences(Connection& control, const BackupReader& backup,
                                           const TableFilter& readable) {
  const IndexHeader& header = backup.index().header;
  std::set<RelationName> unlogged;  // no values of theirs are in the backup
  for (const std::string& name : header.unlogged) {
    if (std::optional<RelationName> relation = parse_relation_name(name)) unlogged.insert(std::move(*relation));
  }
  const auto is_unlogged = [&](const std::string& statement) {
    const std::optional<RelationName> sequence = unlogged.empty() ? std::nullopt : sequence_of(statement);
    if (!sequence) return false;
    const std::vector<std::string> names = to_unicode(control, header.encoding, {sequence->schema, sequence->name});
    return unlogged.contains({.schema = names[0], .name = names[1]});
  };
  const std::vector<std::string> in_backup = statements_of(backup.read_phase(Phase::sequences));
  std::set<std::string> rest(in_backup.begin(), in_backup.end());
  std::vector<std::string> differences;
  for (std::string statement : read_sequence_values(control, readable)) {
    statement.pop_back();  // the newline
    const bool known = rest.erase(statement) > 0;
    if (!known && header.filters.empty() && !is_unlogged(statement)) differences.push_back("+" + statement);
  }
  for (const std::string& statement : rest) differences.push_back("-" + statement);
  return differences;
}

// An object without contents has no line that would be digested: which there are is compared by their ids.
std::vector<std::string> compare_large_objects(const BackupReader& backup,
                                               const std::vector<LargeObjectId>& in_database,
                                               const std::stop_token& stop) {
  std::set<LargeObjectId> rest;
  SchemaScriptReader script(SchemaScriptReader::Input::fragment);
  const auto take_entries = [&] {
    while (const std::optional<SchemaEntry> entry = script.next()) {
      if (entry->type == "BLOB") rest.insert(entry->object_id);
    }
  };
  const Index& index = backup.index();
  if (index.header.large_objects > 0) {
    backup.read_phase(
        Phase::pre_data, [&](std::string_view text) { script.feed(text); }, take_entries, stop);
    script.finish();
    take_entries();
  }
  std::vector<std::string> differences;
  for (const LargeObjectId id : in_database) {
    if (rest.erase(id) == 0) differences.push_back("+" + name_of(id));
  }
  for (const LargeObjectId id : rest) differences.push_back("-" + name_of(id));
  return differences;
}

}  // namespace

ComparisonReport compare(const CompareRequest& request, const BackupReader& backup, Progress& progress,
                         const std::stop_token& stop) {
  progress.set_activity("connecting");
  const Index& index = backup.index();
  refuse_unmatched(request.filter, backup);
  std::vector<Connection> connections =
      connect_workers(DatabaseAddress(request.url), request.jobs, request.longest_silence, stop);
  for (Connection& connection : connections) {
    prepare_reading_session(connection, index.header.encoding);
    use_money_of(connection, index.header.lc_monetary);
  }
  Connection& control = connections.front();
  progress.set_activity("locking tables");
  const Choice choice(control, index, request.filter);
  Snapshot snapshot = lock_and_export(
      control, {.skip_unreadable = true, .definitions = false, .narrow = [&choice](std::vector<CatalogTable>& tables) {
                  choice.narrow(tables);
                }});
  for (Connection& connection : std::span(connections).subspan(1)) import_snapshot(connection, snapshot.id);
  refuse_uncompared(control, choice, backup, request.filter, snapshot.skipped);

  const Match match = match_tables(choice, std::move(snapshot.tables));
  const bool with_large_objects = compares_large_objects(index, request.filter);
  std::vector<LargeObjectId> large_objects;
  if (with_large_objects) large_objects = read_large_object_ids(control);
  leave_skipped_out(index, large_objects);
  std::vector<WorkItem> items = plan_rows(
      {.tables = match.tables, .large_objects = large_objects, .large_object_bytes = read_large_object_bytes(control)},
      connections.size());
  TableDigests digests = digest_database(connections, items, progress, stop);

  ComparisonReport report;
  report.tables = compare_tables(match, backup, request.filter, digests);
  if (with_large_objects) report.large_objects = compare_large_objects(backup, large_objects, stop);
  report.compared_large_objects = large_objects.size();
  std::erase_if(report.tables, [&](const TableComparison& table) {
    const TableInfo* const info = choice.find(table.schema, table.name);
    return table.state != TableState::equal && info != nullptr && request.without_tables.contains(info->id);
  });
  if (request.filter.is_empty()) report.sequences = compare_sequences(control, backup, snapshot.filter);
  std::set<RelationName> left_out;
  for (const std::string& statement : request.without_sequences) {
    if (const std::optional<RelationName> name = sequence_of(statement)) left_out.insert(*name);
  }
  std::erase_if(report.sequences, [&left_out](const std::string& difference) {
    const std::optional<RelationName> name = sequence_of(std::string_view(difference).substr(1));
    return name && left_out.contains(*name);
  });
  return report;
}

}  // namespace pana
