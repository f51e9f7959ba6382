// A restore into a database that has a part of the backup already: a platform's new project, a schema that migrations
// have made, a restore that did not come to its end.
//
// What is there is never run: it is compared. What is missing is made; rows go into tables that exist and are empty;
// rights end as they were in the source (command/reconcile_rights.cc). Objects are known by their address
// (DatabaseObject), never by what the server says to an attempt: where a role may not look, "permission denied" comes
// before "already exists".
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "command/not_made.h"
#include "command/object_definitions.h"
#include "command/preflight_rights.h"
#include "command/restore_cron.h"
#include "command/restore_errors.h"
#include "command/restore_request.h"
#include "command/restore_selection.h"
#include "command/sql_names.h"
#include "command/target_objects.h"
#include "format/backup_reader.h"
#include "format/index.h"
#include "pg/connection.h"

namespace pana {

// What came of it. Texts are sentences without their full stop, or names.
struct ReconcileReport {
  std::size_t made = 0;      // objects that the target lacked
  std::size_t compared = 0;  // that it had
  std::size_t rights_changed = 0;
  std::vector<std::string> different;         // what it has under that name is not what the backup has
  std::vector<std::string> only_here;         // that the backup does not have; it stays
  std::vector<std::string> left_to_platform;  // missing objects of roles that the restoring role cannot act for
  std::vector<std::string> rows_left_out;     // of tables whose rows are the target's own matter
  std::vector<std::string> columns_left_out;  // with what they held
  std::vector<std::string> rights_different;  // that the restore could not make as they were
  std::vector<std::string> cron_jobs;         // and what became of each
  std::vector<std::string> by_hand;           // what no restore of a database brings back
  std::vector<std::string> lost;              // of all this, what is the user's: the restore is not complete

  Json json() const;
};

class Reconciliation {
 public:
  // Looks, and changes nothing. Throws Error(refused) for a backup that does not know its objects' addresses. All of
  // the arguments must outlive this. In no action of with_index_encoding(), as all below.
  Reconciliation(Connection& connection, const RestoreRequest& request, const BackupReader& backup,
                 const ScriptNames& names);

  // Leaves in the selection what is to be made and loaded; notes what stands in the way of that in problems().
  void apply(RestoreSelection& selection);

  const Problems& problems() const { return problems_; }

  // The backup's, which the selection no longer has: restore_rights() runs them.
  std::vector<SchemaObject>& default_privileges() { return default_privileges_; }

  // Before any row comes in: takes back what is granted too much on tables that are there, and has row security hold.
  void close_tables(const RestoreSelection& selection, RestoreErrors& errors);

  // After the rows were loaded without triggers: whether the foreign keys of tables that were there hold.
  void check_foreign_keys(const std::map<TableId, std::uint64_t>& loaded);

  // Behind the rows: the jobs of pg_cron.
  void make_cron_jobs(RestoreErrors& errors);

  // At the end of all: gives what was granted, takes what was not, and compares.
  void restore_rights();

  // Those that fire for rows of the user's, by the request's leave.
  const std::vector<std::string>& triggers() const { return triggers_; }

  ReconcileReport& report() { return report_; }

 private:
  enum class State { there, made, platforms };

  const DatabaseObject* counterpart(const SchemaObject& object) const;
  State state_of(const SchemaObject& object, const SchemaObject* described);
  State state_of_hanging(const SchemaObject& object) const;
  bool is_made_by_us(const SchemaObject& object) const;
  bool is_in_platforms_schema(const std::string& schema) const;
  bool is_mapped(const SchemaObject& object) const;
  bool is_attached(const SchemaObject& object) const;
  void compare_bound(const SchemaObject& attachment);
  bool has_trigger_state(const SchemaObject& trigger, std::uint32_t table) const;
  std::string owner_of(const DatabaseObject& present) const;
  void note_difference(const DatabaseObject& present, std::string text);
  bool has_function_of(const SchemaObject& trigger) const;
  void compare(const SchemaObject& object, const DatabaseObject& present);
  std::pair<std::vector<std::string>, std::size_t> settle_rights(bool only_takes);
  void choose_tables(RestoreSelection& selection);
  void try_rows(const std::set<TableId>& tables, const RestoreSelection& selection, std::set<TableId>& left_out);
  bool check_triggers(const std::set<TableId>& tables, const RestoreSelection& selection, bool are_disabled);
  void choose_sequences(RestoreSelection& selection);
  bool is_loaded(const TableInfo& table);
  void take_cron_jobs(const TableInfo& table);
  void choose_columns(const TableInfo& table, const std::map<std::string, bool>& present, RestoreSelection& selection);
  std::map<std::string, bool> read_target_columns(std::uint32_t table);
  void switch_webhook_off(SchemaObject& trigger);
  void take_built_index(SchemaObject& constraint);
  void note_what_is_only_here();
  void note_by_hand(const RestoreSelection& selection);
  void note_addresses(const RestoreSelection& selection);

  Connection& connection_;
  const RestoreRequest& request_;
  const BackupReader& backup_;
  const Index& index_;
  const ScriptNames& names_;
  TargetObjects target_;
  bool is_platform_ = false;                                 // some of what is there is of a role we cannot act for
  std::map<ObjectId, const DatabaseObject*> objects_;        // of the index
  std::map<ObjectId, const DatabaseObject*> there_;          // what the target has in their place
  std::map<RelationName, const DatabaseObject*> relations_;  // of the target, that are in the backup, too
  std::map<RelationName, ObjectId> backup_relations_;
  const std::map<std::uint32_t, const ConstraintIndex*> constraint_indexes_;  // of the index
  // By the table's names: columns of the backup whose defaults have entries of their own.
  std::map<std::vector<std::string>, std::set<std::string>> separate_defaults_;
  // Of what the target has, in the script's encoding.
  std::map<ObjectId, ObjectDefinition> definitions_;
  std::set<ObjectId> made_;
  std::set<ObjectId> built_indexes_;        // of the target, whose keys are made
  std::set<ObjectId> chosen_;               // of the index: there, made or left, as far as the request wants them
  NotMade not_run_;                         // what no statement about it is run for, by their names in the script
  bool is_whole_ = false;                   // neither backup nor restore has a filter
  std::set<std::string> backup_functions_;  // schema.name, in Unicode
  std::set<std::string> functions_;         // of them, those that are there or made
  std::vector<SchemaObject> default_privileges_;
  std::vector<std::string> forced_;  // ALTER TABLE ... FORCE ROW LEVEL SECURITY, for tables of ours that are there
  std::vector<std::string> triggers_;
  std::vector<CronJob> cron_jobs_;
  Problems problems_;
  ReconcileReport report_;
};

// public.note_change of EXECUTE FUNCTION public.note_change('a'), as the script has it: the server's own have no
// schema.
std::optional<RelationName> function_of_trigger(const SchemaObject& trigger);

// ALTER TABLE ... DISABLE TRIGGER ...; of a webhook that is not switched off in the backup.
std::optional<std::string> webhook_switch(Connection& connection, const SchemaObject& trigger);

// Takes the event triggers, with what is said of them, out of the selection: they come behind all else, for they would
// see the rest of the restore.
std::vector<SchemaObject> take_event_triggers(RestoreSelection& selection);

}  // namespace pana
