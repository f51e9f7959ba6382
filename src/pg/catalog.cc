#include "pg/catalog.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>

#include "pg/catalog_sql.h"
#include "pg/text_array.h"

namespace pana {
namespace {

// The hash of an enum's value is that of the OID of its label, which a restore makes anew: rows of a table partitioned
// so may belong to other partitions afterwards, and have to be loaded through the root. pg_dump does the same
// (forcePartitionRootLoad).
constexpr std::string_view kLoadName = R"(
(WITH RECURSIVE ancestors (oid, depth) AS (
   SELECT i.inhparent, 1 FROM pg_catalog.pg_inherits AS i WHERE i.inhrelid = c.oid AND c.relispartition
   UNION ALL SELECT i.inhparent, a.depth + 1 FROM ancestors AS a
   JOIN pg_catalog.pg_class AS p ON p.oid = a.oid AND p.relispartition
   JOIN pg_catalog.pg_inherits AS i ON i.inhrelid = a.oid)
 SELECT pg_catalog.format('%I.%I', rn.nspname, r.relname)
 FROM ancestors AS a JOIN pg_catalog.pg_class AS r ON r.oid = a.oid
 JOIN pg_catalog.pg_namespace AS rn ON rn.oid = r.relnamespace
 WHERE EXISTS (SELECT FROM ancestors AS u JOIN pg_catalog.pg_partitioned_table AS t ON t.partrelid = u.oid
               WHERE (SELECT o.oid FROM pg_catalog.pg_opclass AS o JOIN pg_catalog.pg_am AS m ON m.oid = o.opcmethod
                      WHERE o.opcname = 'enum_ops' AND m.amname = 'hash'
                        AND o.opcnamespace = 'pg_catalog'::pg_catalog.regnamespace) = ANY (t.partclass))
 ORDER BY a.depth DESC LIMIT 1))";

std::string tables_sql(int server_version) {
  const bool has_generated = server_version >= 120000;
  return fmt::format(
      R"(
SELECT c.oid, n.nspname, c.relname, pg_catalog.format('%I.%I', n.nspname, c.relname),
       a.names, a.sql_names, coalesce(x.condition, ''),
       CASE WHEN {member} THEN x.oid IS NOT NULL END AS extension_rows,
       pg_catalog.pg_table_size(c.oid),
       pg_catalog.pg_relation_size(c.oid) / pg_catalog.current_setting('block_size')::int,
       {can_split},
       coalesce(pg_catalog.has_table_privilege(c.oid, 'SELECT'), true),  -- null: dropped since the query's snapshot
       pg_catalog.row_security_active(c.oid),
       pg_catalog.pg_table_is_visible(c.oid),
       {load_name},
       coalesce(pg_catalog.has_schema_privilege(n.oid, 'USAGE'), true),
       coalesce(pg_catalog.pg_relation_size(nullif(c.reltoastrelid, 0)), 0)
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN ({extension_relations}) AS x ON x.oid = c.oid
CROSS JOIN LATERAL (
  SELECT pg_catalog.array_agg(a.attname::text ORDER BY a.attnum) AS names,
         pg_catalog.array_agg(pg_catalog.quote_ident(a.attname) ORDER BY a.attnum) AS sql_names
  FROM pg_catalog.pg_attribute AS a
  WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped {not_generated}) AS a
WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND NOT {unlogged} AND {user_schema}
ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C")",
      fmt::arg("unlogged", kUnloggedOnStandby), fmt::arg("member", member_of_extension("pg_class", "c.oid")),
      fmt::arg("can_split",
               server_version >= 140000
                   ? "EXISTS (SELECT FROM pg_catalog.pg_am AS am WHERE am.oid = c.relam AND am.amname = 'heap')"
                   : "false"),
      fmt::arg("load_name", kLoadName), fmt::arg("extension_relations", kExtensionRelations),
      fmt::arg("user_schema", kUserSchema), fmt::arg("not_generated", has_generated ? "AND a.attgenerated = ''" : ""));
}

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
  return fmt::format("{}", fmt::join(parts, separator));
}

// Rows that may change partitions must have the same text in each of them, whatever the order of its columns.
void sort_columns(CatalogTable& table) {
  std::map<std::string, std::string> sorted;
  for (std::size_t i = 0; i < table.columns.size(); ++i) sorted[table.columns[i]] = table.sql_columns[i];
  table.columns.clear();
  table.sql_columns.clear();
  for (const auto& [column, sql_column] : sorted) {
    table.columns.push_back(column);
    table.sql_columns.push_back(sql_column);
  }
}

}  // namespace

std::string CatalogTable::copy_source() const {
  // A table without columns has rows all the same; COPY without a column list reads and writes them.
  return sql_columns.empty() ? sql_name : fmt::format("{} ({})", sql_name, join(sql_columns, ", "));
}

std::string CatalogTable::copy_target() const {
  return sql_columns.empty() ? sql_load_name : fmt::format("{} ({})", sql_load_name, join(sql_columns, ", "));
}

std::vector<CatalogTable> read_tables(Connection& connection, const TableFilter& filter) {
  const QueryResult result = query_by_default_path(connection, tables_sql(connection.server_version()));
  std::vector<CatalogTable> tables;
  for (int row = 0; row < result.rows(); ++row) {
    const bool belongs_to_extension = !result.is_null(row, 7);
    const std::string_view schema = result.text(row, 1);
    const std::string_view name = result.text(row, 2);
    const bool visible = result.boolean(row, 13);
    const bool wanted = belongs_to_extension
                            ? result.boolean(row, 7) && filter.includes_extension_rows(schema, name, visible)
                            : filter.includes_rows(schema, name, visible);
    if (!wanted) continue;
    tables.push_back({.oid = result.oid(row, 0),
                      .schema = std::string(schema),
                      .name = std::string(name),
                      .sql_name = result.string(row, 3),
                      .columns = parse_text_array(result.text(row, 4)),
                      .sql_columns = parse_text_array(result.text(row, 5)),
                      .sql_load_name = result.string(row, result.is_null(row, 14) ? 3 : 14),
                      .condition = result.string(row, 6),
                      .bytes = static_cast<std::uint64_t>(result.integer(row, 8)),
                      .toast_bytes = static_cast<std::uint64_t>(result.integer(row, 16)),
                      .pages = static_cast<std::uint64_t>(result.integer(row, 9)),
                      .can_split = result.boolean(row, 10),
                      .readable = result.boolean(row, 11),
                      .hides_rows = result.boolean(row, 12),
                      .in_usable_schema = result.boolean(row, 15)});
    if (tables.back().sql_load_name != tables.back().sql_name) sort_columns(tables.back());
  }
  return tables;
}

std::map<RelationName, std::string> read_extension_conditions(Connection& connection) {
  const QueryResult result =
      connection.query(fmt::format("SELECT n.nspname, c.relname, x.condition FROM ({}) AS x JOIN pg_catalog.pg_class "
                                   "AS c ON c.oid = x.oid AND c.relkind = 'r' "
                                   "JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace",
                                   kExtensionRelations));
  std::map<RelationName, std::string> conditions;
  for (int row = 0; row < result.rows(); ++row) {
    conditions[{.schema = result.string(row, 0), .name = result.string(row, 1)}] = result.string(row, 2);
  }
  return conditions;
}

std::vector<CatalogDefinition> read_definitions(Connection& connection, const TableFilter& filter,
                                                const std::vector<CatalogTable>& with_rows) {
  const QueryResult result =
      query_by_default_path(connection, fmt::format(
                                            R"(
SELECT c.oid, pg_catalog.format('%I.%I', n.nspname, c.relname), n.nspname, c.relname, pg_catalog.pg_table_is_visible(c.oid), {},
       coalesce(pg_catalog.has_table_privilege(c.oid, 'SELECT'), true),
       coalesce(pg_catalog.has_schema_privilege(n.oid, 'USAGE'), true)
FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND {}
ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C")",
                                            member_of_extension("pg_class", "c.oid"), kUserSchema));
  std::set<std::uint32_t> known;
  for (const CatalogTable& table : with_rows) known.insert(table.oid);
  std::vector<CatalogDefinition> definitions;
  for (int row = 0; row < result.rows(); ++row) {
    const bool belongs_to_extension = result.boolean(row, 5);
    const bool wanted = belongs_to_extension
                            ? filter.includes_everything()
                            : filter.includes(result.text(row, 2), result.text(row, 3), result.boolean(row, 4));
    const bool readable = result.boolean(row, 6) && result.boolean(row, 7);
    if (!wanted || known.contains(result.oid(row, 0)) || (belongs_to_extension && !readable)) continue;
    definitions.push_back(
        {.oid = result.oid(row, 0),
         .name = {.schema = result.string(row, 2), .name = result.string(row, 3), .sql_name = result.string(row, 1)},
         .readable = result.boolean(row, 6),
         .in_usable_schema = result.boolean(row, 7)});
  }
  return definitions;
}

std::vector<CatalogName> read_trees_without_rows(Connection& connection, const std::vector<CatalogTable>& tables,
                                                 const std::vector<CatalogDefinition>& definitions) {
  std::set<std::uint32_t> with_rows;
  for (const CatalogTable& table : tables) with_rows.insert(table.oid);
  const QueryResult leaves = connection.query(
      "SELECT c.oid, p.relid::oid FROM pg_catalog.pg_class AS c CROSS JOIN LATERAL pg_catalog.pg_partition_tree(c.oid) "
      "AS p WHERE c.relkind = 'p' AND p.isleaf");
  std::map<std::uint32_t, bool> trees;
  for (int row = 0; row < leaves.rows(); ++row) trees[leaves.oid(row, 0)] |= with_rows.contains(leaves.oid(row, 1));
  std::vector<CatalogName> names;
  for (const CatalogDefinition& definition : definitions) {
    const auto tree = trees.find(definition.oid);
    if (tree != trees.end() && !tree->second) names.push_back(definition.name);
  }
  return names;
}

std::vector<CatalogName> read_text_ranges(Connection& connection) {
  const QueryResult result = connection.query(fmt::format(
      "SELECT n.nspname, c.relname, pg_catalog.format('%I.%I', n.nspname, c.relname) FROM "
      "pg_catalog.pg_partitioned_table AS p "
      "JOIN pg_catalog.pg_class AS c ON c.oid = p.partrelid JOIN pg_catalog.pg_namespace AS n ON n.oid = "
      "c.relnamespace "
      "WHERE p.partstrat = 'r' AND (SELECT k.oid FROM pg_catalog.pg_collation AS k WHERE k.collname = 'default' "
      "AND k.collnamespace = 'pg_catalog'::pg_catalog.regnamespace) = ANY (p.partcollation) AND {} ORDER BY 3",
      kUserSchema));
  std::vector<CatalogName> names;
  for (int row = 0; row < result.rows(); ++row) {
    names.push_back(
        {.schema = result.string(row, 0), .name = result.string(row, 1), .sql_name = result.string(row, 2)});
  }
  return names;
}

std::vector<CatalogName> read_unlogged_on_standby(Connection& connection, const TableFilter& filter) {
  const QueryResult result = query_by_default_path(
      connection,
      fmt::format("SELECT n.nspname, c.relname, pg_catalog.format('%I.%I', n.nspname, c.relname), "
                  "pg_catalog.pg_table_is_visible(c.oid) "
                  "FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace "
                  "WHERE c.relkind IN ('r', 'S') AND {} AND {} ORDER BY 1, 2",
                  kUnloggedOnStandby, kUserSchema));
  std::vector<CatalogName> names;
  for (int row = 0; row < result.rows(); ++row) {
    if (!filter.includes_rows(result.text(row, 0), result.text(row, 1), result.boolean(row, 3))) continue;
    names.push_back(
        {.schema = result.string(row, 0), .name = result.string(row, 1), .sql_name = result.string(row, 2)});
  }
  return names;
}

FilterMatch match(Connection& connection, const TableFilter& filter) {
  const QueryResult result = query_by_default_path(
      connection, fmt::format("SELECT n.nspname, c.relname, pg_catalog.pg_table_is_visible(c.oid) FROM "
                              "pg_catalog.pg_namespace AS n LEFT JOIN pg_catalog.pg_class AS c "
                              "ON c.relnamespace = n.oid AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') WHERE {}",
                              kUserSchema));
  FilterMatch match;
  std::vector<TableFilter::Relation> relations;
  std::set<std::string> schemas;
  for (int row = 0; row < result.rows(); ++row) {
    schemas.insert(result.string(row, 0));
    if (!filter.has_table_patterns()) match.chooses_something |= filter.includes_schema(result.text(row, 0));
    if (!filter.has_table_patterns() || result.is_null(row, 1)) continue;
    const TableFilter::Relation& relation = relations.emplace_back(TableFilter::Relation{
        .schema = result.string(row, 0), .name = result.string(row, 1), .visible = result.boolean(row, 2)});
    match.chooses_something |= filter.includes(relation.schema, relation.name, relation.visible);
  }
  match.unmatched = filter.unmatched(relations, schemas);
  return match;
}

std::vector<CatalogRole> read_roles(Connection& connection) {
  // pg_shdepend knows every role but the bootstrap superuser, which is found where owners, grants and policies stand.
  // More roles than the script names do no harm: a restore looks for each in its statements.
  const QueryResult result = connection.query(R"(
SELECT r.oid, r.rolname, bool_or(u.deptype = 'o'), bool_or(u.deptype = 'a'), bool_or(u.deptype = 'r')
FROM (
  SELECT d.refobjid AS role, d.deptype::text FROM pg_catalog.pg_shdepend AS d
  WHERE d.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass
    AND d.dbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
  UNION ALL SELECT relowner, 'o' FROM pg_catalog.pg_class WHERE oid >= 16384
  UNION ALL SELECT nspowner, 'o' FROM pg_catalog.pg_namespace WHERE oid >= 16384
  UNION ALL SELECT proowner, 'o' FROM pg_catalog.pg_proc WHERE oid >= 16384
  UNION ALL SELECT typowner, 'o' FROM pg_catalog.pg_type WHERE oid >= 16384
  UNION ALL SELECT lomowner, 'o' FROM pg_catalog.pg_largeobject_metadata
  UNION ALL SELECT pubowner, 'o' FROM pg_catalog.pg_publication
  UNION ALL SELECT fdwowner, 'o' FROM pg_catalog.pg_foreign_data_wrapper
  UNION ALL SELECT srvowner, 'o' FROM pg_catalog.pg_foreign_server
  UNION ALL SELECT evtowner, 'o' FROM pg_catalog.pg_event_trigger
  UNION ALL SELECT subowner, 'o' FROM pg_catalog.pg_subscription
  UNION ALL SELECT cfgowner, 'o' FROM pg_catalog.pg_ts_config WHERE oid >= 16384
  UNION ALL SELECT dictowner, 'o' FROM pg_catalog.pg_ts_dict WHERE oid >= 16384
  UNION ALL SELECT collowner, 'o' FROM pg_catalog.pg_collation WHERE oid >= 16384
  UNION ALL SELECT conowner, 'o' FROM pg_catalog.pg_conversion WHERE oid >= 16384
  UNION ALL SELECT oprowner, 'o' FROM pg_catalog.pg_operator WHERE oid >= 16384
  UNION ALL SELECT opcowner, 'o' FROM pg_catalog.pg_opclass WHERE oid >= 16384
  UNION ALL SELECT opfowner, 'o' FROM pg_catalog.pg_opfamily WHERE oid >= 16384
  UNION ALL SELECT stxowner, 'o' FROM pg_catalog.pg_statistic_ext
  UNION ALL SELECT umuser, 'a' FROM pg_catalog.pg_user_mappings
  UNION ALL SELECT pg_catalog.unnest(polroles), 'r' FROM pg_catalog.pg_policy
  UNION ALL SELECT defaclrole, 'a' FROM pg_catalog.pg_default_acl
  UNION ALL SELECT pg_catalog.unnest(ARRAY[g.grantee, g.grantor]), 'a' FROM (
    SELECT relacl AS acl FROM pg_catalog.pg_class WHERE oid >= 16384
    UNION ALL SELECT attacl FROM pg_catalog.pg_attribute WHERE attrelid >= 16384 AND attacl IS NOT NULL
    UNION ALL SELECT proacl FROM pg_catalog.pg_proc WHERE oid >= 16384
    UNION ALL SELECT typacl FROM pg_catalog.pg_type WHERE oid >= 16384
    UNION ALL SELECT nspacl FROM pg_catalog.pg_namespace WHERE oid >= 16384 OR nspname = 'public'
    UNION ALL SELECT lanacl FROM pg_catalog.pg_language WHERE oid >= 16384
    UNION ALL SELECT fdwacl FROM pg_catalog.pg_foreign_data_wrapper UNION ALL SELECT srvacl FROM pg_catalog.pg_foreign_server
    UNION ALL SELECT lomacl FROM pg_catalog.pg_largeobject_metadata UNION ALL SELECT defaclacl FROM pg_catalog.pg_default_acl
    ) AS a, pg_catalog.aclexplode(a.acl) AS g) AS u
JOIN pg_catalog.pg_roles AS r ON r.oid = u.role
WHERE r.rolname !~ '^pg_'
GROUP BY r.oid, r.rolname ORDER BY r.rolname COLLATE "C")");
  std::vector<CatalogRole> roles;
  for (int row = 0; row < result.rows(); ++row) {
    roles.push_back({.oid = result.oid(row, 0),
                     .name = result.string(row, 1),
                     .owns = result.boolean(row, 2),
                     .granted = result.boolean(row, 3),
                     .in_policy = result.boolean(row, 4)});
  }
  return roles;
}

std::vector<CatalogExtension> read_extensions(Connection& connection) {
  const QueryResult result = connection.query(
      "SELECT e.extname, e.extversion, n.nspname FROM pg_catalog.pg_extension AS e "
      "JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace WHERE e.oid >= 16384 ORDER BY 1");
  std::vector<CatalogExtension> extensions;
  for (int row = 0; row < result.rows(); ++row) {
    extensions.push_back(
        {.name = result.string(row, 0), .version = result.string(row, 1), .schema = result.string(row, 2)});
  }
  return extensions;
}

std::vector<CatalogConstraintIndex> read_constraint_indexes(Connection& connection) {
  // A partitioned table's constraint cannot be built on a finished index; one WITHOUT OVERLAPS (18) is no plain index.
  const QueryResult result = connection.query(fmt::format(
      R"(
SELECT k.conrelid, k.oid, pg_catalog.pg_get_indexdef(k.conindid),
       pg_catalog.format('ALTER TABLE ONLY %I.%I ADD CONSTRAINT %I %s USING INDEX %I%s%s', n.nspname, c.relname, k.conname,
         CASE k.contype WHEN 'p' THEN 'PRIMARY KEY' ELSE 'UNIQUE' END, i.relname,
         CASE WHEN k.condeferrable THEN ' DEFERRABLE' ELSE '' END,
         CASE WHEN k.condeferred THEN ' INITIALLY DEFERRED' ELSE '' END)
FROM pg_catalog.pg_constraint AS k
JOIN pg_catalog.pg_class AS c ON c.oid = k.conrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_class AS i ON i.oid = k.conindid
JOIN pg_catalog.pg_am AS m ON m.oid = i.relam
WHERE k.contype IN ('p', 'u') AND c.relkind = 'r' AND m.amname = 'btree' AND {}
ORDER BY k.oid)",
      kUserSchema));
  std::vector<CatalogConstraintIndex> indexes;
  for (int row = 0; row < result.rows(); ++row) {
    indexes.push_back({.table_oid = result.oid(row, 0),
                       .constraint_oid = result.oid(row, 1),
                       .create_index = result.string(row, 2),
                       .add_constraint = result.string(row, 3)});
  }
  return indexes;
}

}  // namespace pana
