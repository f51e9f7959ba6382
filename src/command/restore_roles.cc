#include "command/restore_roles.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/log.h"
#include "base/unicode.h"
#include "pg/schema_names.h"
#include "pg/sql_lexer.h"

namespace pana {
namespace {

// As it stands in an identifier.
std::string in_quotes(std::string_view name) {
  std::string text;
  for (const char byte : name) text.append(byte == '"' ? 2 : 1, byte);
  return text;
}

template <typename Condition>
bool any_statement(const RestoreSelection& selection, const std::string& name, Condition&& counts) {
  for (const std::vector<SchemaObject>* const objects : {&selection.pre_data, &selection.post_data}) {
    for (const SchemaObject& object : *objects) {
      for (const SchemaStatement& statement : object.statements) {
        if (counts(statement) && statement.sql.find(name) != std::string::npos) return true;
      }
    }
  }
  return false;
}

bool is_superuser(Connection& connection) {
  return connection.query("SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user").boolean(0, 0);
}

// Since 16 a member need not have the right to act for the role.
std::string_view membership_of(const Connection& connection) { return connection.server_version() >= 160000 ? "SET" : "MEMBER"; }

}  // namespace

RolesInUse look_at_roles(Connection& connection, const RestoreRequest& request, const Index& index, const RestoreSelection& selection) {
  RolesInUse roles;
  std::vector<RoleUse> all = index.header.roles;
  for (const auto& [from, to] : request.role_map) {
    std::erase_if(all, [&from = from](const RoleUse& role) { return role.name == from; });
    all.push_back({.name = to});
  }
  for (const RoleUse& role : all) {
    // The script is in the backup's encoding, the index in Unicode.
    const bool is_comparable = index.header.encoding == "UTF8" || is_ascii(role.name);
    const std::string name = in_quotes(role.name);
    const bool is_named = is_comparable ? any_statement(selection, name, [](const SchemaStatement&) { return true; })
                                        : role.owns || role.granted || role.in_policy;
    if (!is_named) continue;
    const bool owns = is_comparable ? any_statement(selection, name, [](const SchemaStatement& statement) { return statement.role == StatementRole::owner; })
                                    : role.owns;
    // One by one: a list of all roles may hold names that the target's encoding cannot express.
    const QueryResult found = connection.query(fmt::format("SELECT pg_catalog.pg_has_role(oid, '{}') FROM pg_catalog.pg_roles WHERE rolname = {}",
                                                           membership_of(connection), connection.quote_literal(role.name)));
    if (found.rows() == 0) {
      roles.missing.push_back(role.name);
    } else if (owns && !found.boolean(0, 0)) {
      roles.foreign.push_back(role.name);
    }
  }
  return roles;
}

std::string create_role_sql(Connection& connection, const std::string& role) {
  const std::string name = connection.quote_identifier(role);
  std::string sql = fmt::format("CREATE ROLE {} NOLOGIN;\n", name);
  if (!is_superuser(connection)) {
    sql += fmt::format("GRANT {} TO CURRENT_USER{};\n", name, connection.server_version() >= 160000 ? " WITH INHERIT TRUE, SET TRUE" : "");
  }
  return sql;
}

void create_roles(Connection& connection, const std::vector<std::string>& roles) {
  std::string sql;
  for (const std::string& role : roles) sql += create_role_sql(connection, role);
  if (!sql.empty()) connection.query(sql);  // one transaction
}

namespace {

// OWNER TO a; GRANT ... TO a, b; REVOKE ... FROM a; ALTER DEFAULT PRIVILEGES FOR ROLE a ...; SET SESSION AUTHORIZATION a; CREATE POLICY
// ... TO a, b; CREATE USER MAPPING FOR a: the names behind these words, and behind the commas between them.
std::string with_roles_mapped(Connection& connection, const std::string& sql, const std::map<std::string, std::string>& roles) {
  std::string mapped;
  std::size_t copied = 0;
  bool is_role = false;
  SqlLexemes lexemes(sql);
  for (std::string_view lexeme = lexemes.next(); !lexeme.empty(); lexeme = lexemes.next()) {
    const bool begins = is_keyword(lexeme, "TO") || is_keyword(lexeme, "FROM") || is_keyword(lexeme, "FOR") || is_keyword(lexeme, "ROLE") ||
                        is_keyword(lexeme, "AUTHORIZATION");
    if (begins || (is_role && lexeme == ",")) {
      is_role = true;
      continue;
    }
    const std::vector<std::string> name = is_role ? parse_name(lexeme) : std::vector<std::string>();
    is_role = is_role && name.size() == 1;
    const auto found = is_role ? roles.find(name[0]) : roles.end();
    if (found == roles.end()) continue;
    const std::size_t at = static_cast<std::size_t>(lexeme.data() - sql.data());
    mapped += sql.substr(copied, at - copied) + connection.quote_identifier(found->second);
    copied = at + lexeme.size();
  }
  return mapped + sql.substr(copied);
}

}  // namespace

void map_roles(Connection& connection, const RestoreRequest& request, RestoreSelection& selection) {
  if (request.role_map.empty()) return;
  for (std::vector<SchemaObject>* const objects : {&selection.pre_data, &selection.post_data}) {
    for (SchemaObject& object : *objects) {
      for (SchemaStatement& statement : object.statements) {
        const bool names_roles = statement.role == StatementRole::owner || statement.role == StatementRole::privilege || object.type == "POLICY" ||
                                 object.type == "USER MAPPING";
        if (names_roles) statement.sql = with_roles_mapped(connection, statement.sql, request.role_map);
      }
    }
  }
}

void grant_as_we_may(Connection& connection, const RestoreRequest& request, RestoreSelection& selection) {
  if (is_superuser(connection)) return;
  std::map<std::string, bool> may_act_for;
  const auto may = [&](const std::string& role) {
    const auto [known, is_new] = may_act_for.try_emplace(role, false);
    if (!is_new) return known->second;
    const QueryResult found = connection.query(fmt::format("SELECT pg_catalog.pg_has_role(oid, '{}') FROM pg_catalog.pg_roles WHERE rolname = {}",
                                                           membership_of(connection), connection.quote_literal(role)));
    known->second = found.rows() == 0 ? request.create_missing_roles : found.boolean(0, 0);
    if (!known->second) {
      log(LogLevel::warning, "grantor", fmt::format("what {} has granted is granted by the restoring role, which may not act for it", role));
    }
    return known->second;
  };
  for (std::vector<SchemaObject>* const objects : {&selection.pre_data, &selection.post_data}) {
    for (SchemaObject& object : *objects) {
      for (SchemaStatement& statement : object.statements) {
        SqlLexemes lexemes(statement.sql);
        if (lexemes.skip({"RESET", "SESSION", "AUTHORIZATION"})) {
          statement.sql = "RESET ROLE;";
        } else if (lexemes.skip({"SET", "SESSION", "AUTHORIZATION"})) {
          const std::string_view quoted = lexemes.qualified_name();
          const std::vector<std::string> role = parse_name(quoted);
          statement.sql = role.size() == 1 && may(role[0]) ? fmt::format("SET ROLE {};", quoted) : "RESET ROLE;";
        }
      }
    }
  }
}

}  // namespace pana
