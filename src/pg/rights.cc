#include "pg/rights.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "pg/sequences.h"

namespace pana {
namespace {

// has_largeobject_privilege() is there from PostgreSQL 18 on only.
std::vector<LargeObjectId> unreadable_large_objects(Connection& connection) {
  const QueryResult result = connection.query(R"(
SELECT m.oid FROM pg_catalog.pg_largeobject_metadata AS m
WHERE NOT (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user)
  AND NOT pg_catalog.current_setting('lo_compat_privileges')::bool
  AND NOT pg_catalog.pg_has_role(m.lomowner, 'USAGE')
  AND NOT EXISTS (SELECT FROM pg_catalog.aclexplode(m.lomacl) AS g
                  WHERE g.privilege_type = 'SELECT' AND (g.grantee = 0 OR pg_catalog.pg_has_role(g.grantee, 'USAGE')))
ORDER BY m.oid)");
  std::vector<LargeObjectId> ids;
  for (int row = 0; row < result.rows(); ++row) ids.push_back(result.oid(row, 0));
  return ids;
}

// As many as a sentence can hold.
constexpr std::size_t kNamedLargeObjects = 20;

std::string sql_list(const std::vector<CatalogName>& names) {
  std::string list;
  for (const CatalogName& name : names) list += (list.empty() ? "" : ", ") + name.sql_name;
  return list;
}

void add_schema(std::vector<CatalogName>& schemas, Connection& connection, const std::string& schema) {
  const auto is_it = [&schema](const CatalogName& known) { return known.schema == schema; };
  if (std::none_of(schemas.begin(), schemas.end(), is_it)) {
    schemas.push_back({.schema = schema, .name = {}, .sql_name = connection.quote_identifier(schema)});
  }
}

// As psql and pg_dump take a name that is to be matched as it is.
std::string exact_pattern(const CatalogName& name) {
  const auto quoted = [](std::string_view text) {
    std::string pattern = "\"";
    for (const char c : text) pattern.append(c == '"' ? 2 : 1, c);
    return pattern + "\"";
  };
  return quoted(name.schema) + "." + quoted(name.name);
}

}  // namespace

bool Unreadable::has_relations() const { return !tables.empty() || !hidden.empty() || !sequences.empty(); }

bool Unreadable::empty() const { return schemas.empty() && !has_relations() && large_objects.empty(); }

std::string name_of(LargeObjectId large_object) { return fmt::format("large object {}", large_object); }

std::vector<std::string> Unreadable::names() const {
  std::vector<std::string> all;
  const auto add = [&all](std::string_view kind, const std::vector<CatalogName>& names) {
    for (const CatalogName& name : names) all.push_back(fmt::format("{} {}", kind, name.sql_name));
  };
  add("table", tables);
  add("rows of table", hidden);
  add("value of sequence", sequences);
  for (const LargeObjectId id : large_objects) all.push_back(name_of(id));
  return all;
}

std::string Unreadable::list() const {
  std::vector<std::string> all = names();
  if (large_objects.size() <= kNamedLargeObjects) return fmt::format("{}", fmt::join(all, ", "));
  const std::size_t more = large_objects.size() - kNamedLargeObjects;
  all.resize(all.size() - more);
  return fmt::format("{} and {} more", fmt::join(all, ", "), more);
}

Unreadable find_unreadable(Connection& connection, const std::vector<CatalogTable>& tables,
                           const std::vector<CatalogDefinition>& definitions, const TableFilter& filter) {
  Unreadable unreadable;
  for (const CatalogTable& table : tables) {
    const CatalogName name{.schema = table.schema, .name = table.name, .sql_name = table.sql_name};
    if (!table.in_usable_schema) add_schema(unreadable.schemas, connection, table.schema);
    if (!table.readable || !table.in_usable_schema) {
      unreadable.tables.push_back(name);
    } else if (table.hides_rows) {
      unreadable.hidden.push_back(name);
    }
  }
  for (const CatalogDefinition& table : definitions) {
    if (!table.in_usable_schema) add_schema(unreadable.schemas, connection, table.name.schema);
    if (!table.readable || !table.in_usable_schema) unreadable.tables.push_back(table.name);
  }
  for (const CatalogSequence& sequence : read_sequences(connection, filter)) {
    if (!sequence.in_usable_schema) add_schema(unreadable.schemas, connection, sequence.name.schema);
    if (!sequence.readable || !sequence.in_usable_schema) unreadable.sequences.push_back(sequence.name);
  }
  if (filter.includes_everything()) unreadable.large_objects = unreadable_large_objects(connection);
  return unreadable;
}

void refuse_unreadable(Connection& connection, const Unreadable& unreadable, const WayAround& way_around) {
  if (unreadable.empty()) return;
  const std::string role = connection.query("SELECT pg_catalog.quote_ident(current_user)").string(0, 0);
  std::string grants;
  const auto grant = [&](std::string_view what, const std::string& list) {
    if (!list.empty()) grants += fmt::format(" GRANT {} {} TO {};", what, list, role);
  };
  grant("USAGE ON SCHEMA", sql_list(unreadable.schemas));
  grant("SELECT ON TABLE", sql_list(unreadable.tables));
  grant("SELECT ON SEQUENCE", sql_list(unreadable.sequences));
  if (unreadable.large_objects.size() <= kNamedLargeObjects) {
    grant("SELECT ON LARGE OBJECT", fmt::format("{}", fmt::join(unreadable.large_objects, ", ")));
  } else {
    grants += fmt::format(
        " SELECT pg_catalog.format('GRANT SELECT ON LARGE OBJECT %s TO %I', oid, {}) FROM "
        "pg_catalog.pg_largeobject_metadata \\gexec (in psql);",
        connection.quote_literal(connection.query("SELECT current_user").text(0, 0)));
  }
  std::string hint = grants.empty() ? "" : "have their owner run:" + grants;
  if (!unreadable.hidden.empty()) {
    hint += fmt::format(
        "{}row level security hides rows from all but roles with BYPASSRLS and the owner (unless it is forced): "
        "ALTER ROLE {} BYPASSRLS;",
        hint.empty() ? "" : " ", role);
  }
  const std::string& without = unreadable.has_relations() ? way_around.relations : way_around.large_objects;
  throw Error(ErrorKind::refused, fmt::format("no permission to read: {}", unreadable.list()),
              hint + (without.empty() ? "" : " or ") + without);
}

std::vector<std::string> find_kept_from_us(Connection& connection, const TableFilter& filter) {
  if (!filter.includes_everything()) return {};
  // The conditions are those of pg_dump and of the view pg_user_mappings.
  const QueryResult result = connection.query(R"(
SELECT 'subscription ' || pg_catalog.quote_ident(subname) FROM pg_catalog.pg_subscription
WHERE subdbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
  AND NOT (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user)
UNION ALL
SELECT pg_catalog.format('options of the user mapping of %s for %I', CASE WHEN m.umuser = 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(m.usename) END, m.srvname)
FROM pg_catalog.pg_user_mappings AS m JOIN pg_catalog.pg_foreign_server AS s ON s.oid = m.srvid
WHERE m.umoptions IS NULL AND NOT (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user)
  AND NOT CASE WHEN m.umuser = 0 THEN pg_catalog.pg_has_role(s.srvowner, 'USAGE')
               ELSE m.usename = current_user AND (pg_catalog.pg_has_role(s.srvowner, 'USAGE') OR pg_catalog.has_server_privilege(s.oid, 'USAGE')) END
ORDER BY 1)");
  std::vector<std::string> names;
  for (int row = 0; row < result.rows(); ++row) names.push_back(result.string(row, 0));
  return names;
}

TableFilter leave_out(const TableFilter& filter, const Unreadable& unreadable) {
  TableFilter::Patterns patterns = filter.patterns();
  for (const CatalogName& table : unreadable.tables) patterns.exclude_tables.push_back(exact_pattern(table));
  for (const CatalogName& table : unreadable.hidden) patterns.exclude_table_data.push_back(exact_pattern(table));
  for (const CatalogName& sequence : unreadable.sequences)
    patterns.exclude_table_data.push_back(exact_pattern(sequence));
  return TableFilter(std::move(patterns));
}

}  // namespace pana
