// Makes the objects of a schema.
#pragma once

#include <functional>
#include <list>
#include <set>
#include <string>
#include <vector>

#include "base/guarded.h"
#include "base/progress.h"
#include "command/not_made.h"
#include "command/restore_errors.h"
#include "command/restore_selection.h"
#include "pg/connection.h"
#include "pg/default_privileges.h"

namespace pana {

// "TABLE public.orders", for messages.
std::string subject_of(const SchemaObject& object);

// Statements of one object that are run in one transaction.
struct SchemaStep {
  const SchemaObject* object = nullptr;
  std::vector<SchemaStatement> statements = {};
  std::uint64_t weight = 0;                      // how long it may take: bytes of the table, 0: next to nothing
  std::vector<RelationName> locked_tables = {};  // no two steps with a table in common run at once
  bool single_process = false;                   // the server is to lend it no more than one of its processes
};

// All statements of the object.
SchemaStep whole_step(const SchemaObject& object);

// The setting, for the transaction it stands in.
std::string set_local(const DefaultSetting& setting);

// For a schema that no entry makes. "public" becomes what a new database has: scripts write only what is different of
// it.
std::string create_schema_sql(Connection& connection, const std::string& name);

// Which of these schemas the target has.
std::set<std::string> existing_schemas(Connection& connection, const std::set<std::string>& names);

// Which it has of those that pre-data makes, or makes something in.
std::set<std::string> schemas_of_target(Connection& connection, const RestoreSelection& selection);

// What pre-data is made by.
struct PreDataSteps {
  std::function<void(const std::string& name)> make_schema;  // one that no entry makes
  std::function<void(const SchemaObject& object)> make;
  std::function<void(const std::vector<std::string>& grants)> grant_early;
};

// The pre-data objects, one by one. What is granted on a schema stands at the very end of a script; who is to own what
// stands in it may need that before, and gets it then. A table whose schema no entry makes gets one to be in.
// `existing`: schemas_of_target().
void for_pre_data(const RestoreSelection& selection, const std::set<std::string>& existing, const PreDataSteps& steps);

// Whether it is the comment that an extension came with, which only its owner may set: pg_dump writes it as if somebody
// had made it.
bool is_comment_of_extension(const SchemaObject& object);

// Runs steps. The settings that stand before an object in the script are made for its transaction and go with it, so no
// step depends on what ran before it, on this connection or another one. May be called from several threads.
//
// A step is had whole, or else its error is thrown. When errors are collected, what cannot be had whole is taken
// statement by statement, and each that fails is one of them: a right that cannot be granted costs no other right, a
// setting that the server lacks no table. An object whose definition failed is not tried again, nor is anything run
// that belongs to it: the target may have something of that name.
class SchemaRunner {
 public:
  SchemaRunner(RestoreErrors& errors, Progress& progress, DefaultPrivileges default_privileges)
      : errors_(errors), progress_(progress), default_privileges_(std::move(default_privileges)) {}

  void run(Connection& connection, const SchemaStep& step);

  // Runs all objects in one transaction, or, when that is refused, each in its own. They need not live longer.
  void run_together(Connection& connection, const std::vector<SchemaObject>& objects);

  // When errors are collected: one more object that could not be restored.
  void lose(const std::string& subject, const std::string& why) { errors_.take_consequence(subject, why); }

  // Whether its definition was refused, or left out.
  bool has_failed(const SchemaObject& object) {
    return failed_.with([&object](const auto& failed) { return failed.contains(&object); });
  }

  // What was refused so far.
  NotMade not_made() {
    return not_made_.with([](const NotMade& not_made) { return not_made; });
  }

  // Makes a schema that no entry makes.
  void create_schema(Connection& connection, const std::string& name);

 private:
  static constexpr int kAttempts = 10;
  void tell_refused_grants(Connection& connection, const std::string& subject);
  void leave_out(const SchemaObject& object);
  bool is_of_something_not_made(const SchemaObject& object);
  static bool is_of_the_moment(const DatabaseError& error);
  void run_whole(Connection& connection, const SchemaStep& step) const;
  bool run_by_statements(Connection& connection, const SchemaStep& step, const std::string& subject);

  RestoreErrors& errors_;
  Progress& progress_;
  const DefaultPrivileges default_privileges_;
  std::list<SchemaObject> own_;  // the schemas that no entry makes; only before the threads begin
  Guarded<std::set<const SchemaObject*>> failed_;
  Guarded<NotMade> not_made_;
};

// Makes the pre-data objects. A schema that is there already is not made, but gets its owner and all else that its
// entry says.
void run_pre_data(Connection& connection, const RestoreSelection& selection, SchemaRunner& runner);

}  // namespace pana
