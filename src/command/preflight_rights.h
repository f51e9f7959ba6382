// Whether the restoring role has the rights that a restore needs.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "command/restore.h"
#include "command/restore_roles.h"
#include "command/restore_selection.h"
#include "pg/connection.h"

namespace pana {

// What stands in the way of a restore, and what helps.
struct Problems {
  std::vector<std::string> messages;
  std::vector<std::string> hints;

  void add(std::string message, std::string hint) {
    messages.push_back(std::move(message));
    if (std::ranges::find(hints, hint) == hints.end()) hints.push_back(std::move(hint));
  }
};

// At most ten of them: a, b and 12 more
std::string list_names(const std::vector<std::string>& names);

// Whether a catalog has a row of that name. One by one: a list may hold names that the target's encoding cannot express.
bool has_named(Connection& connection, std::string_view catalog, std::string_view column, const std::string& name);

// The roles that statements name, in an action of with_index_encoding(). Returns those that are missing.
std::vector<std::string> check_roles(Connection& connection, const RestoreRequest& request, const Index& index, const NamedRoles& named,
                                     Problems& problems);

// What only a superuser can make, whatever rights are granted. A warning on platforms, whose roles may do more.
void check_superuser(Connection& connection, const RestoreSelection& selection, Problems& problems);

// CREATE on the database, for what needs it and is not there.
void check_rights(Connection& connection, const RestoreSelection& selection, Problems& problems);

// Whom somebody else than a superuser makes the owner of something must be able to create in its schema. Schemas that are there; what
// the script grants on them is granted early.
void check_creators(Connection& connection, const RestoreRequest& request, const BackupReader& backup, const RestoreSelection& selection,
                    const ScriptNames& names, Problems& problems);

}  // namespace pana
