#include "command/backup_globals.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string>

#include "pg/text_array.h"

namespace pana {
namespace {

constexpr std::string_view kThisDatabase =
    "(SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())";

// The OIDs of the roles that belong to the backup, as "IN (10, 16384)".
std::string among_named(Connection& connection, const std::vector<CatalogRole>& named) {
  std::vector<std::uint32_t> oids;
  for (const CatalogRole& role : named) oids.push_back(role.oid);
  const QueryResult result = connection.query(fmt::format(
      R"(
WITH RECURSIVE named (oid) AS (
  SELECT pg_catalog.unnest(ARRAY[{0}]::oid[])
  UNION SELECT datdba FROM pg_catalog.pg_database WHERE oid = {1}
  UNION SELECT g.grantee FROM pg_catalog.pg_database, pg_catalog.aclexplode(datacl) AS g WHERE pg_database.oid = {1}
  UNION SELECT setrole FROM pg_catalog.pg_db_role_setting WHERE setdatabase = {1}),
members (oid) AS (
  SELECT oid FROM named
  UNION SELECT m.member FROM members AS r JOIN pg_catalog.pg_auth_members AS m ON m.roleid = r.oid
  JOIN pg_catalog.pg_roles AS g ON g.oid = m.roleid AND g.rolname !~ '^pg_'),
groups (oid) AS (
  SELECT oid FROM members
  UNION SELECT m.roleid FROM groups AS r JOIN pg_catalog.pg_auth_members AS m ON m.member = r.oid)
SELECT r.oid FROM pg_catalog.pg_roles AS r WHERE r.rolname !~ '^pg_' AND r.oid IN (SELECT oid FROM groups))",
      fmt::join(oids, ", "), kThisDatabase));
  std::string list;
  for (int row = 0; row < result.rows(); ++row) list += (row == 0 ? "" : ", ") + result.string(row, 0);
  return "IN (" + (list.empty() ? "0" : list) + ")";
}

// Below, `among` says which roles' OIDs count.
std::vector<RoleDefinition> read_definitions(Connection& connection, std::string_view among) {
  const QueryResult result = connection.query(fmt::format(
      "SELECT rolname, rolsuper, rolcreatedb, rolcreaterole, rolinherit, rolcanlogin, rolreplication, rolbypassrls, "
      "rolconnlimit, "
      "rolvaliduntil::text, pg_catalog.shobj_description(oid, 'pg_authid') FROM pg_catalog.pg_roles WHERE oid {} "
      "ORDER BY rolname COLLATE \"C\"",
      among));
  std::vector<RoleDefinition> roles;
  for (int row = 0; row < result.rows(); ++row) {
    roles.push_back({.name = result.string(row, 0),
                     .superuser = result.boolean(row, 1),
                     .createdb = result.boolean(row, 2),
                     .createrole = result.boolean(row, 3),
                     .inherit = result.boolean(row, 4),
                     .login = result.boolean(row, 5),
                     .replication = result.boolean(row, 6),
                     .bypassrls = result.boolean(row, 7),
                     .connection_limit = static_cast<int>(result.integer(row, 8)),
                     .valid_until = result.string(row, 9),
                     .comment = result.string(row, 10)});
  }
  return roles;
}

// The same membership can have several grantors; what counts is all of their options.
std::vector<RoleMembership> read_memberships(Connection& connection, std::string_view among) {
  const bool has_options = connection.server_version() >= 160000;
  const QueryResult result = connection.query(fmt::format(
      "SELECT r.rolname, u.rolname, pg_catalog.bool_or(m.admin_option), pg_catalog.bool_or({}), pg_catalog.bool_or({}) "
      "FROM pg_catalog.pg_auth_members AS m JOIN pg_catalog.pg_roles AS r ON r.oid = m.roleid JOIN pg_catalog.pg_roles "
      "AS u ON u.oid = m.member "
      "WHERE m.member {} AND (m.roleid {} OR r.rolname ~ '^pg_') "
      "GROUP BY 1, 2 ORDER BY r.rolname COLLATE \"C\", u.rolname COLLATE \"C\"",
      has_options ? "m.inherit_option" : "u.rolinherit", has_options ? "m.set_option" : "true", among, among));
  std::vector<RoleMembership> memberships;
  for (int row = 0; row < result.rows(); ++row) {
    memberships.push_back({.role = result.string(row, 0),
                           .member = result.string(row, 1),
                           .admin = result.boolean(row, 2),
                           .inherit = result.boolean(row, 3),
                           .set = result.boolean(row, 4)});
  }
  return memberships;
}

std::vector<RoleSetting> read_settings(Connection& connection, std::string_view among) {
  const QueryResult result = connection.query(
      fmt::format("SELECT r.rolname, s.setdatabase <> 0, p.setting FROM pg_catalog.pg_db_role_setting AS s "
                  "LEFT JOIN pg_catalog.pg_roles AS r ON r.oid = s.setrole CROSS JOIN LATERAL "
                  "pg_catalog.unnest(s.setconfig) AS p (setting) "
                  "WHERE (s.setdatabase = {} AND (s.setrole = 0 OR r.oid IS NOT NULL)) OR (s.setdatabase = 0 AND "
                  "s.setrole <> 0 AND s.setrole {}) "
                  "ORDER BY r.rolname COLLATE \"C\" NULLS FIRST, 2, p.setting COLLATE \"C\"",
                  kThisDatabase, among));
  std::vector<RoleSetting> settings;
  for (int row = 0; row < result.rows(); ++row) {
    const std::string_view setting = result.text(row, 2);
    const std::size_t sign = setting.find('=');
    if (sign == std::string_view::npos) continue;  // the server writes none without
    settings.push_back({.role = result.string(row, 0),
                        .in_database = result.boolean(row, 1),
                        .name = std::string(setting.substr(0, sign)),
                        .value = std::string(setting.substr(sign + 1))});
  }
  return settings;
}

Globals read_among(Connection& connection, std::string_view among) {
  const QueryResult database =
      connection.query(fmt::format("SELECT r.rolname, pg_catalog.shobj_description(d.oid, 'pg_database'), "
                                   "d.datconnlimit FROM pg_catalog.pg_database AS d "
                                   "LEFT JOIN pg_catalog.pg_roles AS r ON r.oid = d.datdba WHERE d.oid = {}",
                                   kThisDatabase));
  return {.owner = database.string(0, 0),
          .comment = database.string(0, 1),
          .connection_limit = static_cast<int>(database.integer(0, 2)),
          .grants = read_database_grants(connection),
          .settings = read_settings(connection, among),
          .roles = read_definitions(connection, among),
          .memberships = read_memberships(connection, among)};
}

}  // namespace

std::vector<DatabaseGrant> read_database_grants(Connection& connection) {
  const QueryResult result = connection.query(fmt::format(
      "SELECT r.rolname, g.privilege_type, pg_catalog.bool_or(g.is_grantable) FROM pg_catalog.pg_database AS d "
      "CROSS JOIN LATERAL pg_catalog.aclexplode(coalesce(d.datacl, pg_catalog.acldefault('d', d.datdba))) AS g "
      "LEFT JOIN pg_catalog.pg_roles AS r ON r.oid = g.grantee "
      "WHERE d.oid = {} AND g.grantee <> d.datdba AND (g.grantee = 0 OR r.oid IS NOT NULL) "
      "GROUP BY 1, 2 ORDER BY r.rolname COLLATE \"C\" NULLS FIRST, 2",
      kThisDatabase));
  std::vector<DatabaseGrant> grants;
  for (int row = 0; row < result.rows(); ++row) {
    grants.push_back(
        {.grantee = result.string(row, 0), .privilege = result.string(row, 1), .grantable = result.boolean(row, 2)});
  }
  return grants;
}

Globals read_globals(Connection& connection, std::string_view encoding, const std::vector<CatalogRole>& named) {
  Globals globals = read_among(connection, among_named(connection, named));
  make_unicode(connection, encoding, texts_of(globals));
  return globals;
}

Globals read_present_globals(Connection& connection) { return read_among(connection, "<> 0"); }

}  // namespace pana
