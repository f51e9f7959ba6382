// What belongs to a backup's database but lies outside of it: its roles, and the database's own properties.
//
// A line of the index of its own (docs/format.md, "Globals"), which older readers pass over. Passwords are never part
// of it.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"

namespace pana {

// A role as CREATE ROLE makes it. The defaults are CREATE ROLE's.
struct RoleDefinition {
  std::string name;
  bool superuser = false;
  bool createdb = false;
  bool createrole = false;
  bool inherit = true;
  bool login = false;
  bool replication = false;
  bool bypassrls = false;
  int connection_limit = -1;  // none
  std::string valid_until;    // of its password; a timestamp with its time zone, or empty
  std::string comment;
};

// The options are those of PostgreSQL 16; before it, `inherit` is the member's attribute and `set` true.
struct RoleMembership {
  std::string role;
  std::string member;
  bool admin = false;
  bool inherit = true;
  bool set = true;
};

// ALTER ROLE ... SET, ALTER ROLE ... IN DATABASE ... SET, ALTER DATABASE ... SET.
struct RoleSetting {
  std::string role;          // empty: for all, that is the database's own
  bool in_database = false;  // false: in all databases
  std::string name;          // work_mem
  std::string value;         // as pg_db_role_setting has it: of a list, quoted names
};

struct DatabaseGrant {
  std::string grantee;    // empty: PUBLIC
  std::string privilege;  // CONNECT, CREATE, TEMPORARY
  bool grantable = false;
};

struct Globals {
  std::string owner;
  std::string comment;
  int connection_limit = -1;
  std::vector<DatabaseGrant> grants;  // all that hold, the defaults as well; without the owner's own
  std::vector<RoleSetting> settings;
  std::vector<RoleDefinition> roles;
  std::vector<RoleMembership> memberships;
};

// What CREATE ROLE and ALTER ROLE call what the role has beyond the defaults: LOGIN, NOINHERIT.
std::vector<std::string> attributes_of(const RoleDefinition& role);

// The names and texts in it, to be converted.
std::vector<std::string*> texts_of(Globals& globals);

Json globals_json(const Globals& globals);

// The inverse. Throws Error(damaged) or Json::exception where something is missing or of another type.
Globals parse_globals(const Json& json);

}  // namespace pana
