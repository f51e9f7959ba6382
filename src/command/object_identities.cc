#include "command/object_identities.h"

#include <fmt/format.h>

#include <map>
#include <string>

#include "pg/text_array.h"

namespace pana {
namespace {

// Every catalog whose objects pg_dump gives an entry with an OID; not large objects, which have no names, nor user
// mappings, which only superusers may read. What belongs to another object without an entry of its own (row types,
// types of arrays, TOAST tables, indexes behind keys, checks that stand in their table, the triggers of foreign keys)
// is left out, and what is of a session alone.
std::string all_objects(const Connection& connection) {
  std::string sql = R"(
SELECT 'pg_class'::regclass AS catalog, oid, relowner AS owner, relacl AS acl, CASE relkind WHEN 'S' THEN 's' ELSE 'r' END::"char" AS kind
FROM pg_class AS c WHERE relkind NOT IN ('t', 'c') AND relpersistence <> 't' AND (relkind NOT IN ('i', 'I') OR (relnamespace <> 99
  AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = c.oid AND contype IN ('p', 'u', 'x'))))
UNION ALL SELECT 'pg_constraint'::regclass, oid, NULL, NULL, NULL FROM pg_constraint
WHERE contype IN ('p', 'u', 'x', 'f') OR (contype IN ('c', 'n') AND NOT convalidated AND coninhcount = 0)
UNION ALL SELECT 'pg_proc'::regclass, oid, proowner, proacl, 'f' FROM pg_proc
UNION ALL SELECT 'pg_type'::regclass, oid, typowner, typacl, 'T' FROM pg_type AS t WHERE NOT EXISTS (SELECT FROM pg_type AS e WHERE e.typarray = t.oid)
  AND (typrelid = 0 OR EXISTS (SELECT FROM pg_class AS c WHERE c.oid = t.typrelid AND c.relkind = 'c'))
UNION ALL SELECT 'pg_namespace'::regclass, oid, nspowner, nspacl, 'n' FROM pg_namespace WHERE nspname !~ '^pg_(toast|temp)'
UNION ALL SELECT 'pg_language'::regclass, oid, lanowner, lanacl, 'l' FROM pg_language
UNION ALL SELECT 'pg_foreign_data_wrapper'::regclass, oid, fdwowner, fdwacl, 'F' FROM pg_foreign_data_wrapper
UNION ALL SELECT 'pg_foreign_server'::regclass, oid, srvowner, srvacl, 'S' FROM pg_foreign_server
UNION ALL SELECT 'pg_default_acl'::regclass, oid, defaclrole, defaclacl, NULL FROM pg_default_acl
UNION ALL SELECT 'pg_trigger'::regclass, oid, NULL, NULL, NULL FROM pg_trigger WHERE NOT tgisinternal)";
  const auto add = [&sql](std::string_view catalog, std::string_view owner = "NULL") {
    sql += fmt::format("\nUNION ALL SELECT '{0}'::regclass, oid, {1}, NULL, NULL FROM {0}", catalog, owner);
  };
  for (const char* const catalog : {"pg_attrdef", "pg_policy", "pg_rewrite", "pg_cast", "pg_am", "pg_publication_rel",
                                    "pg_transform", "pg_ts_parser", "pg_ts_template"}) {
    add(catalog);
  }
  add("pg_extension", "extowner");
  add("pg_collation", "collowner");
  add("pg_conversion", "conowner");
  add("pg_operator", "oprowner");
  add("pg_opclass", "opcowner");
  add("pg_opfamily", "opfowner");
  add("pg_publication", "pubowner");
  add("pg_event_trigger", "evtowner");
  add("pg_statistic_ext", "stxowner");
  add("pg_ts_config", "cfgowner");
  add("pg_ts_dict", "dictowner");
  // Before 14 only superusers may read their OIDs.
  if (connection.server_version() >= 140000) {
    add("pg_subscription", "subowner");
    sql += " WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())";
  }
  if (connection.server_version() >= 150000) add("pg_publication_namespace");
  return sql;
}

// By the relation's OID, where a column has rights of its own.
std::map<std::uint32_t, std::vector<ColumnRights>> read_column_rights(Connection& connection) {
  const QueryResult found = connection.query(
      "SELECT attrelid::text, attname, attacl::text[] FROM pg_catalog.pg_attribute "
      "WHERE attacl IS NOT NULL AND NOT attisdropped AND attnum > 0 AND attrelid >= 16384 ORDER BY attrelid, attnum");
  std::map<std::uint32_t, std::vector<ColumnRights>> columns;
  for (int row = 0; row < found.rows(); ++row) {
    columns[static_cast<std::uint32_t>(found.integer(row, 0))].push_back(
        {.column = found.string(row, 1), .rights = parse_text_array(found.text(row, 2))});
  }
  return columns;
}

// `which` is a condition for o and the extension e that it is a member of; `acl` what counts as the object's rights.
std::vector<DatabaseObject> read_objects(Connection& connection, std::string_view which, std::string_view acl) {
  // The names are looked up only for what is wanted: OFFSET keeps the two apart. What was dropped meanwhile has none.
  const QueryResult found = connection.query(
      fmt::format("SELECT o.catalog::oid::text, o.oid::text, a.type, a.object_names, a.object_args, "
                  "CASE WHEN o.owner IS NOT NULL THEN pg_get_userbyid(o.owner) END, o.extname, o.rights::text[] "
                  "FROM (SELECT o.catalog, o.oid, o.owner, e.extname, {} AS rights FROM ({}) AS o "
                  "LEFT JOIN pg_depend AS d ON d.classid = o.catalog AND d.objid = o.oid AND d.objsubid = 0 AND "
                  "d.deptype = 'e' LEFT JOIN pg_extension AS e ON e.oid = d.refobjid WHERE {} OFFSET 0) AS o "
                  "CROSS JOIN LATERAL pg_identify_object_as_address(o.catalog, o.oid, 0) AS a "
                  "WHERE a.type IS NOT NULL ORDER BY o.catalog::oid, o.oid",
                  acl, all_objects(connection), which));
  std::map<std::uint32_t, std::vector<ColumnRights>> columns = read_column_rights(connection);
  std::vector<DatabaseObject> objects;
  for (int row = 0; row < found.rows(); ++row) {
    DatabaseObject object{.id = {.catalog = static_cast<std::uint32_t>(found.integer(row, 0)),
                                 .oid = static_cast<std::uint32_t>(found.integer(row, 1))},
                          .address = {.type = found.string(row, 2),
                                      .names = parse_text_array(found.text(row, 3)),
                                      .arguments = parse_text_array(found.text(row, 4))},
                          .owner = found.string(row, 5),
                          .extension = found.string(row, 6),
                          .rights = {},
                          .column_rights = {}};
    if (!found.is_null(row, 7)) object.rights = parse_text_array(found.text(row, 7));
    if (object.id.catalog == kRelationCatalog) object.column_rights = std::move(columns[object.id.oid]);
    objects.push_back(std::move(object));
  }
  return objects;
}

}  // namespace

std::vector<DatabaseObject> read_identities(Connection& connection, std::string_view encoding,
                                            const std::set<ObjectId>& wanted) {
  std::string catalogs;
  std::string oids;
  for (const ObjectId& id : wanted) {
    const std::string_view separator = catalogs.empty() ? "" : ",";
    catalogs += fmt::format("{}{}", separator, id.catalog);
    oids += fmt::format("{}{}", separator, id.oid);
  }
  std::vector<DatabaseObject> objects = read_objects(
      connection,
      fmt::format("(e.oid IS NOT NULL AND (o.acl IS NOT NULL OR (o.catalog = 'pg_class'::regclass AND o.oid = "
                  "ANY (e.extconfig)))) OR (o.catalog = 'pg_namespace'::regclass AND "
                  "o.oid = 2200) OR (o.catalog::oid, o.oid) IN (SELECT c, i FROM "
                  "unnest('{{{}}}'::oid[], '{{{}}}'::oid[]) AS w (c, i))",
                  catalogs, oids),
      "o.acl");
  make_unicode(connection, encoding, texts_of(objects));
  return objects;
}

std::vector<DatabaseObject> read_present_objects(Connection& connection) {
  return read_objects(connection, "o.oid >= 16384 OR (o.catalog = 'pg_namespace'::regclass AND o.oid = 2200)",
                      "coalesce(o.acl, CASE WHEN o.kind IS NOT NULL THEN acldefault(o.kind, o.owner) END)");
}

}  // namespace pana
