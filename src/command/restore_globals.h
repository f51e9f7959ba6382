// The globals of a backup: its roles, and the properties of its database, into the target's cluster.
//
// What the target does not allow is warned of and reported, and everything else goes on: platforms let nobody make a
// superuser. Roles that are there keep their attributes, settings and memberships, which is said where these differ:
// they may serve other databases.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "command/restore_request.h"
#include "format/index.h"
#include "pg/connection.h"

namespace pana {

// What lies outside of the database. The target's rights and its own roles limit what `globals` brings back, which is
// no error.
struct RestoredGlobals {
  std::vector<std::string> roles;         // that were made
  std::vector<std::string> not_restored;  // each a sentence
};

// For an action of with_index_encoding(), whose names these are.
class GlobalsRestore {
 public:
  // `index` must have globals.
  GlobalsRestore(Connection& connection, const RestoreRequest& request, const Index& index);

  // Makes the roles that are missing, with their attributes, settings and memberships, in one transaction. Those of
  // `needed` throw when they cannot be made.
  void make_roles(const std::vector<std::string>& needed);

  // Makes the database its owner's. Before the schema: who owns the database may own what is in the schema public.
  void give_database_away();

  // Settings, comment, connection limit and grants of the database.
  void restore_database();

  // Does both in a transaction of the caller's, who then rolls it back, without a word: to see what the roles may do
  // afterwards.
  void try_out(const std::vector<std::string>& needed);

  const RestoredGlobals& result() const { return result_; }

 private:
  void in_transaction(const std::function<void()>& action);
  // A statement of such a transaction, which goes on when it is refused: that is lost then. Returns whether it went
  // well.
  bool attempt(const std::string& loss, const std::string& sql);
  void lose(std::string what);  // told when the transaction is committed
  void make_missing_roles(const std::vector<std::string>& needed);
  void change_owner();
  void define_role(const RoleDefinition& role);
  void compare_role(const RoleDefinition& role, const RoleDefinition& present);
  void grant_membership(const RoleMembership& membership);
  bool is_made(const std::string& role) const;    // by this restore
  bool is_chosen(const std::string& role) const;  // to stand for one of the backup's
  void compare_setting(const RoleSetting& setting);
  void set(const RoleSetting& setting);
  void restore_grants();

  Connection& connection_;
  const RestoreRequest& request_;
  Globals wanted_;              // the backup's, as this session writes names, the roles of request.role_map in place
  const Globals present_;       // the target's
  std::string owner_;           // whose the target is by now
  const std::string database_;  // its name, quoted
  std::vector<std::string> without_password_;
  RestoredGlobals result_;
  std::size_t told_ = 0;  // of what is not restored
};

}  // namespace pana
