#include "command/preflight_rights.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>

#include "base/log.h"
#include "command/restore_schema.h"
#include "pg/role_names.h"
#include "pg/schema_names.h"
#include "pg/session.h"
#include "pg/sql_lexer.h"

namespace pana {
namespace {

// Whether the keywords stand in a statement outside of parentheses and strings, and before the body of a function.
bool has_clause(std::string_view sql, std::initializer_list<std::string_view> keywords) {
  int depth = 0;
  for (SqlLexemes lexemes(sql);;) {
    if (SqlLexemes ahead = lexemes; depth == 0 && ahead.skip(keywords)) return true;
    const std::string_view lexeme = lexemes.next();
    if (lexeme.empty() || (depth == 0 && (is_keyword(lexeme, "BEGIN") || is_keyword(lexeme, "RETURN")))) return false;
    if (lexeme == "(") ++depth;
    if (lexeme == ")") --depth;
  }
}

// What only a superuser can make, whatever rights are granted.
bool needs_superuser(const SchemaObject& object) {
  constexpr std::array kTypes = {"ACCESS METHOD", "EVENT TRIGGER", "FOREIGN DATA WRAPPER", "OPERATOR CLASS", "OPERATOR FAMILY", "PUBLICATION TABLES IN SCHEMA", "TRANSFORM"};
  if (std::ranges::find(kTypes, object.type) != kTypes.end()) return true;
  if (object.statements.empty() || object.statements.front().role != StatementRole::definition) return false;
  const std::string& sql = object.statements.front().sql;
  if (object.type == "FUNCTION" || object.type == "PROCEDURE") {
    return has_clause(sql, {"LANGUAGE", "C"}) || has_clause(sql, {"LANGUAGE", "INTERNAL"}) || has_clause(sql, {"LEAKPROOF"});
  }
  if (object.type == "PUBLICATION") return has_clause(sql, {"FOR", "ALL", "TABLES"});
  if (object.type == "CAST") return has_clause(sql, {"WITHOUT", "FUNCTION"});
  return object.type == "TYPE" && sql.find("INTERNALLENGTH = ") != std::string::npos;
}

// What the restore makes and the target lacks, of the kinds that need CREATE on the database.
std::vector<std::string> made_in_database(Connection& connection, const RestoreSelection& selection) {
  std::set<std::string> schemas;
  std::vector<std::string> made;
  for (const SchemaObject& object : selection.pre_data) {
    if (object.makes_schema) schemas.insert(*object.makes_schema);
    if (object.relation) schemas.insert(object.relation->schema);
    if (object.type == "EXTENSION" && !has_named(connection, "pg_extension", "extname", object.name)) made.push_back("extension " + object.name);
  }
  for (const SchemaObject& object : selection.post_data) {
    if (object.type == "PUBLICATION") made.push_back("publication " + object.name);
  }
  for (const std::string& schema : schemas) {
    if (!has_named(connection, "pg_namespace", "nspname", schema)) made.push_back("schema " + schema);
  }
  return made;
}

}  // namespace

std::string list_names(const std::vector<std::string>& names) {
  constexpr std::size_t kNamesShown = 10;
  const std::size_t shown = std::min(names.size(), kNamesShown);
  std::string text = fmt::format("{}", fmt::join(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(shown), ", "));
  if (names.size() > shown) text += fmt::format(" and {} more", names.size() - shown);
  return text;
}

bool has_named(Connection& connection, std::string_view catalog, std::string_view column, const std::string& name) {
  return connection.query(fmt::format("SELECT FROM pg_catalog.{} WHERE {} = {}", catalog, column, connection.quote_literal(name))).rows() > 0;
}

std::vector<std::string> check_roles(Connection& connection, const RestoreRequest& request, const Index& index, const NamedRoles& named, Problems& problems) {
  RolesInUse roles = look_at_roles(connection, index.header, named);
  if (!roles.missing.empty() && (request.create_missing_roles || request.globals)) {
    const bool may = connection.query("SELECT rolsuper OR rolcreaterole FROM pg_catalog.pg_roles WHERE rolname = current_user").boolean(0, 0);
    if (!may) problems.add(fmt::format("the restoring role may not create the roles {}", list_names(roles.missing)), "it needs CREATEROLE; or --role-map puts other roles in their place");
  } else if (!roles.missing.empty()) {
    const bool are_of_policies = !request.owners && !request.privileges;  // and of user mappings
    problems.add(fmt::format("the target lacks the roles {}", list_names(roles.missing)),
                 are_of_policies ? "policies or user mappings are theirs: --globals or --create-missing-roles creates them, --role-map puts others in their place" :
                 "--globals creates them as they were, --create-missing-roles without login; --no-owner and --no-privileges do without them");
  }
  if (!roles.foreign.empty()) {
    problems.add(fmt::format("we may not act for the roles {} that own objects", list_names(roles.foreign)),
                 fmt::format("GRANT these roles to the restoring one{}, put it in their place by --role-map OLD=NEW, or say --no-owner",
                             connection.server_version() >= 160000 ? " WITH SET TRUE" : ""));
  }
  return std::move(roles.missing);
}

void check_superuser(Connection& connection, const RestoreSelection& selection, Problems& problems) {
  if (is_superuser(connection)) return;
  std::vector<std::string> names;
  for (const std::vector<SchemaObject>* const objects : {&selection.pre_data, &selection.post_data}) {
    for (const SchemaObject& object : *objects) {
      if (needs_superuser(object)) names.push_back(subject_of(object));
    }
  }
  for (const SchemaObject& object : selection.pre_data) {
    if (object.type != "EXTENSION" || has_named(connection, "pg_extension", "extname", object.name)) continue;
    const QueryResult found = connection.query(fmt::format(
        "SELECT pg_catalog.bool_or(trusted OR NOT superuser) FROM pg_catalog.pg_available_extension_versions WHERE name = {}",
        connection.quote_literal(object.name)));
    if (!found.is_null(0, 0) && !found.boolean(0, 0)) names.push_back(subject_of(object));
  }
  if (names.empty()) return;
  // Platforms have roles that may do more than PostgreSQL itself would let them.
  const bool is_platform = connection.query(
      "SELECT pg_catalog.current_setting('supautils.privileged_role', true) IS NOT NULL OR EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname IN "
      "('supabase_admin', 'rds_superuser', 'rdsadmin', 'cloudsqlsuperuser', 'alloydbsuperuser', 'azure_pg_admin', 'neon_superuser', 'doadmin'))").boolean(0, 0);
  if (is_platform) {
    log(LogLevel::warning, "superuser", fmt::format("PostgreSQL lets only a superuser make {}; whether this platform does will be seen", list_names(names)));
    return;
  }
  problems.add(fmt::format("only a superuser can make {}", list_names(names)),
               "restore as a superuser; have extensions made first; or --keep-going restores the rest");
}

void check_rights(Connection& connection, const RestoreSelection& selection, Problems& problems) {
  if (connection.query("SELECT pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE')").boolean(0, 0)) return;
  const std::vector<std::string> made = made_in_database(connection, selection);
  if (made.empty()) return;
  problems.add(fmt::format("the role may not create in the target database: {}", list_names(made)),
               "GRANT CREATE ON DATABASE to it, or use another role");
}

void check_creators(Connection& connection, const RestoreRequest& request, const BackupReader& backup, const RestoreSelection& selection,
                    const ScriptNames& names, Problems& problems) {
  if (is_superuser(connection)) return;
  std::set<std::pair<std::string, std::string>> creators;  // schema and role
  for (const SchemaObject& object : selection.pre_data) {
    if (object.type == "SCHEMA") continue;
    const std::string schema = object.relation ? object.relation->schema : object.schema;
    for (const SchemaStatement& statement : object.statements) {
      if (statement.role != StatementRole::owner) continue;
      for (const std::string_view lexeme : role_names_in(object, statement)) {
        const std::vector<std::string> role = parse_name(lexeme);
        if (role.size() == 1) creators.emplace(schema, role[0]);
      }
    }
  }
  const std::map<std::string, std::vector<std::string>> grants = grants_on_schemas(selection);
  // --globals gives the database away first, where the role may.
  std::string owner;
  const bool gives_away = request.globals && request.owners && backup.index().globals &&
                          connection.query("SELECT rolcreatedb FROM pg_catalog.pg_roles WHERE rolname = current_user").boolean(0, 0);
  if (gives_away) owner = backup.index().globals->owner;
  if (const auto mapped = request.role_map.find(owner); mapped != request.role_map.end()) owner = mapped->second;
  std::vector<std::string> unable;
  for (const auto& creator : creators) {
    const std::string& schema = creator.first;
    const std::string& role = creator.second;
    const QueryResult found = connection.query(fmt::format(
        "SELECT pg_catalog.bool_or(pg_catalog.has_schema_privilege(r.oid, n.oid, 'CREATE')), pg_catalog.pg_get_userbyid(n.nspowner) = 'pg_database_owner', "
        "EXISTS (SELECT FROM pg_catalog.aclexplode(n.nspacl) AS a WHERE a.grantee = 0 AND a.privilege_type = 'CREATE') "
        "FROM pg_catalog.pg_namespace AS n LEFT JOIN pg_catalog.pg_roles AS r ON r.rolname = {} WHERE n.nspname = {} GROUP BY n.oid, n.nspowner, n.nspacl",
        connection.quote_literal(role), connection.quote_literal(schema)));
    if (found.rows() == 0 || found.boolean(0, 0) || found.boolean(0, 2)) continue;
    const auto granted = grants.find(schema);
    const bool is_granted = granted != grants.end() && std::ranges::any_of(granted->second, [&](const std::string& grant) {
      const SchemaObject acl{.type = "ACL"};
      const SchemaStatement statement{.role = StatementRole::privilege, .sql = grant};
      const bool creates = grant.find("CREATE") != std::string::npos || grant.find("ALL") != std::string::npos;
      return creates && std::ranges::any_of(role_names_in(acl, statement), [&](std::string_view lexeme) { return parse_name(lexeme) == std::vector{role}; });
    });
    const bool is_owner = found.boolean(0, 1) && owner == names.unicode(role);
    if (!is_granted && !is_owner) unable.push_back(fmt::format("{} in {}", role, schema));
  }
  if (unable.empty()) return;
  problems.add(fmt::format("roles that are to own objects may not create in the schemas of these: {}", list_names(unable)),
               "GRANT CREATE ON SCHEMA to them, which the source had given them otherwise; or say --no-owner");
}

}  // namespace pana
