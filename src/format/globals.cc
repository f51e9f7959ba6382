#include "format/globals.h"

#include <fmt/format.h>

#include <cstdint>
#include <limits>

#include "base/error.h"

namespace pana {
namespace {

template <typename Item, typename ToJson>
Json list_json(const std::vector<Item>& items, ToJson&& to_json) {
  Json list = Json::array();
  for (const Item& item : items) list.push_back(to_json(item));
  return list;
}

[[noreturn]] void damaged() { throw Error(ErrorKind::damaged, "the index is damaged: its globals cannot be read"); }

int limit(const Json& json) {
  if (!json.is_number_integer()) damaged();
  const auto value = json.get<std::int64_t>();
  if (value < -1 || value > std::numeric_limits<int>::max()) damaged();
  return static_cast<int>(value);
}

template <typename Item, typename Parse>
std::vector<Item> parse_list(const Json& list, Parse&& parse) {
  if (!list.is_array()) damaged();
  std::vector<Item> items;
  for (const Json& item : list) items.push_back(parse(item));
  return items;
}

Json role_json(const RoleDefinition& role) {
  return {{"name", role.name},
          {"superuser", role.superuser},
          {"createdb", role.createdb},
          {"createrole", role.createrole},
          {"inherit", role.inherit},
          {"login", role.login},
          {"replication", role.replication},
          {"bypassrls", role.bypassrls},
          {"connection_limit", role.connection_limit},
          {"valid_until", role.valid_until},
          {"comment", role.comment}};
}

RoleDefinition parse_role(const Json& json) {
  return {.name = json.at("name").get<std::string>(),
          .superuser = json.at("superuser").get<bool>(),
          .createdb = json.at("createdb").get<bool>(),
          .createrole = json.at("createrole").get<bool>(),
          .inherit = json.at("inherit").get<bool>(),
          .login = json.at("login").get<bool>(),
          .replication = json.at("replication").get<bool>(),
          .bypassrls = json.at("bypassrls").get<bool>(),
          .connection_limit = limit(json.at("connection_limit")),
          .valid_until = json.at("valid_until").get<std::string>(),
          .comment = json.at("comment").get<std::string>()};
}

Json membership_json(const RoleMembership& membership) {
  return {{"role", membership.role},
          {"member", membership.member},
          {"admin", membership.admin},
          {"inherit", membership.inherit},
          {"set", membership.set}};
}

RoleMembership parse_membership(const Json& json) {
  return {.role = json.at("role").get<std::string>(),
          .member = json.at("member").get<std::string>(),
          .admin = json.at("admin").get<bool>(),
          .inherit = json.at("inherit").get<bool>(),
          .set = json.at("set").get<bool>()};
}

Json setting_json(const RoleSetting& setting) {
  return {
      {"role", setting.role}, {"in_database", setting.in_database}, {"name", setting.name}, {"value", setting.value}};
}

RoleSetting parse_setting(const Json& json) {
  return {.role = json.at("role").get<std::string>(),
          .in_database = json.at("in_database").get<bool>(),
          .name = json.at("name").get<std::string>(),
          .value = json.at("value").get<std::string>()};
}

Json grant_json(const DatabaseGrant& grant) {
  return {{"grantee", grant.grantee}, {"privilege", grant.privilege}, {"grantable", grant.grantable}};
}

DatabaseGrant parse_grant(const Json& json) {
  return {.grantee = json.at("grantee").get<std::string>(),
          .privilege = json.at("privilege").get<std::string>(),
          .grantable = json.at("grantable").get<bool>()};
}

}  // namespace

std::vector<std::string> attributes_of(const RoleDefinition& role) {
  std::vector<std::string> attributes;
  const auto add = [&](bool has, const char* name) {
    if (has) attributes.emplace_back(name);
  };
  add(role.superuser, "SUPERUSER");
  add(role.createdb, "CREATEDB");
  add(role.createrole, "CREATEROLE");
  add(!role.inherit, "NOINHERIT");
  add(role.login, "LOGIN");
  add(role.replication, "REPLICATION");
  add(role.bypassrls, "BYPASSRLS");
  if (role.connection_limit != -1) attributes.push_back(fmt::format("CONNECTION LIMIT {}", role.connection_limit));
  return attributes;
}

Json globals_json(const Globals& globals) {
  return {{"owner", globals.owner},
          {"comment", globals.comment},
          {"connection_limit", globals.connection_limit},
          {"grants", list_json(globals.grants, grant_json)},
          {"settings", list_json(globals.settings, setting_json)},
          {"roles", list_json(globals.roles, role_json)},
          {"memberships", list_json(globals.memberships, membership_json)}};
}

std::vector<std::string*> texts_of(Globals& globals) {
  std::vector<std::string*> texts = {&globals.owner, &globals.comment};
  for (DatabaseGrant& grant : globals.grants) texts.push_back(&grant.grantee);
  for (RoleSetting& setting : globals.settings)
    texts.insert(texts.end(), {&setting.role, &setting.name, &setting.value});
  for (RoleDefinition& role : globals.roles) texts.insert(texts.end(), {&role.name, &role.comment});
  for (RoleMembership& membership : globals.memberships)
    texts.insert(texts.end(), {&membership.role, &membership.member});
  return texts;
}

Globals parse_globals(const Json& json) {
  return {.owner = json.at("owner").get<std::string>(),
          .comment = json.at("comment").get<std::string>(),
          .connection_limit = limit(json.at("connection_limit")),
          .grants = parse_list<DatabaseGrant>(json.at("grants"), parse_grant),
          .settings = parse_list<RoleSetting>(json.at("settings"), parse_setting),
          .roles = parse_list<RoleDefinition>(json.at("roles"), parse_role),
          .memberships = parse_list<RoleMembership>(json.at("memberships"), parse_membership)};
}

}  // namespace pana
