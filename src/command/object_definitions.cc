#include "command/object_definitions.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <regex>
#include <string_view>

#include "pg/text_array.h"
#include "sql/schema_names.h"
#include "sql/sql_lexer.h"
#include "sql/table_adaptation.h"

namespace pana {
namespace {

constexpr std::uint32_t kRoutineCatalog = 1255;  // pg_proc

// As pg_dump writes it, up to where a longer text would go on.
constexpr const char* kDefinitions = R"(
SELECT o.catalog::oid::text, o.oid::text, o.parts, o.absent, o.without_defaults FROM (
  SELECT 'pg_catalog.pg_policy'::regclass AS catalog, p.oid, ARRAY[(SELECT pg_catalog.format(' ON %I.%I', n.nspname, c.relname) FROM pg_catalog.pg_class AS c
      JOIN pg_catalog.pg_namespace AS n ON n.oid = relnamespace WHERE c.oid = polrelid) || CASE WHEN polpermissive THEN '' ELSE ' AS RESTRICTIVE' END
    || CASE polcmd WHEN '*' THEN '' WHEN 'r' THEN ' FOR SELECT' WHEN 'a' THEN ' FOR INSERT' WHEN 'w' THEN ' FOR UPDATE' ELSE ' FOR DELETE' END
    || CASE WHEN polroles = '{0}' THEN '' ELSE ' TO ' || (SELECT string_agg(quote_ident(rolname), ', ') FROM pg_catalog.pg_roles WHERE oid = ANY (polroles)) END
    || coalesce(' USING (' || pg_catalog.pg_get_expr(polqual, polrelid) || ')', '')
    || coalesce(' WITH CHECK (' || pg_catalog.pg_get_expr(polwithcheck, polrelid) || ')', '') || ';'] AS parts, '{}'::text[] AS absent, '{}'::text[] AS without_defaults FROM pg_catalog.pg_policy AS p
  UNION ALL SELECT 'pg_catalog.pg_rewrite'::regclass, r.oid, ARRAY[CASE rulename WHEN '_RETURN' THEN pg_catalog.pg_get_viewdef(ev_class)
    ELSE pg_catalog.pg_get_ruledef(r.oid) END, CASE ev_enabled WHEN 'D' THEN ' DISABLE RULE ' WHEN 'A' THEN ' ENABLE ALWAYS RULE ' WHEN 'R' THEN ' ENABLE REPLICA RULE ' ELSE '' END],
    CASE ev_enabled WHEN 'O' THEN ARRAY[' DISABLE RULE ', ' ENABLE ALWAYS RULE ', ' ENABLE REPLICA RULE '] ELSE '{}' END, '{}' FROM pg_catalog.pg_rewrite AS r
  UNION ALL SELECT 'pg_catalog.pg_event_trigger'::regclass, t.oid, ARRAY[' ON ' || evtevent || coalesce(E'\n         WHEN TAG IN (' || (SELECT string_agg(quote_literal(tag), ', ' ORDER BY number) FROM pg_catalog.unnest(evttags) WITH ORDINALITY AS tags (tag, number)) || ')', '')
      || E'\n   EXECUTE FUNCTION ' || evtfoid::pg_catalog.regproc || '();', CASE evtenabled WHEN 'D' THEN ' DISABLE;' WHEN 'A' THEN ' ENABLE ALWAYS;' WHEN 'R' THEN ' ENABLE REPLICA;' ELSE '' END],
    CASE evtenabled WHEN 'O' THEN ARRAY[' DISABLE;', ' ENABLE ALWAYS;', ' ENABLE REPLICA;'] ELSE '{}' END, '{}' FROM pg_catalog.pg_event_trigger AS t
  UNION ALL SELECT 'pg_catalog.pg_trigger'::regclass, t.oid, ARRAY[CASE tgparentid WHEN 0 THEN pg_catalog.pg_get_triggerdef(t.oid, false) || ';' ELSE '' END, CASE tgenabled WHEN 'O' THEN CASE tgparentid WHEN 0 THEN '' ELSE ' ENABLE TRIGGER ' END WHEN 'D' THEN ' DISABLE TRIGGER ' WHEN 'R' THEN ' ENABLE REPLICA TRIGGER ' ELSE ' ENABLE ALWAYS TRIGGER ' END],
    CASE WHEN tgenabled = 'O' AND tgparentid = 0 THEN ARRAY['ABLE TRIGGER '] ELSE '{}' END, '{}' FROM pg_catalog.pg_trigger AS t WHERE NOT tgisinternal
  UNION ALL SELECT 'pg_catalog.pg_constraint'::regclass, c.oid, CASE WHEN EXISTS (SELECT FROM pg_catalog.pg_class AS i WHERE i.oid = conindid AND contype <> 'f' AND reloptions IS NOT NULL)
    THEN ARRAY[pg_catalog.regexp_replace(pg_catalog.pg_get_constraintdef(c.oid), ' DEFERRABLE.*$', ''), coalesce(pg_catalog.substring(pg_catalog.pg_get_constraintdef(c.oid), ' DEFERRABLE.*$'), '') || ';'] ELSE ARRAY[pg_catalog.pg_get_constraintdef(c.oid) || ';'] END, '{}', '{}' FROM pg_catalog.pg_constraint AS c
  UNION ALL SELECT 'pg_catalog.pg_class'::regclass, s.oid, ARRAY[' ADD GENERATED ' || CASE attidentity WHEN 'a' THEN 'ALWAYS' ELSE 'BY DEFAULT' END || ' AS IDENTITY ('], '{}', '{}' FROM pg_catalog.pg_class AS s
    JOIN pg_catalog.pg_depend AS d ON d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = s.oid AND d.deptype = 'i' JOIN pg_catalog.pg_attribute AS a ON attrelid = refobjid AND attnum = refobjsubid
    WHERE s.relkind = 'S' AND attidentity <> ''
  UNION ALL SELECT 'pg_catalog.pg_attrdef'::regclass, d.oid, ARRAY['SET DEFAULT ' || pg_catalog.pg_get_expr(d.adbin, d.adrelid) || ';'], '{}', '{}' FROM pg_catalog.pg_attrdef AS d
  UNION ALL SELECT 'pg_catalog.pg_type'::regclass, t.oid, ARRAY[E' (\n    ' || string_agg('''' || pg_catalog.replace(enumlabel, '''', '''''') || '''', E',\n    ' ORDER BY enumsortorder) || E'\n);'], '{}', '{}'
    FROM pg_catalog.pg_type AS t JOIN pg_catalog.pg_enum AS e ON e.enumtypid = t.oid GROUP BY t.oid
  UNION ALL SELECT 'pg_catalog.pg_type'::regclass, t.oid, ARRAY[' AS ' || pg_catalog.format_type(typbasetype, typtypmod)
      || CASE WHEN typcollation <> (SELECT b.typcollation FROM pg_catalog.pg_type AS b WHERE b.oid = t.typbasetype) THEN (SELECT pg_catalog.format(' COLLATE %I.%I', n.nspname, l.collname)
        FROM pg_catalog.pg_collation AS l JOIN pg_catalog.pg_namespace AS n ON n.oid = collnamespace WHERE l.oid = typcollation) ELSE '' END
      || CASE WHEN typnotnull THEN ' NOT NULL' ELSE '' END || coalesce(' DEFAULT ' || pg_catalog.pg_get_expr(typdefaultbin, 0), '')
      || coalesce((SELECT string_agg(pg_catalog.format(E'\n\tCONSTRAINT %I %s', conname, pg_catalog.pg_get_constraintdef(k.oid)), '' ORDER BY conname) FROM pg_catalog.pg_constraint AS k
        WHERE contypid = t.oid AND contype = 'c' AND convalidated), '') || ';'], '{}', '{}' FROM pg_catalog.pg_type AS t WHERE typtype = 'd'
  UNION ALL SELECT 'pg_catalog.pg_type'::regclass, t.oid, ARRAY[' AS (' || (SELECT coalesce(string_agg(pg_catalog.format(E'\n\t%I %s', attname, pg_catalog.format_type(atttypid, atttypmod))
      || CASE WHEN attcollation <> 0 AND attcollation <> (SELECT b.typcollation FROM pg_catalog.pg_type AS b WHERE b.oid = atttypid) THEN (SELECT pg_catalog.format(' COLLATE %I.%I', n.nspname, l.collname)
        FROM pg_catalog.pg_collation AS l JOIN pg_catalog.pg_namespace AS n ON n.oid = collnamespace WHERE l.oid = attcollation) ELSE '' END, ',' ORDER BY attnum), '')
      FROM pg_catalog.pg_attribute WHERE attrelid = typrelid AND NOT attisdropped) || E'\n);'], '{}', '{}' FROM pg_catalog.pg_type AS t JOIN pg_catalog.pg_class AS c ON c.oid = typrelid WHERE typtype = 'c' AND relkind = 'c'
  UNION ALL SELECT 'pg_catalog.pg_type'::regclass, t.oid, ARRAY['CREATE TYPE '], ARRAY['AS ENUM'], '{}' FROM pg_catalog.pg_type AS t WHERE typtype NOT IN ('e', 'd', 'c')
  UNION ALL SELECT 'pg_catalog.pg_class'::regclass, c.oid, ARRAY[pg_catalog.pg_get_indexdef(c.oid) || ';', CASE WHEN indisvalid OR relkind = 'I' THEN '' ELSE 'an index that is not valid' END], '{}', '{}' FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_index AS x ON x.indexrelid = c.oid
  UNION ALL SELECT 'pg_catalog.pg_class'::regclass, c.oid, ARRAY[pg_catalog.rtrim(pg_catalog.pg_get_viewdef(c.oid), ';') || CASE WHEN relkind = 'm' THEN E'\n  WITH NO DATA' WHEN reloptions::text LIKE '%check_option=local%' THEN E'\n  WITH LOCAL CHECK OPTION'
      WHEN reloptions::text LIKE '%check_option=cascaded%' THEN E'\n  WITH CASCADED CHECK OPTION' ELSE '' END || ';'] || (SELECT coalesce(array_agg(name || '=' || CASE quote_ident(value) WHEN value THEN value ELSE quote_literal(value) END), '{}')
      FROM (SELECT pg_catalog.split_part(option, '=', 1), pg_catalog.split_part(option, '=', 2) FROM pg_catalog.unnest(reloptions) AS option) AS options (name, value) WHERE name LIKE 'security_%'),
    (SELECT coalesce(array_agg(name), '{}') FROM pg_catalog.unnest(ARRAY['security_invoker', 'security_barrier']) AS name WHERE coalesce(reloptions::text, '') NOT LIKE '%' || name || '=%'), '{}' FROM pg_catalog.pg_class AS c WHERE relkind IN ('v', 'm')
  UNION ALL SELECT 'pg_catalog.pg_class'::regclass, c.oid, array_agg(line || standard || rest) || checks, '{}', array_agg(line || rest) || checks FROM (
    SELECT c.oid, pg_catalog.format(E'    %I %s', attname, pg_catalog.format_type(atttypid, atttypmod))
        || CASE attgenerated WHEN '' THEN '' ELSE ' GENERATED ALWAYS AS (' || pg_catalog.pg_get_expr(adbin, adrelid) || ')' || CASE attgenerated WHEN 's' THEN ' STORED' ELSE '' END END AS line,
      CASE WHEN attgenerated = '' THEN coalesce(' DEFAULT ' || pg_catalog.pg_get_expr(adbin, adrelid), '') ELSE '' END AS standard,
      CASE WHEN attnotnull AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint AS n
          WHERE conrelid = c.oid AND contype = 'n' AND conkey = ARRAY[attnum] AND NOT convalidated) THEN ' NOT NULL' || CASE WHEN EXISTS (SELECT FROM pg_catalog.pg_constraint AS n
          WHERE conrelid = c.oid AND contype = 'n' AND conkey = ARRAY[attnum] AND connoinherit) THEN ' NO INHERIT' ELSE '' END ELSE '' END
        || CASE WHEN attcollation <> 0 AND attcollation <> typcollation THEN (SELECT pg_catalog.format(' COLLATE %I.%I', n.nspname, l.collname)
             FROM pg_catalog.pg_collation AS l JOIN pg_catalog.pg_namespace AS n ON n.oid = collnamespace WHERE l.oid = attcollation) ELSE '' END AS rest,
      (SELECT coalesce(array_agg(pg_catalog.format(E'    CONSTRAINT %I %s', conname, pg_catalog.pg_get_constraintdef(n.oid))), '{}')
        FROM pg_catalog.pg_constraint AS n WHERE conrelid = c.oid AND contype = 'c' AND convalidated AND (conislocal OR c.relispartition)) AS checks
    FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND attnum > 0 AND NOT attisdropped
    JOIN pg_catalog.pg_type AS t ON t.oid = atttypid LEFT JOIN pg_catalog.pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = attnum
    WHERE relkind IN ('r', 'p') AND reloftype = 0 AND (attislocal OR relispartition)
  ) AS c GROUP BY c.oid, checks
) AS o WHERE o.oid >= 16384 AND NOT EXISTS (
  SELECT FROM pg_catalog.pg_depend AS d WHERE d.classid = o.catalog AND d.objid = o.oid AND d.deptype = 'e'))";

// Each routine's signature, its settings, and its body. With a place for what BEGIN ATOMIC begins, from 14 on.
constexpr const char* kRoutines = R"(
SELECT p.oid::text, ARRAY['(' || pg_catalog.pg_get_function_arguments(p.oid) || ')' || coalesce(' RETURNS ' || pg_catalog.pg_get_function_result(p.oid), '') || E'\n    LANGUAGE '
    || CASE WHEN protrftypes IS NOT NULL THEN '' ELSE quote_ident(lanname) || CASE prokind WHEN 'w' THEN ' WINDOW' ELSE '' END
    || CASE provolatile WHEN 'i' THEN ' IMMUTABLE' WHEN 's' THEN ' STABLE' ELSE '' END || CASE WHEN proisstrict THEN ' STRICT' ELSE '' END
    || CASE WHEN prosecdef THEN ' SECURITY DEFINER' ELSE '' END || CASE WHEN proleakproof THEN ' LEAKPROOF' ELSE '' END
    || CASE WHEN procost IN (0, CASE WHEN lanname IN ('internal', 'c') THEN 1 ELSE 100 END) THEN '' ELSE ' COST ' || procost END
    || CASE WHEN proretset AND prorows NOT IN (0, 1000) THEN ' ROWS ' || prorows ELSE '' END || CASE prosupport::oid WHEN 0 THEN '' ELSE ' SUPPORT ' || prosupport::regproc END
    || CASE proparallel WHEN 's' THEN ' PARALLEL SAFE' WHEN 'r' THEN ' PARALLEL RESTRICTED' ELSE '' END || E'\n' END]
  || (SELECT coalesce(array_agg(E'\n    SET ' || quote_ident(name) || ' TO ' || CASE WHEN name IN ('search_path', 'temp_tablespaces', 'local_preload_libraries', 'session_preload_libraries', 'shared_preload_libraries', 'unix_socket_directories')
      THEN (SELECT string_agg('''' || pg_catalog.replace(CASE WHEN part[1] LIKE '"%' THEN pg_catalog.replace(pg_catalog.substr(part[1], 2, length(part[1]) - 2), '""', '"') ELSE part[1] END, '''', '''''') || '''', ', ' ORDER BY number)
        FROM pg_catalog.regexp_matches(value, '"(?:[^"]|"")*"|[^, ]+', 'g') WITH ORDINALITY AS list (part, number)) ELSE '''' || pg_catalog.replace(value, '''', '''''') || '''' END || E'\n'), '{{}}')
    FROM (SELECT pg_catalog.split_part(setting, '=', 1), pg_catalog.substr(setting, pg_catalog.strpos(setting, '=') + 1) FROM pg_catalog.unnest(proconfig) AS setting) AS settings (name, value)),
CASE WHEN {0} IS NOT NULL THEN {0} || ';' WHEN probin IS NULL THEN '$' || prosrc || '$' ELSE prosrc END
FROM pg_catalog.pg_proc AS p JOIN pg_catalog.pg_language AS l ON l.oid = prolang WHERE prokind IN ('f', 'p', 'w') AND p.oid >= 16384 AND NOT EXISTS (
SELECT FROM pg_catalog.pg_depend AS d WHERE d.classid = 'pg_catalog.pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'))";

constexpr const char* kTables = R"(
SELECT c.oid::text, ARRAY[CASE relpersistence WHEN 'u' THEN 'CREATE UNLOGGED TABLE ' ELSE 'CREATE TABLE ' END, CASE relkind WHEN 'p' THEN E'\nPARTITION BY ' || pg_catalog.pg_get_partkeydef(c.oid) ELSE '' END],
  CASE relkind WHEN 'p' THEN '{}' ELSE ARRAY[E'\nPARTITION BY '] END FROM pg_catalog.pg_class AS c WHERE relkind IN ('r', 'p') AND c.oid >= 16384)";

}  // namespace

std::map<ObjectId, ObjectDefinition> read_object_definitions(Connection& connection) {
  std::map<ObjectId, ObjectDefinition> definitions;
  const QueryResult found = connection.query(kDefinitions);
  for (int row = 0; row < found.rows(); ++row) {
    definitions[{.catalog = found.oid(row, 0), .oid = found.oid(row, 1)}] = {
        .parts = parse_text_array(found.text(row, 2)),
        .clauses = {},
        .absent = parse_text_array(found.text(row, 3)),
        .without_defaults = parse_text_array(found.text(row, 4))};
  }
  const QueryResult routines = connection.query(fmt::format(
      kRoutines, connection.server_version() >= 140000 ? "pg_catalog.pg_get_function_sqlbody(p.oid)" : "NULL"));
  for (int row = 0; row < routines.rows(); ++row) {
    definitions[{.catalog = kRoutineCatalog, .oid = routines.oid(row, 0)}] = {
        .parts = parse_text_array(routines.text(row, 1)),
        .clauses = {routines.string(row, 2)},
        .absent = {},
        .without_defaults = {}};
  }
  const QueryResult tables = connection.query(kTables);
  for (int row = 0; row < tables.rows(); ++row) {
    const auto table = definitions.find({.catalog = kRelationCatalog, .oid = tables.oid(row, 0)});
    if (table == definitions.end()) continue;
    table->second.clauses = parse_text_array(tables.text(row, 1));
    table->second.absent = parse_text_array(tables.text(row, 2));
  }
  return definitions;
}

namespace {

// CREATE FUNCTION up to its body, of whatever language.
std::string_view head_of_routine(std::string_view sql) {
  std::size_t end = sql.size();
  for (const std::string_view body : {"\n    AS ", "\n    BEGIN ATOMIC", "\n    RETURN "})
    end = std::min(end, sql.find(body));
  return sql.substr(0, end + 1);
}

std::size_t count_of(std::string_view text, std::string_view part) {
  std::size_t count = 0;
  for (std::size_t place = text.find(part); place != std::string_view::npos; place = text.find(part, place + 1))
    ++count;
  return count;
}

}  // namespace

bool has_parts(const std::string& sql, const ObjectDefinition& definition) {
  const bool is_routine = !definition.clauses.empty();
  const std::string_view head = is_routine ? head_of_routine(sql) : sql;
  const auto stands_there = [&head](const std::string& part) { return head.find(part) != std::string_view::npos; };
  const auto stands_in_all = [&sql](const std::string& part) { return sql.find(part) != std::string::npos; };
  // The first of a routine's is its signature, the others are its settings.
  if (is_routine && count_of(head, "\n    SET ") != definition.parts.size() - 1) return false;
  return std::ranges::all_of(definition.parts, stands_there) && std::ranges::none_of(definition.absent, stands_there) &&
         std::ranges::all_of(definition.clauses, stands_in_all);
}

bool has_lines(const std::string& sql, const ObjectDefinition& table, const std::set<std::string>& separate_defaults) {
  const auto stands_there = [&sql](const std::string& part) { return sql.find(part) != std::string::npos; };
  if (!std::ranges::all_of(table.clauses, stands_there) || std::ranges::any_of(table.absent, stands_there))
    return false;
  std::multiset<std::string> wanted;
  for (const std::string_view element : elements_of_table(sql)) {
    // From 18 on NOT NULL has a name, which is written where it is not the one that the server would choose. A
    // partition's DEFAULT NULL stands in place of its parent's.
    static const std::regex kNamed(R"( CONSTRAINT ("([^"]|"")*"|\S+) NOT NULL( NO INHERIT)?$)");
    static const std::regex kNoDefault(" DEFAULT NULL( NOT NULL)?$");
    const std::string line = std::regex_replace("    " + std::string(element), kNamed, " NOT NULL$3");
    wanted.insert(std::regex_replace(line, kNoDefault, "$1"));
  }
  std::multiset<std::string> present;
  for (std::size_t i = 0; i < table.parts.size(); ++i) {
    const std::string& without = table.without_defaults.at(i);
    const std::optional<std::string> column =
        without == table.parts[i] ? std::nullopt : parse_simple_name(SqlLexemes(without).qualified_name());
    present.insert(column && separate_defaults.contains(*column) ? without : table.parts[i]);
  }
  return wanted == present;
}

}  // namespace pana
