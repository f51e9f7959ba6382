// Whether the restoring role has the rights that a restore needs.
#pragma once

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "command/restore_request.h"
#include "command/restore_roles.h"
#include "command/restore_selection.h"
#include "command/restore_trial.h"
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

  // Throws Error(refused) with all of them, if there are any.
  void refuse() const;
};

// At most ten of them: a, b and 12 more
std::string list_names(const std::vector<std::string>& names);

// Whether a catalog has a row of that name. One by one: a list may hold names that the target's encoding cannot
// express.
bool has_named(Connection& connection, std::string_view catalog, std::string_view column, const std::string& name);

// Those that policies and user mappings name, in Unicode: neither --no-owner nor --no-privileges does without them.
std::set<std::string> roles_of_policies(const RestoreSelection& selection, const ScriptNames& names);

// The roles that statements name, in an action of with_index_encoding(). Returns those that are missing.
std::vector<std::string> check_roles(Connection& connection, const RestoreRequest& request, const Index& index,
                                     const NamedRoles& named, const std::set<std::string>& of_policies,
                                     Problems& problems);

// What only a superuser can make, whatever rights are granted. A warning on platforms, whose roles may do more.
void check_superuser(Connection& connection, const RestoreSelection& selection, Problems& problems);

// Whether something is to be owned by a role that is no superuser, or not there yet, though PostgreSQL wants a
// superuser for its owner.
bool has_owner_without_superuser(Connection& connection, const RestoreSelection& selection);

// CREATE on the database, for what needs it and is not there.
void check_rights(Connection& connection, const RestoreSelection& selection, Problems& problems);

// Whether rows can be loaded into the tables that are there, in an action of with_index_encoding().
void check_loading(Connection& connection, const Index& index, const RestoreSelection& selection, Problems& problems);

// The sequences that get values and the materialized views that are filled, where no definition makes them.
void check_sequences_and_views(Connection& connection, const RestoreSelection& selection, Problems& problems);

// What a trial was refused for want of rights.
void add_refusals(Connection& connection, const RestoreRequest& request, const std::vector<Refusal>& refusals,
                  Problems& problems);

}  // namespace pana
