// What a restore's target has, and for whom the restoring role may act there.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "format/database_object.h"
#include "format/index.h"
#include "pg/connection.h"

namespace pana {

class TargetObjects {
 public:
  // Reads them, with names as the index has them. In no action of with_index_encoding().
  TargetObjects(Connection& connection, const IndexHeader& header);
  TargetObjects(TargetObjects&&) = default;  // what is handed out points into it
  TargetObjects& operator=(TargetObjects&&) = default;

  const std::vector<DatabaseObject>& all() const { return objects_; }

  // nullptr where the target has none of that address.
  const DatabaseObject* find(const ObjectAddress& address) const;

  // Whether the restoring role is this role, or may act for it.
  bool may_act_for(const std::string& role) const { return ours_.contains(role); }
  bool has_role(const std::string& role) const { return roles_.contains(role); }
  // Whether it is a platform's: one that we cannot act for, of a name that only the platform gives.
  bool is_platforms(const std::string& role) const;

 private:
  std::vector<DatabaseObject> objects_;
  std::map<ObjectAddress, const DatabaseObject*> by_address_;
  std::set<std::string> roles_;
  std::set<std::string> ours_;
};

}  // namespace pana
