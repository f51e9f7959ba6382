#include "pg/default_privileges.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdint>
#include <map>
#include <set>
#include <vector>

namespace pana {
namespace {

std::string_view plural_of(char kind) {
  switch (kind) {
    case 'r': return "TABLES";
    case 'S': return "SEQUENCES";
    case 'f': return "FUNCTIONS";
    case 'T': return "TYPES";
    case 'n': return "SCHEMAS";
    case 'L': return "LARGE OBJECTS";
    default: return {};
  }
}

// What everybody may do with a new object of that kind, by PostgreSQL's own defaults (acldefault() in acl.c).
std::string_view granted_to_public(char kind) {
  if (kind == 'f') return "EXECUTE";
  return kind == 'T' ? "USAGE" : "";
}

// "pana", and any other number that nobody else takes.
constexpr std::int64_t kLock = 0x70616e61'61636c00;

// One row of pg_default_acl.
struct Entry {
  std::set<std::string> grantees;                                           // as in SQL
  std::map<std::pair<std::string, bool>, std::vector<std::string>> grants;  // by grantee and grant option
};

}  // namespace

DefaultPrivileges DefaultPrivileges::read(Connection& connection, const std::optional<std::string>& role) {
  const std::string whose = role ? connection.quote_literal(*role) : "current_user";
  const std::string for_role = role ? fmt::format("FOR ROLE {} ", connection.quote_identifier(*role)) : "";
  const QueryResult result = connection.query(fmt::format(R"(
SELECT d.defaclobjtype::text, n.nspname, a.privilege_type, a.is_grantable,
       CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(r.rolname) END, pg_catalog.quote_ident({0})
FROM pg_catalog.pg_default_acl AS d LEFT JOIN pg_catalog.pg_namespace AS n ON n.oid = d.defaclnamespace
LEFT JOIN LATERAL pg_catalog.aclexplode(d.defaclacl) AS a ON true LEFT JOIN pg_catalog.pg_roles AS r ON r.oid = a.grantee
WHERE d.defaclrole = (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = {0}))",
                                                          whose));
  std::map<std::pair<char, std::string>, Entry> entries;  // by kind and schema, none for all schemas
  std::string owner;
  for (int row = 0; row < result.rows(); ++row) {
    Entry& entry = entries[{result.text(row, 0).front(), result.string(row, 1)}];
    owner = result.string(row, 5);
    if (result.is_null(row, 2)) continue;  // nobody has any right
    entry.grantees.insert(result.string(row, 4));
    entry.grants[{result.string(row, 4), result.boolean(row, 3)}].push_back(result.string(row, 2));
  }
  DefaultPrivileges privileges;
  for (auto& [key, entry] : entries) {
    const auto& [kind, schema] = key;
    const std::string_view plural = plural_of(kind);
    if (plural.empty()) continue;
    const bool is_global = schema.empty();
    const std::string alter =
        fmt::format("ALTER DEFAULT PRIVILEGES {}{}", for_role,
                    is_global ? "" : fmt::format("IN SCHEMA {} ", connection.quote_identifier(schema)));
    Aside& aside = privileges.by_kind_and_schema_[key];
    // An entry for all schemas stands in place of PostgreSQL's defaults, one for a schema adds to them.
    if (is_global) entry.grantees.insert({owner, "PUBLIC"});
    if (!entry.grantees.empty())
      aside.before += fmt::format("{}REVOKE ALL ON {} FROM {};\n", alter, plural, fmt::join(entry.grantees, ", "));
    if (is_global) {
      const std::string_view of_public = granted_to_public(kind);
      aside.before += fmt::format("{}GRANT ALL ON {} TO {};\n", alter, plural, owner);
      if (!of_public.empty()) aside.before += fmt::format("{}GRANT {} ON {} TO PUBLIC;\n", alter, of_public, plural);
      aside.behind += fmt::format("{}REVOKE ALL ON {} FROM {}, PUBLIC;\n", alter, plural, owner);
    }
    for (const auto& [to, rights] : entry.grants) {
      aside.behind += fmt::format("{}GRANT {} ON {} TO {}{};\n", alter, fmt::join(rights, ", "), plural, to.first,
                                  to.second ? " WITH GRANT OPTION" : "");
    }
  }
  return privileges;
}

DefaultPrivileges::Aside DefaultPrivileges::aside(std::string_view kinds,
                                                  const std::optional<std::string>& schema) const {
  Aside all;
  for (const auto& [key, aside] : by_kind_and_schema_) {
    const bool counts = !schema || key.second.empty() || key.second == *schema;
    if (!counts || kinds.find(key.first) == std::string_view::npos) continue;
    all.before += aside.before;
    all.behind += aside.behind;
  }
  // Two restores by one role would change the same rows, and PostgreSQL ends the second: it waits here instead.
  if (!all.before.empty()) all.before.insert(0, fmt::format("SELECT pg_catalog.pg_advisory_xact_lock({});\n", kLock));
  return all;
}

}  // namespace pana
