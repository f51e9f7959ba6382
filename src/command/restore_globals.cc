#include "command/restore_globals.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <set>

#include "base/log.h"
#include "base/unicode.h"
#include "command/backup_globals.h"
#include "command/restore_roles.h"
#include "pg/transaction.h"

namespace pana {
namespace {

std::string attributes_text(const RoleDefinition& role) {
  std::vector<std::string> attributes = attributes_of(role);
  if (!role.valid_until.empty()) attributes.push_back("VALID UNTIL " + role.valid_until);
  return attributes.empty() ? "none" : fmt::format("{}", fmt::join(attributes, " "));
}

// Settings whose value is a list of names, which a single literal would not set (pg_dump:
// variable_is_guc_list_quote()).
bool is_list_of_names(std::string_view setting) {
  constexpr std::array kSettings = {"local_preload_libraries",  "search_path",      "session_preload_libraries",
                                    "shared_preload_libraries", "temp_tablespaces", "unix_socket_directories"};
  return std::ranges::find(kSettings, setting) != kSettings.end();
}

// The names of such a list: "$user", public
std::vector<std::string> names_of_list(std::string_view list) {
  std::vector<std::string> names;
  bool is_quoted = false;
  bool is_after_comma = true;
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (is_after_comma && list[i] != ' ') {
      names.emplace_back();
      is_after_comma = false;
    }
    if (list[i] == '"') {
      const bool is_doubled = is_quoted && i + 1 < list.size() && list[i + 1] == '"';
      if (is_doubled)
        names.back() += list[++i];
      else
        is_quoted = !is_quoted;
    } else if (list[i] == ',' && !is_quoted) {
      is_after_comma = true;
    } else if (is_quoted || list[i] != ' ') {
      names.back() += list[i];
    }
  }
  return names;
}

template <typename Items, typename Condition>
bool contains(const Items& items, Condition&& condition) {
  return std::ranges::any_of(items, condition);
}

}  // namespace

GlobalsRestore::GlobalsRestore(Connection& connection, const RestoreRequest& request, const Index& index)
    : connection_(connection), request_(request), wanted_(index.globals.value()),
      present_(read_present_globals(connection)), owner_(present_.owner),
      database_(connection.quote_identifier(connection.query("SELECT pg_catalog.current_database()").text(0, 0))) {
  if (index.header.encoding == "SQL_ASCII") {
    for (std::string* const text : texts_of(wanted_)) *text = code_points_as_bytes(*text);
  }
  const auto map = [&](std::string& role) { role = std::string(request.mapped(role)); };
  for (RoleDefinition& role : wanted_.roles) map(role.name);
  map(wanted_.owner);
  for (DatabaseGrant& grant : wanted_.grants) map(grant.grantee);
  for (RoleSetting& setting : wanted_.settings) map(setting.role);
  for (RoleMembership& membership : wanted_.memberships) {
    map(membership.role);
    map(membership.member);
  }
}

void GlobalsRestore::in_transaction(const std::function<void()>& action) {
  connection_.query("BEGIN");
  try {
    action();
  } catch (const DatabaseError&) {
    if (connection_.is_alive()) connection_.query("ROLLBACK");
    throw;
  }
  connection_.query("COMMIT");
  for (; told_ < result_.not_restored.size(); ++told_) log(LogLevel::warning, "globals", result_.not_restored[told_]);
}

void GlobalsRestore::lose(std::string what) { result_.not_restored.push_back(std::move(what)); }

bool GlobalsRestore::attempt(const std::string& loss, const std::string& sql) {
  const std::optional<DatabaseError> refusal = try_in_savepoint(connection_, sql);
  if (refusal) lose(fmt::format("{}: {}", loss, refusal->what()));
  return !refusal;
}

void GlobalsRestore::make_roles(const std::vector<std::string>& needed) {
  in_transaction([&] { make_missing_roles(needed); });
}

void GlobalsRestore::try_out(const std::vector<std::string>& needed) {
  make_missing_roles(needed);
  change_owner();
}

void GlobalsRestore::make_missing_roles(const std::vector<std::string>& needed) {
  create_roles(connection_, needed);
  result_.roles = needed;
  for (const RoleDefinition& role : wanted_.roles) {
    const auto is_it = [&role](const RoleDefinition& other) { return other.name == role.name; };
    if (const auto present = std::ranges::find_if(present_.roles, is_it); present != present_.roles.end()) {
      compare_role(role, *present);
    } else if (!is_made(role.name) &&
               attempt(fmt::format("role {} is not made", role.name), create_role_sql(connection_, role.name))) {
      result_.roles.push_back(role.name);
    }
  }
  std::set<std::string> defined;  // several may be mapped to one
  for (const RoleDefinition& role : wanted_.roles) {
    if (is_made(role.name) && defined.insert(role.name).second) define_role(role);
  }
  for (const RoleMembership& membership : wanted_.memberships) grant_membership(membership);
  for (const RoleSetting& setting : wanted_.settings) {
    if (setting.in_database) continue;
    if (is_made(setting.role)) {
      set(setting);
    } else {
      compare_setting(setting);
    }
  }
  if (!without_password_.empty()) {
    lose(fmt::format("a backup holds no passwords of roles: set one for {} with ALTER ROLE ... PASSWORD",
                     fmt::join(without_password_, ", ")));
  }
}

void GlobalsRestore::define_role(const RoleDefinition& role) {
  const std::string name = connection_.quote_identifier(role.name);
  for (const std::string& attribute : attributes_of(role)) {
    attempt(fmt::format("role {} is made without {}", role.name, attribute),
            fmt::format("ALTER ROLE {} {}", name, attribute));
  }
  if (!role.valid_until.empty()) {
    attempt(fmt::format("role {} is made without VALID UNTIL", role.name),
            fmt::format("ALTER ROLE {} VALID UNTIL {}", name, connection_.quote_literal(role.valid_until)));
  }
  if (!role.comment.empty() && request_.comments) {
    attempt(fmt::format("role {} is made without its comment", role.name),
            fmt::format("COMMENT ON ROLE {} IS {}", name, connection_.quote_literal(role.comment)));
  }
  if (role.login) without_password_.push_back(role.name);
}

void GlobalsRestore::compare_role(const RoleDefinition& role, const RoleDefinition& present) {
  if (is_chosen(role.name) || attributes_text(present) == attributes_text(role)) return;
  lose(fmt::format("role {} is there already and keeps its attributes, {}; in the backup: {}", role.name,
                   attributes_text(present), attributes_text(role)));
}

void GlobalsRestore::grant_membership(const RoleMembership& membership) {
  const bool is_there = contains(present_.memberships, [&](const RoleMembership& other) {
    return other.role == membership.role && other.member == membership.member && other.admin >= membership.admin &&
           other.inherit >= membership.inherit && other.set >= membership.set;
  });
  if (is_there || membership.role == membership.member) return;
  if (!is_made(membership.role) && !is_made(membership.member)) {
    lose(
        fmt::format("{} does not become a member of {}: both roles exist already", membership.member, membership.role));
    return;
  }
  std::string options = membership.admin ? " WITH ADMIN OPTION" : "";
  if (connection_.server_version() >= 160000) {
    options = fmt::format(" WITH ADMIN {}, INHERIT {}, SET {}", membership.admin, membership.inherit, membership.set);
  }
  attempt(fmt::format("{} does not become a member of {}", membership.member, membership.role),
          fmt::format("GRANT {} TO {}{}", connection_.quote_identifier(membership.role),
                      connection_.quote_identifier(membership.member), options));
}

bool GlobalsRestore::is_made(const std::string& role) const {
  return std::ranges::find(result_.roles, role) != result_.roles.end();
}

// By --role-map: to be used as it is.
bool GlobalsRestore::is_chosen(const std::string& role) const {
  return contains(request_.role_map, [&role](const auto& old_and_new) { return old_and_new.second == role; });
}

// A role that was there may serve other databases, and keeps what is set for it in all of them.
void GlobalsRestore::compare_setting(const RoleSetting& setting) {
  const bool is_same = is_chosen(setting.role) || contains(present_.settings, [&](const RoleSetting& other) {
                         return !other.in_database && other.role == setting.role && other.name == setting.name &&
                                other.value == setting.value;
                       });
  if (!is_same) lose(fmt::format("role {} is there already: {} is not set for it", setting.role, setting.name));
}

void GlobalsRestore::set(const RoleSetting& setting) {
  std::string sql =
      setting.role.empty() ? "ALTER DATABASE " + database_ : "ALTER ROLE " + connection_.quote_identifier(setting.role);
  if (!setting.role.empty() && setting.in_database) sql += " IN DATABASE " + database_;
  sql += fmt::format(" SET {} TO ", connection_.quote_identifier(setting.name));
  std::vector<std::string> values = {setting.value};
  if (is_list_of_names(setting.name)) values = names_of_list(setting.value);
  for (std::string& value : values) value = connection_.quote_literal(value);
  sql += values.empty() ? "''" : fmt::format("{}", fmt::join(values, ", "));
  // The value may be a secret of somebody's own.
  attempt(
      fmt::format("{} is not set for {}", setting.name, setting.role.empty() ? "the database" : "role " + setting.role),
      sql);
}

void GlobalsRestore::give_database_away() {
  in_transaction([&] { change_owner(); });
}

void GlobalsRestore::change_owner() {
  if (!request_.owners || wanted_.owner.empty() || wanted_.owner == present_.owner) return;
  const bool is_given =
      attempt(fmt::format("the database keeps its owner, {}", present_.owner),
              fmt::format("ALTER DATABASE {} OWNER TO {}", database_, connection_.quote_identifier(wanted_.owner)));
  if (is_given) owner_ = wanted_.owner;
}

void GlobalsRestore::restore_database() {
  in_transaction([&] {
    for (const RoleSetting& setting : wanted_.settings) {
      if (setting.in_database) set(setting);
    }
    if (!wanted_.comment.empty() && request_.comments) {
      attempt("the database's comment is not restored",
              fmt::format("COMMENT ON DATABASE {} IS {}", database_, connection_.quote_literal(wanted_.comment)));
    }
    if (wanted_.connection_limit != present_.connection_limit) {
      attempt("the database's connection limit is not restored",
              fmt::format("ALTER DATABASE {} CONNECTION LIMIT {}", database_, wanted_.connection_limit));
    }
    if (request_.privileges) restore_grants();
  });
}

// PUBLIC gets what it had, no more and no less; the target's own grants to others stay. Grants are looked for
// afterwards: who may not grant something is only warned by the server.
void GlobalsRestore::restore_grants() {
  const auto grantee = [this](const DatabaseGrant& grant) {
    return grant.grantee.empty() ? "PUBLIC" : connection_.quote_identifier(grant.grantee);
  };
  const auto text = [](const DatabaseGrant& grant) { return fmt::format("{} on the database", grant.privilege); };
  const auto is_among = [](const DatabaseGrant& grant, const std::vector<DatabaseGrant>& grants) {
    return contains(grants, [&grant](const DatabaseGrant& other) {
      return other.grantee == grant.grantee && other.privilege == grant.privilege && other.grantable >= grant.grantable;
    });
  };
  const std::vector<DatabaseGrant> present = read_database_grants(connection_);  // under the owner that it has now
  std::vector<DatabaseGrant> revoked;
  for (const DatabaseGrant& grant : present) {
    if (!grant.grantee.empty() || is_among(grant, wanted_.grants)) continue;
    const bool went_well = attempt(fmt::format("PUBLIC keeps {}", text(grant)),
                                   fmt::format("REVOKE {} ON DATABASE {} FROM PUBLIC", grant.privilege, database_));
    if (went_well) revoked.push_back(grant);
  }
  std::vector<DatabaseGrant> granted;
  for (const DatabaseGrant& grant : wanted_.grants) {
    if (is_among(grant, present) || grant.grantee == owner_) continue;
    const bool went_well = attempt(fmt::format("{} is not granted to {}", text(grant), grantee(grant)),
                                   fmt::format("GRANT {} ON DATABASE {} TO {}{}", grant.privilege, database_,
                                               grantee(grant), grant.grantable ? " WITH GRANT OPTION" : ""));
    if (went_well) granted.push_back(grant);
  }
  const std::vector<DatabaseGrant> now = read_database_grants(connection_);
  for (const DatabaseGrant& grant : granted) {
    if (!is_among(grant, now))
      lose(fmt::format("{} is not granted to {}: we may not grant it", text(grant), grantee(grant)));
  }
  for (const DatabaseGrant& grant : revoked) {
    if (is_among(grant, now)) lose(fmt::format("PUBLIC keeps {}: we may not revoke it", text(grant)));
  }
}

}  // namespace pana
