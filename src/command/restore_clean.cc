#include "command/restore_clean.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <functional>
#include <iterator>
#include <map>
#include <optional>
#include <set>

#include "command/backup_schema.h"
#include "command/sql_names.h"
#include "pg/catalog.h"
#include "pg/load_order.h"
#include "pg/transaction.h"
#include "sql/schema_names.h"

namespace pana {
namespace {

// Something the statement names does not exist (IF EXISTS does not cover all of it), or is inherited and goes with its
// parent (42P16): as good as dropped.
bool is_gone(const DatabaseError& error) {
  constexpr std::array kHarmless = {"3F000", "42P01", "42704", "42883", "42703", "42P16"};
  return std::find(kHarmless.begin(), kHarmless.end(), error.sqlstate()) != kHarmless.end();
}

[[noreturn]] void throw_not_dropped(const std::string& statement, const DatabaseError& error,
                                    const TableFilter& filter) {
  constexpr std::string_view kActiveTransaction = "25001";
  constexpr std::string_view kWrongObjectType = "42809";
  std::string hint = error.hint();
  // PostgreSQL's own would be CASCADE, which drops what the backup need not hold.
  if (error.sqlstate() == kDependentObjectsExist)
    hint =
        filter.has_table_patterns()
            ? "choose what depends on it as well (-t chooses tables, views and sequences), or drop that first; --clean "
              "--data-only replaces the rows alone, unless other tables refer to them"
            : "drop first what depends on it, or keep the definitions: --clean --data-only";
  if (error.sqlstate() == kWrongObjectType)
    hint = "something of another kind has that name: rename or drop it, or restore into a new database";
  if (error.sqlstate() == kActiveTransaction)
    hint =
        "drop a subscription that has a replication slot yourself (DROP SUBSCRIPTION), or leave it alone with "
        "--no-subscriptions";
  throw DatabaseError(fmt::format("cannot drop what is there ({}): {}", statement, error.what()), error.sqlstate(),
                      std::move(hint));
}

// The materialized views that need a primary key: their definitions stand in post-data.
std::vector<RelationName> late_views(const RestoreSelection& selection) {
  std::vector<RelationName> views;
  for (const SchemaObject& object : selection.post_data) {
    if (object.type == "MATERIALIZED VIEW" && object.relation) views.push_back(*object.relation);
  }
  return views;
}

// With table patterns: the tables, partitioned ones with their partitions, in one statement, so that the order does not
// matter, and whatever else is chosen by its name. Sequences last: most go with their tables, and what is in a table's
// way is no sequence's matter.
std::vector<std::string> drops_of_tables(Connection& connection, const RestoreSelection& selection) {
  std::vector<std::string> statements;
  for (const RelationName& view : late_views(selection))
    statements.push_back("DROP MATERIALIZED VIEW IF EXISTS " + sql_name(connection, view));
  std::vector<std::string> tables;
  std::vector<std::string> sequences;
  for (const SchemaObject& object : selection.pre_data) {
    if (!object.relation) continue;
    const std::string name = sql_name(connection, *object.relation);
    const std::string drop = fmt::format("DROP {} IF EXISTS {}", object.type, name);
    if (object.type == "TABLE") tables.push_back(name);
    if (object.type == "SEQUENCE" && !object.refers_to) sequences.push_back(drop);  // an identity column's goes with it
    if (object.type == "VIEW" || object.type == "MATERIALIZED VIEW" || object.type == "FOREIGN TABLE")
      statements.push_back(drop);
  }
  if (!tables.empty()) statements.push_back(fmt::format("DROP TABLE IF EXISTS {}", fmt::join(tables, ", ")));
  std::ranges::move(sequences, std::back_inserter(statements));
  return statements;
}

void drop_one_by_one(Connection& connection, const std::vector<std::string>& statements, const TableFilter& filter) {
  for (const std::string& statement : statements) {
    try {
      connection.query(statement);
    } catch (const DatabaseError& error) {
      if (!is_gone(error)) throw_not_dropped(statement, error, filter);
    }
  }
}

// In a transaction: what cannot be dropped, for what depends on it, must not cost the rest. What depends may be among
// the rest itself, and is then gone behind it.
void drop_together(Connection& connection, std::vector<std::string> statements, const TableFilter& filter) {
  while (!statements.empty()) {
    std::vector<std::string> again;
    std::optional<DatabaseError> first_error;
    for (std::string& statement : statements) {
      const std::optional<DatabaseError> refusal = try_in_savepoint(connection, statement);
      if (!refusal || is_gone(*refusal)) continue;
      if (refusal->sqlstate() != kDependentObjectsExist) throw_not_dropped(statement, *refusal, filter);
      if (!first_error) first_error.emplace(*refusal);
      again.push_back(std::move(statement));
    }
    if (again.size() == statements.size()) throw_not_dropped(again.front(), *first_error, filter);
    statements = std::move(again);
  }
}

// Which of the backup's drops are of something that this restore makes again. What it does not make must not be
// dropped.
class Replaced {
 public:
  Replaced(const RestoreRequest& request, const RestoreSelection& selection, const ScriptNames& names)
      : request_(request), filter_(request.filter), names_(names),
        with_large_objects_(!selection.large_objects.empty()) {
    for (const SchemaObject& object : selection.pre_data) {
      const bool is_made = !object.statements.empty() && object.statements.front().role == StatementRole::definition;
      if (is_made && object.relation) relations_.insert(*object.relation);
      if (object.type == "EXTENSION") extensions_.insert(object.name);
    }
    for (RelationName& view : late_views(selection)) relations_.insert(std::move(view));
  }

  bool holds(const DropStatement& drop) const {
    if (drop.goes_with_its_table()) return false;
    if (drop.kind == "LARGE OBJECTS") return with_large_objects_;
    if (drop.kind == "EXTENSION") return filter_.includes_everything() && drop.name && extensions_.contains(*drop.name);
    if (drop.kind == "PUBLICATION" && !request_.publications) return false;
    if (drop.kind == "SUBSCRIPTION" && !request_.subscriptions) return false;
    if (filter_.is_empty()) return true;
    if (drop.relation) return relations_.contains(*drop.relation);
    if (drop.kind == "SCHEMA") return false;  // it may hold more than what is chosen, and one that is there serves
    return drop.schema ? filter_.includes_schema(names_.unicode(*drop.schema)) : filter_.includes_everything();
  }

  // A table that is made.
  bool holds(const RelationName& relation) const { return relations_.contains(relation); }

 private:
  const RestoreRequest& request_;
  const TableFilter& filter_;
  const ScriptNames& names_;
  const bool with_large_objects_;
  std::set<RelationName> relations_;
  std::set<std::string> extensions_;
};

// DELETE would take rows of others along, or change them, where TRUNCATE refuses.
void refuse_to_cascade(Connection& connection, const RelationName& table,
                       const std::function<bool(const RelationName&)>& is_replaced) {
  const QueryResult found = connection.query(fmt::format(
      "SELECT n.nspname, c.relname FROM pg_catalog.pg_constraint AS k JOIN pg_catalog.pg_class AS c ON c.oid = "
      "k.conrelid JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace WHERE k.contype = 'f' AND k.confrelid = "
      "pg_catalog.to_regclass({}) AND k.confdeltype IN ('c', 'n', 'd') ORDER BY 1, 2",
      connection.quote_literal(sql_name(connection, table))));
  for (int row = 0; row < found.rows(); ++row) {
    const RelationName other{.schema = found.string(row, 0), .name = found.string(row, 1)};
    if (is_replaced(other)) continue;
    throw DatabaseError(
        fmt::format("cannot empty {}.{}: rows of {}.{} refer to it, and would go or change with its rows", table.schema,
                    table.name, other.schema, other.name),
        std::string(kFeatureNotSupported), "restore that table as well, or say --disable-triggers");
  }
}

// Of extensions that stay, because only parts are restored, the rows that the restore brings.
std::vector<std::string> deletes_of_extension_rows(Connection& connection, const RestoreRequest& request,
                                                   const RestoreSelection& selection, const ScriptNames& names,
                                                   const Replaced& replaced) {
  std::vector<std::string> statements;
  if (request.filter.includes_everything() || !request.rows) return statements;
  std::set<RelationName> with_rows;
  for (const TableInfo* const table : selection.tables)
    with_rows.insert({.schema = table->schema, .name = table->name});
  for (const auto& [table, condition] : read_extension_conditions(connection)) {
    if (replaced.holds(table) || !with_rows.contains(names.unicode(table))) continue;
    if (!request.disable_triggers)
      refuse_to_cascade(connection, table, [&](const RelationName& other) { return replaced.holds(other); });
    statements.push_back(fmt::format("DELETE FROM ONLY {} {}", sql_name(connection, table), condition));
  }
  return statements;
}

// Operators that are named as the negator or commutator of others and were never made: the server keeps their names,
// pg_dump does not, and neither their schema nor the types they are for can be dropped before them.
std::vector<std::string> drops_of_named_operators(Connection& connection, const std::vector<std::string>& statements) {
  std::vector<std::string> schemas;
  for (const std::string& statement : statements) {
    const DropStatement drop = understand_drop(statement);
    if ((drop.kind == "SCHEMA" || drop.kind == "OPERATOR") && drop.schema)
      schemas.push_back(connection.quote_literal(*drop.schema));
  }
  std::vector<std::string> drops;
  if (schemas.empty()) return drops;
  const QueryResult operators = connection.query(
      fmt::format("SELECT pg_catalog.format('DROP OPERATOR IF EXISTS %I.%s (%s, %s)', n.nspname, o.oprname, CASE "
                  "o.oprleft WHEN 0 THEN 'NONE' ELSE o.oprleft::pg_catalog.regtype::text END, "
                  "CASE o.oprright WHEN 0 THEN 'NONE' ELSE o.oprright::pg_catalog.regtype::text END) "
                  "FROM pg_catalog.pg_operator AS o JOIN pg_catalog.pg_namespace AS n ON n.oid = o.oprnamespace WHERE "
                  "o.oprcode = 0 AND n.nspname IN ({})",
                  fmt::join(schemas, ", ")));
  for (int row = 0; row < operators.rows(); ++row) drops.push_back(operators.string(row, 0));
  return drops;
}

std::vector<std::string> drops(Connection& connection, const RestoreRequest& request, const BackupReader& backup,
                               const RestoreSelection& selection, const ScriptNames& names) {
  const Replaced replaced(request, selection, names);
  std::vector<std::string> statements;
  if (request.filter.has_table_patterns()) {
    statements = drops_of_tables(connection, selection);
  } else {
    statements = parse_drop_comments(backup.read_phase(Phase::clean));
    std::erase_if(statements,
                  [&replaced](const std::string& statement) { return !replaced.holds(understand_drop(statement)); });
    std::ranges::move(drops_of_named_operators(connection, statements), std::back_inserter(statements));
  }
  std::ranges::move(deletes_of_extension_rows(connection, request, selection, names, replaced),
                    std::back_inserter(statements));
  return statements;
}

// The roots of partition trees of which all partitions are among the tables, each with these. TRUNCATE does not take a
// partition alone whose root has a foreign key to another table that it takes.
std::map<RelationName, std::vector<RelationName>> whole_trees(Connection& connection,
                                                              const std::set<RelationName>& tables) {
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
    const RelationName& leaf =
        trees[root].emplace_back(RelationName{.schema = result.string(row, 2), .name = result.string(row, 3)});
    if (!tables.contains(leaf)) in_parts.insert(root);
  }
  for (const RelationName& root : in_parts) trees.erase(root);
  return trees;
}

}  // namespace

void drop_objects_in_transaction(Connection& connection, const RestoreRequest& request, const BackupReader& backup,
                                 const RestoreSelection& selection, const ScriptNames& names) {
  drop_together(connection, drops(connection, request, backup, selection, names), request.filter);
}

void drop_objects(Connection& connection, const RestoreRequest& request, const BackupReader& backup,
                  const RestoreSelection& selection, const ScriptNames& names) try {
  connection.query("BEGIN");
  drop_objects_in_transaction(connection, request, backup, selection, names);
  connection.query("COMMIT");
} catch (const DatabaseError& error) {
  if (connection.is_alive()) connection.query("ROLLBACK");
  if (error.sqlstate() != kOutOfMemory) throw;
  // The server has no room for so many locks at once.
  drop_one_by_one(connection, drops(connection, request, backup, selection, names), request.filter);
}

// All or nothing. Of an extension's configuration table only the rows that are the user's: nothing brings the others
// back.
void empty_tables(Connection& connection, const BackupReader& backup, const RestoreSelection& selection) {
  std::set<RelationName> tables;
  for (const TableInfo* const table : selection.tables) {
    if (table->id != kLargeObjects) tables.insert(sql_relation(backup.index().header, *table));
  }
  const std::set<RelationName> chosen = tables;
  const bool has_triggers = connection.query("SHOW session_replication_role").text(0, 0) != "replica";
  const LoadOrder order = read_load_order(connection, ForeignKeys::all);
  std::multimap<std::size_t, std::string, std::greater<>> deletes_by_level;  // those first that refer to others
  for (const auto& [table, condition] : read_extension_conditions(connection)) {
    if (condition.empty() || tables.erase(table) == 0) continue;
    if (has_triggers)
      refuse_to_cascade(connection, table, [&](const RelationName& other) { return chosen.contains(other); });
    const auto level = order.levels.find(table);
    deletes_by_level.emplace(level == order.levels.end() ? 0 : level->second,
                             fmt::format("DELETE FROM ONLY {} {};\n", sql_name(connection, table), condition));
  }
  std::string deletes;
  for (const auto& [level, sql] : deletes_by_level) deletes += sql;
  std::vector<std::string> names;
  for (const auto& [root, leaves] : whole_trees(connection, tables)) {
    names.push_back(sql_name(connection, root));
    for (const RelationName& leaf : leaves) tables.erase(leaf);
  }
  for (const RelationName& table : tables) names.push_back("ONLY " + sql_name(connection, table));
  try {
    if (!names.empty() || !deletes.empty()) {
      connection.query((names.empty() ? "" : fmt::format("TRUNCATE {};\n", fmt::join(names, ", "))) + deletes);
    }
  } catch (const DatabaseError& error) {
    // PostgreSQL's own hint would be CASCADE, which empties what is not restored.
    if (error.sqlstate() != kFeatureNotSupported) throw;
    throw DatabaseError(
        fmt::format("cannot empty the tables: {}", error.what()), error.sqlstate(),
        "restore the tables that refer to them as well, or drop the foreign key and add it again afterwards");
  }
}

}  // namespace pana
