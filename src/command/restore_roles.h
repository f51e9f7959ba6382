// The roles of a restore: which of them its statements name, which of these we may act for, and those that are made.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "command/restore_request.h"
#include "command/restore_selection.h"
#include "command/sql_names.h"
#include "pg/connection.h"

namespace pana {

// What pg_has_role() calls the right to act for a role: since 16 a member need not have it.
std::string_view membership_of(const Connection& connection);

// Adds the roles that the object's statements name.
void note_roles(const SchemaObject& object, const ScriptNames& names, NamedRoles& roles);

// Those of the statements that a RoleRewriter has rewritten, and of the large objects.
NamedRoles roles_named_by(const RestoreRequest& request, const ScriptNames& names, const RestoreSelection& selection);

struct RolesInUse {
  std::vector<std::string> missing;  // named, and not there
  std::vector<std::string> foreign;  // would own something, and we may not act for them
};

// For an action of with_index_encoding(), which is how the roles' names are returned.
RolesInUse look_at_roles(Connection& connection, const IndexHeader& header, const NamedRoles& named);

// Makes a role without login. Who is no superuser is made a member of it, and may hand objects over to it.
std::string create_role_sql(Connection& connection, const std::string& role);

// Makes them so, all or none.
void create_roles(Connection& connection, const std::vector<std::string>& roles);

// Makes of a backup's statements about roles those that this restore can run.
//  - The roles of request.role_map stand in place of the backup's: as owners, in grants, policies and user mappings.
//  - SET SESSION AUTHORIZATION, which stands before a grant whose grantor is not the owner, is for superusers alone.
//  For anybody else
//    it becomes SET ROLE, or, with a warning, nothing where we may not act for the grantor: the grant is then ours.
//  - What was granted to roles that the source had dropped is left out, with a warning.
class RoleRewriter {
 public:
  RoleRewriter(Connection& connection, const RestoreRequest& request, const ScriptNames& names, const Index& index);

  void rewrite(SchemaObject& object);
  // Throws Error(usage) when the map has a role that neither these objects nor the index name.
  void rewrite(RestoreSelection& selection);

 private:
  bool may_act_for(const std::string& role);
  void leave_out_owner_that_holds(SchemaObject& object);
  void leave_out_dropped_roles(SchemaObject& object);

  Connection& connection_;
  const RestoreRequest& request_;
  const ScriptNames& names_;
  const bool is_superuser_;
  std::set<std::string> named_;  // by the index, or mapped
  std::map<std::string, bool> may_act_for_;
  std::map<std::string, bool> is_dropped_;
};

}  // namespace pana
