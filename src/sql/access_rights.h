// Rights on an object as PostgreSQL writes them in its catalogs (aclitem: "anon=r*w/postgres").
#pragma once

#include <compare>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace pana {

struct AccessRight {
  std::string grantee;  // empty: PUBLIC
  char privilege = 0;   // PostgreSQL's letter, as in its manual's table of ACL privilege abbreviations
  bool grantable = false;
  auto operator<=>(const AccessRight&) const = default;
};

struct AccessItem {
  std::set<AccessRight> rights;  // all of one grantee's
  std::string grantor;
};

// Nothing when it is no such text.
std::optional<AccessItem> parse_access_item(std::string_view item);

// "SELECT" of 'r'; empty for a letter that no PostgreSQL up to 18 has.
std::string_view privilege_name(char privilege);

}  // namespace pana
