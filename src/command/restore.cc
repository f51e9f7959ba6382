#include "command/restore.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <map>
#include <set>

#include "base/log.h"
#include "base/parallel.h"
#include "base/work_list.h"
#include "command/backup_schema.h"
#include "command/connections.h"
#include "command/restore_errors.h"
#include "command/restore_preflight.h"
#include "command/restore_rows.h"
#include "command/restore_schema.h"
#include "command/restore_selection.h"
#include "command/sql_names.h"
#include "pg/catalog.h"
#include "pg/load_order.h"
#include "pg/schema_names.h"
#include "pg/session.h"

namespace pana {
namespace {

using Clock = std::chrono::steady_clock;

// Something the statement names does not exist (IF EXISTS does not cover all of it), or is inherited and goes with its
// parent (42P16): as good as dropped.
bool is_gone(const DatabaseError& error) {
  constexpr std::array kHarmless = {"3F000", "42P01", "42704", "42883", "42703", "42P16"};
  return std::find(kHarmless.begin(), kHarmless.end(), error.sqlstate()) != kHarmless.end();
}

[[noreturn]] void throw_not_dropped(const std::string& statement, const DatabaseError& error) {
  // PostgreSQL's own hint would be CASCADE, which drops what the backup need not hold.
  throw DatabaseError(fmt::format("cannot drop what is there ({}): {}", statement, error.what()), error.sqlstate(),
                      error.sqlstate() == kDependentObjectsExist
                          ? "drop first what depends on it, or keep the definitions: --clean --data-only"
                          : error.hint());
}

// With table patterns: the tables, partitioned ones with their partitions, in one statement, so that the order does not
// matter. With schema patterns: what is in the schemas, as pg_dump would drop it.
std::vector<std::string> drops_of_parts(Connection& connection, const RestoreRequest& request,
                                        const BackupReader& backup, const RestoreSelection& selection) {
  std::vector<std::string> statements;
  if (!request.filter.has_table_patterns()) {
    for (std::string& statement : parse_drop_comments(backup.read_phase(Phase::clean))) {
      const std::optional<std::string> schema = schema_of_drop(statement);
      if (schema && request.filter.includes_schema(*schema)) statements.push_back(std::move(statement));
    }
    return statements;
  }
  std::vector<std::string> tables;
  for (const SchemaObject& object : selection.pre_data) {
    if (object.type != "TABLE" || !object.relation) continue;
    tables.push_back(connection.quote_identifier(object.relation->schema) + "." + connection.quote_identifier(object.relation->name));
  }
  if (!tables.empty()) statements.push_back(fmt::format("DROP TABLE IF EXISTS {}", fmt::join(tables, ", ")));
  return statements;
}

void drop_one_by_one(Connection& connection, const std::vector<std::string>& statements) {
  for (const std::string& statement : statements) {
    try {
      connection.query(statement);
    } catch (const DatabaseError& error) {
      if (!is_gone(error)) throw_not_dropped(statement, error);
    }
  }
}

// All or nothing: what cannot be dropped, for what depends on it, must not cost the rest.
void drop_together(Connection& connection, const std::vector<std::string>& statements) {
  connection.query("BEGIN");
  for (const std::string& statement : statements) {
    try {
      connection.query(fmt::format("SAVEPOINT before_drop;\n{};\nRELEASE SAVEPOINT before_drop", statement));
    } catch (const DatabaseError& error) {
      if (connection.is_alive()) connection.query(is_gone(error) ? "ROLLBACK TO SAVEPOINT before_drop; RELEASE SAVEPOINT before_drop" : "ROLLBACK");
      if (!is_gone(error)) throw_not_dropped(statement, error);
    }
  }
  connection.query("COMMIT");
}

// Drops what the backup would make.
void drop_objects(Connection& connection, const RestoreRequest& request, const BackupReader& backup,
                  const RestoreSelection& selection) {
  constexpr std::string_view kOutOfMemory = "53200";
  const std::vector<std::string> statements = request.filter.is_empty() ? parse_drop_comments(backup.read_phase(Phase::clean))
                                                                        : drops_of_parts(connection, request, backup, selection);
  try {
    drop_together(connection, statements);
  } catch (const DatabaseError& error) {
    if (error.sqlstate() != kOutOfMemory) throw;
    drop_one_by_one(connection, statements);  // the server has no room for so many locks at once
  }
}

// The roots of partition trees of which all partitions are among the tables, each with these. TRUNCATE does not take a
// partition alone whose root has a foreign key to another table that it takes.
std::map<RelationName, std::vector<RelationName>> whole_trees(Connection& connection, const std::set<RelationName>& tables) {
  const QueryResult result = connection.query(R"(
SELECT rn.nspname, r.relname, n.nspname, c.relname
FROM pg_catalog.pg_class AS r JOIN pg_catalog.pg_namespace AS rn ON rn.oid = r.relnamespace
CROSS JOIN LATERAL pg_catalog.pg_partition_tree(r.oid) AS p
JOIN pg_catalog.pg_class AS c ON c.oid = p.relid JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE r.relkind = 'p' AND NOT r.relispartition AND p.isleaf)");
  std::map<RelationName, std::vector<RelationName>> trees;
  std::set<RelationName> in_parts;
  for (int row = 0; row < result.rows(); ++row) {
    const RelationName root{.schema = result.string(row, 0), .name = result.string(row, 1)};
    const RelationName& leaf = trees[root].emplace_back(RelationName{.schema = result.string(row, 2), .name = result.string(row, 3)});
    if (!tables.contains(leaf)) in_parts.insert(root);
  }
  for (const RelationName& root : in_parts) trees.erase(root);
  return trees;
}

// All or nothing. Of an extension's configuration table only the rows that are the user's: nothing brings the others back.
void empty_tables(Connection& connection, const BackupReader& backup, const RestoreSelection& selection) {
  std::set<RelationName> tables;
  for (const TableInfo* const table : selection.tables) {
    if (table->id != kLargeObjects) tables.insert(sql_relation(backup.index().header, *table));
  }
  const auto sql_of = [&connection](const RelationName& table) {
    return connection.quote_identifier(table.schema) + "." + connection.quote_identifier(table.name);
  };
  const LoadOrder order = read_load_order(connection, ForeignKeys::all);
  std::multimap<std::size_t, std::string, std::greater<>> deletes_by_level;  // those first that refer to others
  for (const auto& [table, condition] : read_extension_conditions(connection)) {
    if (condition.empty() || tables.erase(table) == 0) continue;
    const auto level = order.levels.find(table);
    deletes_by_level.emplace(level == order.levels.end() ? 0 : level->second, fmt::format("DELETE FROM ONLY {} {};\n", sql_of(table), condition));
  }
  std::string deletes;
  for (const auto& [level, sql] : deletes_by_level) deletes += sql;
  std::vector<std::string> names;
  for (const auto& [root, leaves] : whole_trees(connection, tables)) {
    names.push_back(sql_of(root));
    for (const RelationName& leaf : leaves) tables.erase(leaf);
  }
  for (const RelationName& table : tables) names.push_back("ONLY " + sql_of(table));
  try {
    if (!names.empty() || !deletes.empty()) {
      connection.query((names.empty() ? "" : fmt::format("TRUNCATE {};\n", fmt::join(names, ", "))) + deletes);
    }
  } catch (const DatabaseError& error) {
    // PostgreSQL's own hint would be CASCADE, which empties what is not restored.
    if (error.sqlstate() != kFeatureNotSupported) throw;
    throw DatabaseError(fmt::format("cannot empty the tables: {}", error.what()), error.sqlstate(),
                        "restore the tables that refer to them as well, or drop the foreign key and add it again afterwards");
  }
}

// All in one query, which is quick; one by one, each named, when one of them is refused.
void set_sequences(Connection& connection, const RestoreSelection& selection, RestoreErrors& errors) try {
  std::string sql;
  for (const SequenceValue& value : selection.sequence_values) sql += value.sql + "\n";
  connection.query(sql);
} catch (const DatabaseError&) {
  if (!connection.is_alive()) throw;
  for (const SequenceValue& value : selection.sequence_values) {
    const std::string name = value.sequence ? value.sequence->schema + "." + value.sequence->name : "of unknown name";
    errors.attempt("the value of sequence " + name, connection, [&] { connection.query(value.sql); });
  }
}

void check_counts(const RestoreSelection& selection, const std::map<TableId, std::uint64_t>& loaded) {
  for (const TableInfo* const table : selection.tables) {
    const auto found = loaded.find(table->id);
    const std::uint64_t rows = found == loaded.end() ? 0 : found->second;
    if (rows == table->content.rows) continue;
    throw Error(ErrorKind::different, fmt::format("{}.{} has {} rows in the backup, {} were stored", table->schema,
                                                  table->name, table->content.rows, rows));
  }
}

// Statistics are no part of the data: what cannot be analyzed (a parent of a foreign table without a server, say) is
// reported and left to autovacuum.
void analyze(Connection& connection, const std::string& table) try {
  connection.query("ANALYZE " + table);
} catch (const DatabaseError& error) {
  if (!connection.is_alive()) throw;
  log(LogLevel::warning, "analyze", fmt::format("cannot analyze {}: {}", table, error.what()));
}

// What ANALYZE sorts, and its time with it, as long as default_statistics_target is the default.
std::uint64_t values_sampled(const TableInfo& table) {
  constexpr std::uint64_t kRowsSampled = 30'000;
  return std::min(table.content.rows, kRowsSampled) * table.columns.size();
}

void analyze(std::span<Connection> connections, const BackupReader& backup, const RestoreSelection& selection,
             const std::stop_token& stop) {
  const IndexHeader& header = backup.index().header;
  std::vector<const TableInfo*> tables;
  for (const TableInfo* const table : selection.tables) {
    if (table->id != kLargeObjects && table->content.rows > 0) tables.push_back(table);
  }
  std::stable_sort(tables.begin(), tables.end(), [](const TableInfo* a, const TableInfo* b) {
    return values_sampled(*a) > values_sampled(*b);
  });
  WorkList<const TableInfo*> list(tables);
  std::vector<Task> tasks;
  for (Connection& connection : connections) {
    tasks.emplace_back([&](const std::stop_token& worker_stop) {
      connection.set_stop(worker_stop);
      with_index_encoding(connection, header, [&] {
        while (const TableInfo* const* const table = list.next()) {
          analyze(connection, sql_name(connection, header, (*table)->schema, (*table)->name));
        }
      });
    });
  }
  run_parallel(tasks, stop);
}

}  // namespace

RestoreReport restore(const RestoreRequest& request, const BackupReader& backup, Progress& progress,
                      const std::stop_token& stop) {
  const auto started = Clock::now();
  const Index& index = backup.index();
  progress.set_activity("connecting");
  std::vector<Connection> connections = connect_workers(DatabaseAddress(request.url), request.jobs, request.longest_silence, stop);
  for (Connection& connection : connections) {
    prepare_loading_session(connection, index.header.encoding);
    raise_maintenance_memory(connection, connections.size());
    if (request.disable_triggers) connection.query("SET session_replication_role = replica");
  }
  Connection& control = connections.front();
  progress.set_activity("reading the schema");
  const RestoreSelection selection = select_for_restore(request, backup, control);
  if (request.rows && request.filter.has_table_patterns() && selection.tables.empty()) {
    log(LogLevel::warning, "no_rows", "the patterns choose no table with rows in this backup: partitions have theirs, and are named one by one");
  }
  check_restore_target(control, request, index, selection);

  RestoreErrors errors(request.keep_going);
  if (request.clean && request.schema) {
    drop_objects(control, request, backup, selection);
  } else if (request.clean) {
    with_index_encoding(control, index.header, [&] { empty_tables(control, backup, selection); });
  }
  SchemaRunner runner(errors, progress, DefaultPrivileges::read(control));
  run_pre_data(control, selection, runner);

  RestoreReport report;
  if (request.rows) {
    const std::map<TableId, std::uint64_t> loaded =
        load_rows(connections, backup, selection, errors, progress, stop);
    if (errors.all().empty()) check_counts(selection, loaded);
    for (const auto& [table, rows] : loaded) report.rows += table == kLargeObjects ? 0 : rows;
    if (!selection.sequence_values.empty()) set_sequences(control, selection, errors);
  }
  run_post_data(connections, selection, index, runner, stop);
  if (request.rows && request.analyze) {
    progress.set_activity("analyzing");
    analyze(connections, backup, selection, stop);
  }
  report.tables = selection.tables.size() - selection.table_ids.count(kLargeObjects);
  report.bytes_read = backup.read_bytes();
  report.seconds = std::chrono::duration<double>(Clock::now() - started).count();
  report.errors = errors.all();
  return report;
}

}  // namespace pana
