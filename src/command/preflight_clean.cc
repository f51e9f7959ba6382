#include "command/preflight_clean.h"

#include <fmt/format.h>

#include <map>
#include <set>

#include "base/human.h"
#include "command/filled_tables.h"
#include "command/restore_clean.h"
#include "command/restore_errors.h"
#include "pg/session.h"

namespace pana {
namespace {

// With the bytes of each, as far as it has some. What belongs to something else goes with it and is not counted: a
// table's indexes, sequences and type.
std::map<std::string, std::uint64_t> objects_of_target(Connection& connection) {
  const QueryResult found = connection.query(R"(
SELECT CASE c.relkind WHEN 'v' THEN 'view ' WHEN 'm' THEN 'materialized view ' WHEN 'f' THEN 'foreign table ' WHEN 'S' THEN 'sequence ' ELSE 'table ' END
  || c.oid::pg_catalog.regclass::text, CASE WHEN c.relkind IN ('r', 'm') THEN pg_catalog.pg_total_relation_size(c.oid) ELSE 0 END
FROM pg_catalog.pg_class AS c WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND c.oid >= 16384 AND NOT EXISTS (
  SELECT FROM pg_catalog.pg_depend AS d WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid AND c.relkind = 'S' AND d.deptype IN ('a', 'i'))
UNION ALL SELECT 'routine ' || oid::pg_catalog.regprocedure::text, 0 FROM pg_catalog.pg_proc WHERE oid >= 16384
UNION ALL SELECT 'type ' || oid::pg_catalog.regtype::text, 0 FROM pg_catalog.pg_type WHERE oid >= 16384 AND typtype IN ('d', 'e', 'r')
UNION ALL SELECT 'schema ' || nspname, 0 FROM pg_catalog.pg_namespace WHERE oid >= 16384
UNION ALL SELECT 'extension ' || extname, 0 FROM pg_catalog.pg_extension WHERE oid >= 16384
UNION ALL SELECT 'publication ' || pubname, 0 FROM pg_catalog.pg_publication
UNION ALL SELECT 'foreign server ' || srvname, 0 FROM pg_catalog.pg_foreign_server
UNION ALL SELECT 'event trigger ' || evtname, 0 FROM pg_catalog.pg_event_trigger WHERE oid >= 16384)");
  std::map<std::string, std::uint64_t> objects;
  for (int row = 0; row < found.rows(); ++row)
    objects[found.string(row, 0)] = static_cast<std::uint64_t>(found.integer(row, 1));
  return objects;
}

// Configuration tables of extensions that are dropped, with the rows that are the user's.
std::vector<TableToLookInto> tables_of_extensions(Connection& connection, const RestoreSelection& selection) {
  std::set<std::string> extensions;
  for (const SchemaObject& object : selection.pre_data) {
    if (object.type == "EXTENSION") extensions.insert(object.name);
  }
  const QueryResult found = connection.query(
      "SELECT e.extname, c.oid::pg_catalog.regclass::text, l.condition FROM pg_catalog.pg_extension AS e CROSS JOIN "
      "LATERAL ROWS FROM (pg_catalog.unnest(e.extconfig), pg_catalog.unnest(e.extcondition)) AS l (oid, condition) "
      "JOIN pg_catalog.pg_class AS c ON c.oid = l.oid WHERE c.relkind = 'r'");
  std::vector<TableToLookInto> tables;
  for (int row = 0; row < found.rows(); ++row) {
    if (extensions.contains(found.string(row, 0)))
      tables.push_back({.name = found.string(row, 1), .text = found.string(row, 1), .condition = found.string(row, 2)});
  }
  return tables;
}

}  // namespace

void check_rows_stay(Connection& connection, const RestoreRequest& request, const RestoreSelection& selection,
                     Problems& problems) {
  std::vector<TableToLookInto> tables;
  if (request.filter.includes_everything()) tables = tables_of_extensions(connection, selection);
  for (const SchemaObject& object : selection.pre_data) {
    if (object.type == "TABLE" && object.relation)
      tables.push_back({.name = sql_name(connection, *object.relation),
                        .text = object.relation->schema + "." + object.relation->name,
                        .condition = {}});
  }
  const std::vector<std::string> filled = filled_tables(connection, tables);
  if (filled.empty()) return;
  problems.add(
      fmt::format("--clean would drop tables with rows, and --schema-only brings no rows back: {}", list_names(filled)),
      "leave --schema-only out, or empty them first (TRUNCATE)");
}

std::vector<std::string> try_to_drop(Connection& connection, const RestoreRequest& request, const BackupReader& backup,
                                     const RestoreSelection& selection, const ScriptNames& names) try {
  std::map<std::string, std::uint64_t> objects;
  if (request.dry_run) objects = objects_of_target(connection);
  drop_objects_in_transaction(connection, request, backup, selection, names);
  if (request.dry_run) {
    for (const auto& [left, bytes] : objects_of_target(connection)) objects.erase(left);
  }
  std::vector<std::string> dropped;
  for (const auto& [object, bytes] : objects)
    dropped.push_back(bytes == 0 ? object : fmt::format("{} ({})", object, human_bytes(bytes)));
  return dropped;
} catch (const DatabaseError& error) {
  if (error.sqlstate().empty() || error.sqlstate() == kOutOfMemory || is_lock_in_the_way(error)) throw;
  const bool is_right = error.sqlstate() == kInsufficientPrivilege;
  throw Error(ErrorKind::refused, error.what(),
              is_right ? "restore as its owner or a superuser, or into a new database" : error.hint());
}

void try_to_empty(Connection& connection, const BackupReader& backup, const RestoreSelection& selection) {
  connection.query("BEGIN");
  try {
    with_index_encoding(connection, backup.index().header, [&] { empty_tables(connection, backup, selection); });
  } catch (const DatabaseError& error) {
    if (error.sqlstate() == kInsufficientPrivilege)
      throw Error(ErrorKind::refused, error.what(),
                  "GRANT TRUNCATE on the tables to the role, or restore as their owner");
    if (error.sqlstate() != kFeatureNotSupported) throw;
    throw Error(ErrorKind::refused, error.what(), error.hint());
  }
  connection.query("ROLLBACK");
}

}  // namespace pana
