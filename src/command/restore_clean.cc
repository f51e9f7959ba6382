#include "command/restore_clean.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <optional>
#include <set>

#include "command/backup_schema.h"
#include "command/sql_names.h"
#include "pg/catalog.h"
#include "pg/load_order.h"
#include "pg/schema_names.h"

namespace pana {
namespace {

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
// matter, and whatever else is chosen by its name. Otherwise: what is in the chosen schemas, as pg_dump would drop it, but not what
// is excluded by its name.
std::vector<std::string> drops_of_parts(Connection& connection, const RestoreRequest& request,
                                        const BackupReader& backup, const RestoreSelection& selection) {
  std::vector<std::string> statements;
  if (!request.filter.has_table_patterns()) {
    for (std::string& statement : parse_drop_comments(backup.read_phase(Phase::clean))) {
      const std::optional<RelationName> relation = relation_of_drop(statement);
      const std::optional<std::string> schema = schema_of_drop(statement);
      const bool is_chosen = relation ? request.filter.includes(relation->schema, relation->name) : schema && request.filter.includes_schema(*schema);
      if (is_chosen) statements.push_back(std::move(statement));
    }
    return statements;
  }
  std::vector<std::string> tables;
  for (const SchemaObject& object : selection.pre_data) {
    if (!object.relation) continue;
    const std::string name = connection.quote_identifier(object.relation->schema) + "." + connection.quote_identifier(object.relation->name);
    if (object.type == "TABLE") tables.push_back(name);
    const bool is_other = object.type == "VIEW" || object.type == "MATERIALIZED VIEW" || object.type == "FOREIGN TABLE" ||
                          (object.type == "SEQUENCE" && !object.refers_to);  // an identity column's goes with it
    if (is_other) statements.push_back(fmt::format("DROP {} IF EXISTS {}", object.type, name));
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

// In a transaction: what cannot be dropped, for what depends on it, must not cost the rest. What depends may be among the rest
// itself, and is then gone behind it.
void drop_together(Connection& connection, std::vector<std::string> statements) {
  while (!statements.empty()) {
    std::vector<std::string> again;
    std::optional<DatabaseError> first_error;
    for (std::string& statement : statements) {
      try {
        connection.query(fmt::format("SAVEPOINT before_drop;\n{};\nRELEASE SAVEPOINT before_drop", statement));
      } catch (const DatabaseError& error) {
        const bool has_dependents = error.sqlstate() == kDependentObjectsExist;
        if (!connection.is_alive() || (!has_dependents && !is_gone(error))) throw_not_dropped(statement, error);
        connection.query("ROLLBACK TO SAVEPOINT before_drop; RELEASE SAVEPOINT before_drop");
        if (!has_dependents) continue;
        if (!first_error) first_error = error;
        again.push_back(std::move(statement));
      }
    }
    if (again.size() == statements.size()) throw_not_dropped(again.front(), *first_error);
    statements = std::move(again);
  }
}

std::vector<std::string> drops(Connection& connection, const RestoreRequest& request, const BackupReader& backup,
                               const RestoreSelection& selection) {
  std::vector<std::string> statements = request.filter.is_empty() ? parse_drop_comments(backup.read_phase(Phase::clean))
                                                                  : drops_of_parts(connection, request, backup, selection);
  std::erase_if(statements, goes_with_its_table);
  return statements;
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

}  // namespace

void drop_objects_in_transaction(Connection& connection, const RestoreRequest& request, const BackupReader& backup,
                                 const RestoreSelection& selection) {
  drop_together(connection, drops(connection, request, backup, selection));
}

void drop_objects(Connection& connection, const RestoreRequest& request, const BackupReader& backup,
                  const RestoreSelection& selection) try {
  connection.query("BEGIN");
  drop_objects_in_transaction(connection, request, backup, selection);
  connection.query("COMMIT");
} catch (const DatabaseError& error) {
  constexpr std::string_view kOutOfMemory = "53200";
  if (connection.is_alive()) connection.query("ROLLBACK");
  if (error.sqlstate() != kOutOfMemory) throw;
  drop_one_by_one(connection, drops(connection, request, backup, selection));  // the server has no room for so many locks at once
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

}  // namespace pana
