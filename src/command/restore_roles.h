// The roles of a restore: which of them its statements name, which of these we may act for, and those that are made.
#pragma once

#include <string>
#include <vector>

#include "command/restore.h"
#include "command/restore_selection.h"
#include "pg/connection.h"

namespace pana {

struct RolesInUse {
  std::vector<std::string> missing;  // named, and not there
  std::vector<std::string> foreign;  // would own something, and we may not act for them
};

// Names are those of the index: in an action of with_index_encoding().
RolesInUse look_at_roles(Connection& connection, const RestoreRequest& request, const Index& index, const RestoreSelection& selection);

// Makes a role without login. Who is no superuser is made a member of it, and may hand objects over to it.
std::string create_role_sql(Connection& connection, const std::string& role);

// Makes them so, all or none.
void create_roles(Connection& connection, const std::vector<std::string>& roles);

// Puts the roles of request.role_map in place of the backup's: as owners, in grants, policies and user mappings.
void map_roles(Connection& connection, const RestoreRequest& request, RestoreSelection& selection);

// SET SESSION AUTHORIZATION, which stands before a grant whose grantor is not the owner, is for superusers alone. For anybody else
// it becomes SET ROLE, or, with a warning, nothing where we may not act for the grantor: the grant is then ours.
void grant_as_we_may(Connection& connection, const RestoreRequest& request, RestoreSelection& selection);

}  // namespace pana
