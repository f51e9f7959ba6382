// What a role's default privileges (ALTER DEFAULT PRIVILEGES) add to the objects that it makes.
//
// A backup says what differs from PostgreSQL's own defaults; where the restoring role has defaults of its own, as on
// many platforms, an object that it makes would be open to more roles than in the source. So they are set aside, and
// put back, in the transaction that makes the object: other sessions never see them missing, and a crash leaves them as
// they were.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "pg/connection.h"

namespace pana {

// Kinds of objects as in pg_default_acl.defaclobjtype: r relations, S sequences, f functions, T types, n schemas,
// L large objects.
class DefaultPrivileges {
 public:
  // Those of the session's role, or of another that it may act for. Names are in the session's encoding.
  static DefaultPrivileges read(Connection& connection, const std::optional<std::string>& role = std::nullopt);

  // Statements for before and behind what makes objects of these kinds in that schema (of no schema: in any); none
  // where nothing is set for them.
  struct Aside {
    std::string before;
    std::string behind;
  };
  Aside aside(std::string_view kinds, const std::optional<std::string>& schema) const;

 private:
  std::map<std::pair<char, std::string>, Aside> by_kind_and_schema_;  // of no schema: for all of them
};

}  // namespace pana
