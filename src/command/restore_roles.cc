#include "command/restore_roles.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

#include "base/log.h"
#include "pg/session.h"
#include "sql/role_names.h"
#include "sql/schema_names.h"
#include "sql/sql_lexer.h"

namespace pana {
std::string_view membership_of(const Connection& connection) {
  return connection.server_version() >= 160000 ? "SET" : "MEMBER";
}

void note_roles(const SchemaObject& object, const ScriptNames& names, NamedRoles& roles) {
  for (const SchemaStatement& statement : object.statements) {
    for (const std::string_view lexeme : role_names_in(object, statement)) {
      const std::optional<std::string> name = parse_simple_name(lexeme);
      if (name) roles[names.unicode(*name)] |= statement.role == StatementRole::owner;
    }
  }
}

NamedRoles roles_named_by(const RestoreRequest& request, const ScriptNames& names, const RestoreSelection& selection) {
  NamedRoles roles;
  for (const NamedRoles* const named : {&selection.roles_of_large_objects, &selection.roles_of_rights}) {
    for (const auto& [role, owns] : *named) roles[request.mapped(role)] |= owns;
  }
  for (const std::vector<SchemaObject>* const objects : {&selection.pre_data, &selection.post_data}) {
    for (const SchemaObject& object : *objects) note_roles(object, names, roles);
  }
  return roles;
}

RolesInUse look_at_roles(Connection& connection, const IndexHeader& header, const NamedRoles& named) {
  RolesInUse roles;
  for (const auto& [role, owns] : named) {
    // One by one: a list of all roles may hold names that the target's encoding cannot express.
    const QueryResult found = connection.query(
        fmt::format("SELECT pg_catalog.pg_has_role(oid, '{}') FROM pg_catalog.pg_roles WHERE rolname = {}",
                    membership_of(connection), connection.quote_literal(sql_text(header, role))));
    if (found.rows() == 0) {
      roles.missing.push_back(sql_text(header, role));
    } else if (owns && !found.boolean(0, 0)) {
      roles.foreign.push_back(sql_text(header, role));
    }
  }
  return roles;
}

std::string create_role_sql(Connection& connection, const std::string& role) {
  const std::string name = connection.quote_identifier(role);
  std::string sql = fmt::format("CREATE ROLE {} NOLOGIN;\n", name);
  if (!is_superuser(connection)) {
    sql += fmt::format("GRANT {} TO CURRENT_USER{};\n", name,
                       connection.server_version() >= 160000 ? " WITH INHERIT TRUE, SET TRUE" : "");
  }
  return sql;
}

void create_roles(Connection& connection, const std::vector<std::string>& roles) {
  std::string sql;
  for (const std::string& role : roles) sql += create_role_sql(connection, role);
  if (!sql.empty()) connection.query(sql);  // one transaction
}

namespace {

std::string with_roles_mapped(Connection& connection, const ScriptNames& names, const SchemaObject& object,
                              const SchemaStatement& statement, const std::map<std::string, std::string>& roles,
                              std::set<std::string>& used) {
  const std::string& sql = statement.sql;
  std::string mapped;
  std::size_t copied = 0;
  for (const std::string_view lexeme : role_names_in(object, statement)) {
    const std::optional<std::string> name = parse_simple_name(lexeme);
    const auto found = name ? roles.find(names.unicode(*name)) : roles.end();
    if (found == roles.end()) continue;
    used.insert(found->first);
    const std::size_t at = static_cast<std::size_t>(lexeme.data() - sql.data());
    mapped += sql.substr(copied, at - copied) + connection.quote_identifier(names.in_script(found->second));
    copied = at + lexeme.size();
  }
  return mapped + sql.substr(copied);
}

}  // namespace

// Of a role that was dropped while grants named it, as those of an extension may (pg_init_privs), pg_dump writes the
// OID: nobody is called so.
void RoleRewriter::leave_out_dropped_roles(SchemaObject& object) {
  const auto is_dropped = [this](std::string_view lexeme) {
    const std::optional<std::string> name = parse_simple_name(lexeme);
    if (!name || name->empty() || name->find_first_not_of("0123456789") != std::string::npos || named_.contains(*name))
      return false;
    const auto [known, is_new] = is_dropped_.try_emplace(*name, false);
    if (!is_new) return known->second;
    known->second =
        connection_.query("SELECT FROM pg_catalog.pg_roles WHERE rolname = " + connection_.quote_literal(*name))
            .rows() == 0;
    if (known->second) {
      log(LogLevel::warning, "dropped_role",
          fmt::format("pana leaves out grants that name a role by its OID {}: the source had dropped that role",
                      *name));
    }
    return known->second;
  };
  std::erase_if(object.statements, [&](const SchemaStatement& statement) {
    return statement.role == StatementRole::privilege &&
           std::ranges::any_of(role_names_in(object, statement), is_dropped);
  });
}

void RoleRewriter::rewrite(SchemaObject& object) {
  leave_out_dropped_roles(object);
  for (SchemaStatement& statement : object.statements) {
    if (!request_.role_map.empty())
      statement.sql = with_roles_mapped(connection_, names_, object, statement, request_.role_map, named_);
    if (is_superuser_ || statement.role != StatementRole::privilege) continue;
    SqlLexemes lexemes(statement.sql);
    if (lexemes.skip({"RESET", "SESSION", "AUTHORIZATION"})) {
      statement.sql = "RESET ROLE;";
    } else if (lexemes.skip({"SET", "SESSION", "AUTHORIZATION"})) {
      const std::string_view quoted = lexemes.qualified_name();
      const std::optional<std::string> role = parse_simple_name(quoted);
      statement.sql = role && may_act_for(*role) ? fmt::format("SET ROLE {};", quoted) : "RESET ROLE;";
    }
  }
}

bool RoleRewriter::may_act_for(const std::string& role) {
  const auto [known, is_new] = may_act_for_.try_emplace(role, false);
  if (!is_new) return known->second;
  const QueryResult found = connection_.query(
      fmt::format("SELECT pg_catalog.pg_has_role(oid, '{}') FROM pg_catalog.pg_roles WHERE rolname = {}",
                  membership_of(connection_), connection_.quote_literal(role)));
  known->second = found.rows() == 0 ? request_.create_missing_roles || request_.globals : found.boolean(0, 0);
  if (!known->second) {
    log(LogLevel::warning, "grantor",
        fmt::format("the grants of {} come from the restoring role instead, which may not SET ROLE to that role",
                    role));
  }
  return known->second;
}

RoleRewriter::RoleRewriter(Connection& connection, const RestoreRequest& request, const ScriptNames& names,
                           const Index& index)
    : connection_(connection), request_(request), names_(names), is_superuser_(is_superuser(connection)) {
  for (const RoleUse& role : index.header.roles) named_.insert(role.name);
  if (!request.globals || !index.globals) return;
  for (const RoleDefinition& role : index.globals->roles) named_.insert(role.name);
}

// The schema public is there, and may have the owner already: who may not act for the owner need not give it away then.
void RoleRewriter::leave_out_owner_that_holds(SchemaObject& object) {
  if (object.type != "SCHEMA" || object.makes_schema) return;
  std::erase_if(object.statements, [&](const SchemaStatement& statement) {
    if (statement.role != StatementRole::owner) return false;
    const std::vector<std::string_view> lexemes = role_names_in(object, statement);
    const std::optional<std::string> owner = lexemes.empty() ? std::nullopt : parse_simple_name(lexemes.front());
    return owner &&
           connection_
                   .query(fmt::format("SELECT FROM pg_catalog.pg_namespace WHERE nspname = {} AND "
                                      "pg_catalog.pg_get_userbyid(nspowner) = {}",
                                      connection_.quote_literal(object.name), connection_.quote_literal(*owner)))
                   .rows() > 0;
  });
}

void RoleRewriter::rewrite(RestoreSelection& selection) {
  for (std::vector<SchemaObject>* const objects : {&selection.pre_data, &selection.post_data}) {
    for (SchemaObject& object : *objects) {
      rewrite(object);
      leave_out_owner_that_holds(object);
    }
  }
  for (const auto& mapping : request_.role_map) {
    if (named_.contains(mapping.first)) continue;
    throw Error(ErrorKind::usage, fmt::format("--role-map: the backup names no role {}", mapping.first),
                "pana show lists them");
  }
}

}  // namespace pana
