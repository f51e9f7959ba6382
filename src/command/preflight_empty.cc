#include "command/preflight_empty.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/human.h"
#include "command/restore_large_objects.h"
#include "sql/schema_names.h"
#include "sql/sql_lexer.h"

namespace pana {
namespace {

// Not what extensions made, nor what belongs to something else: row types, types of arrays, indexes.
constexpr const char* kUserObjects = R"(
SELECT kind || ' ' || pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(name), n.nspname, name,
  o.catalog = 'pg_catalog.pg_class'::pg_catalog.regclass
FROM (
  SELECT CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'S' THEN 'sequence'
              WHEN 'f' THEN 'foreign table' ELSE 'table' END AS kind, c.relnamespace AS schema, c.relname AS name,
         c.oid, 'pg_catalog.pg_class'::pg_catalog.regclass AS catalog
  FROM pg_catalog.pg_class AS c WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
  UNION ALL SELECT 'function', pronamespace, proname, oid, 'pg_catalog.pg_proc'::pg_catalog.regclass FROM pg_catalog.pg_proc
  UNION ALL SELECT 'type', typnamespace, typname, oid, 'pg_catalog.pg_type'::pg_catalog.regclass FROM pg_catalog.pg_type
  UNION ALL SELECT 'collation', collnamespace, collname, oid, 'pg_catalog.pg_collation'::pg_catalog.regclass FROM pg_catalog.pg_collation
  UNION ALL SELECT 'conversion', connamespace, conname, oid, 'pg_catalog.pg_conversion'::pg_catalog.regclass FROM pg_catalog.pg_conversion
  UNION ALL SELECT 'operator', oprnamespace, oprname, oid, 'pg_catalog.pg_operator'::pg_catalog.regclass FROM pg_catalog.pg_operator
  UNION ALL SELECT 'operator class', opcnamespace, opcname, oid, 'pg_catalog.pg_opclass'::pg_catalog.regclass FROM pg_catalog.pg_opclass
  UNION ALL SELECT 'operator family', opfnamespace, opfname, oid, 'pg_catalog.pg_opfamily'::pg_catalog.regclass FROM pg_catalog.pg_opfamily
  UNION ALL SELECT 'statistics', stxnamespace, stxname, oid, 'pg_catalog.pg_statistic_ext'::pg_catalog.regclass FROM pg_catalog.pg_statistic_ext
  UNION ALL SELECT 'text search configuration', cfgnamespace, cfgname, oid, 'pg_catalog.pg_ts_config'::pg_catalog.regclass FROM pg_catalog.pg_ts_config
  UNION ALL SELECT 'text search dictionary', dictnamespace, dictname, oid, 'pg_catalog.pg_ts_dict'::pg_catalog.regclass FROM pg_catalog.pg_ts_dict
  UNION ALL SELECT 'text search parser', prsnamespace, prsname, oid, 'pg_catalog.pg_ts_parser'::pg_catalog.regclass FROM pg_catalog.pg_ts_parser
  UNION ALL SELECT 'text search template', tmplnamespace, tmplname, oid, 'pg_catalog.pg_ts_template'::pg_catalog.regclass FROM pg_catalog.pg_ts_template
) AS o
JOIN pg_catalog.pg_namespace AS n ON n.oid = o.schema
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS d
                  WHERE d.classid = o.catalog AND d.objid = o.oid AND d.deptype IN ('e', 'i'))
ORDER BY 1)";

// What has a name of its own in the whole database.
struct Kind {
  std::string_view type;     // of a SchemaObject
  std::string_view objects;  // the catalog, without what is of other databases
  std::string_view column;
  std::string_view words;
};

constexpr std::array kKindsWithoutSchema = {
    Kind{"PUBLICATION", "pg_publication", "pubname", "publication"},
    Kind{"SUBSCRIPTION",
         "pg_subscription AS s JOIN pg_catalog.pg_database AS d ON d.oid = s.subdbid AND d.datname = "
         "pg_catalog.current_database()",
         "subname", "subscription"},
    Kind{"FOREIGN DATA WRAPPER", "pg_foreign_data_wrapper", "fdwname", "foreign-data wrapper"},
    Kind{"SERVER", "pg_foreign_server", "srvname", "foreign server"},
    Kind{"EVENT TRIGGER", "pg_event_trigger", "evtname", "event trigger"},
    Kind{"ACCESS METHOD", "pg_am", "amname", "access method"}};

std::vector<std::string> taken_names(Connection& connection, const RestoreSelection& selection) {
  std::vector<std::string> taken;
  for (const std::vector<SchemaObject>* const objects : {&selection.pre_data, &selection.post_data}) {
    for (const SchemaObject& object : *objects) {
      const auto kind = std::ranges::find(kKindsWithoutSchema, object.type, &Kind::type);
      if (kind == kKindsWithoutSchema.end() || !has_named(connection, kind->objects, kind->column, object.name))
        continue;
      taken.push_back(fmt::format("{} {}", kind->words, object.name));
    }
  }
  return taken;
}

// CREATE EXTENSION IF NOT EXISTS leaves one that is there where it is.
void check_schemas_of_extensions(Connection& connection, const RestoreSelection& selection, Problems& problems) {
  for (const SchemaObject& object : selection.pre_data) {
    if (object.type != "EXTENSION" || object.statements.empty()) continue;
    SqlLexemes lexemes(object.statements.front().sql);
    lexemes.skip({"CREATE", "EXTENSION", "IF", "NOT", "EXISTS"});
    lexemes.next();
    if (!lexemes.skip({"WITH", "SCHEMA"})) continue;
    const std::vector<std::string> wanted = parse_name(lexemes.qualified_name());
    const QueryResult found = connection.query(
        fmt::format("SELECT n.nspname FROM pg_catalog.pg_extension AS e JOIN pg_catalog.pg_namespace AS n "
                    "ON n.oid = e.extnamespace WHERE e.extname = {}",
                    connection.quote_literal(object.name)));
    if (wanted.size() != 1 || found.rows() == 0 || found.text(0, 0) == wanted[0]) continue;
    problems.add(fmt::format("the target has the extension {} in the schema {}, the backup in {}", object.name,
                             found.text(0, 0), wanted[0]),
                 "move it by ALTER EXTENSION ... SET SCHEMA, or drop it: the restore makes it; where nothing names its "
                 "schema, --exclude-extension leaves it as it is");
  }
}

}  // namespace

void check_empty(Connection& connection, const RestoreRequest& request, const RestoreSelection& selection,
                 Problems& problems) {
  if (request.clean) return;
  check_schemas_of_extensions(connection, selection, problems);
  if (request.allow_non_empty || request.reconcile) {
    const std::size_t count = request.keep_going ? 0 : count_present_large_objects(connection, selection);
    if (count > 0)
      problems.add(fmt::format("{} of the backup's large objects are in the target already", count),
                   request.reconcile ? "--keep-going leaves them alone"
                                     : "say --clean to replace them, or --keep-going to leave them alone");
    return;
  }
  std::vector<std::string> in_the_way;
  const QueryResult objects = connection.query(kUserObjects);
  for (int row = 0; row < objects.rows(); ++row) {
    const bool counts =
        request.filter.has_table_patterns()
            ? objects.boolean(row, 3) && request.filter.includes(objects.text(row, 1), objects.text(row, 2))
            : request.filter.includes_schema(objects.text(row, 1));
    if (counts) in_the_way.push_back(objects.string(row, 0));
  }
  for (std::string& name : taken_names(connection, selection)) in_the_way.push_back(std::move(name));
  if (selection.table_ids.contains(kLargeObjects)) {
    const std::int64_t count =
        connection.query("SELECT pg_catalog.count(*) FROM pg_catalog.pg_largeobject_metadata").integer(0, 0);
    if (count > 0) in_the_way.push_back(counted(static_cast<std::uint64_t>(count), "large object"));
  }
  if (in_the_way.empty()) return;
  const bool can_be_beside = count_present_large_objects(connection, selection) == 0;
  problems.add(
      fmt::format("the target is not empty: it holds {}", list_names(in_the_way)),
      fmt::format("restore into a new database, or say --clean to drop what the backup makes, or --reconcile to "
                  "compare what is there and make what is missing{}",
                  can_be_beside ? ", or --allow-non-empty to restore beside it" : ""));
}

}  // namespace pana
