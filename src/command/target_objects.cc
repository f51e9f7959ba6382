#include "command/target_objects.h"

#include <fmt/format.h>

#include "command/object_identities.h"
#include "command/platform.h"
#include "command/restore_roles.h"
#include "command/sql_names.h"

namespace pana {

TargetObjects::TargetObjects(Connection& connection, const IndexHeader& header) {
  with_index_encoding(connection, header, [&] {
    objects_ = read_present_objects(connection);
    const QueryResult found = connection.query(fmt::format(
        "SELECT rolname, pg_catalog.pg_has_role(oid, '{}') FROM pg_catalog.pg_roles", membership_of(connection)));
    for (int row = 0; row < found.rows(); ++row) {
      roles_.insert(found.string(row, 0));
      if (found.boolean(row, 1)) ours_.insert(found.string(row, 0));
    }
  });
  for (const DatabaseObject& object : objects_) by_address_[object.address] = &object;
}

bool TargetObjects::is_platforms(const std::string& role) const {
  return looks_like_platform_role(role) && has_role(role) && !may_act_for(role);
}

const DatabaseObject* TargetObjects::find(const ObjectAddress& address) const {
  const auto found = by_address_.find(address);
  return found == by_address_.end() ? nullptr : found->second;
}

}  // namespace pana
