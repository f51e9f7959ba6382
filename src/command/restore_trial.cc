#include "command/restore_trial.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>
#include <set>

#include "command/restore_schema.h"
#include "pg/character.h"
#include "pg/transaction.h"
#include "sql/role_names.h"
#include "sql/table_adaptation.h"

namespace pana {
namespace {

std::optional<DatabaseError> attempt(Connection& connection, const std::string& sql) {
  std::optional<DatabaseError> refusal = try_in_savepoint(connection, sql);
  if (refusal && refusal->sqlstate() == kOutOfMemory) throw DatabaseError(*refusal);  // the trial has no room to go on
  return refusal;
}

// Where the object stands.
std::optional<std::string> schema_that_has(const SchemaObject& object) {
  if (object.relation) return object.relation->schema;
  if (object.makes_schema || object.schema.empty() || object.schema == "-") return object.makes_schema;
  return object.schema;
}

bool makes_relation(const SchemaObject& object) {
  constexpr std::array kRelations = {"TABLE", "VIEW", "MATERIALIZED VIEW", "FOREIGN TABLE", "SEQUENCE"};
  return std::ranges::find(kRelations, object.type) != kRelations.end();
}

// Makes what is chosen, without rows, to see what the target lacks and refuses.
class Trial {
 public:
  Trial(Connection& connection, bool adapts) : connection_(connection), adapts_(adapts) {}

  TrialFindings run(const RestoreSelection& selection) {
    kept_ = schemas_of_target(connection_, selection);
    const auto try_statement = [this](const std::string& sql) {
      try_batch();
      attempt(connection_, sql);
    };
    for_pre_data(
        selection, kept_,
        {.make_schema = [&](const std::string& name) { try_statement(create_schema_sql(connection_, name)); },
         .make = [this](const SchemaObject& object) { add(object); },
         .grant_early = [&](const std::vector<std::string>& grants) { std::ranges::for_each(grants, try_statement); }});
    for (const SchemaObject& object : selection.post_data) add(object);
    try_batch();
    // A call in a policy may mean another function where its table's columns have another type.
    for (const SchemaObject& object : selection.post_data) {
      if (object.type == "POLICY" && object.relation && adapted_.contains(*object.relation)) note_opened(object);
    }
    return std::move(findings_);
  }

 private:
  void add(const SchemaObject& object) {
    constexpr std::size_t kBatch = 100;
    if (object.type == "MATERIALIZED VIEW DATA") return;
    batch_.push_back(&object);
    if (batch_.size() == kBatch) try_batch();
  }

  // All at once, or, when something is refused, one by one: a transaction within the transaction for each is slow.
  void try_batch() {
    std::string sql;
    for (const SchemaObject* const object : batch_) sql += statements_of(*object, Rights::all);
    if (!sql.empty() && attempt(connection_, sql)) {
      for (const SchemaObject* const object : batch_) try_alone(*object);
    }
    batch_.clear();
  }

  void try_alone(const SchemaObject& object) {
    if (object.relation && lost_.contains(*object.relation)) return;  // follows from the first failure
    if (object.type == "INDEX ATTACH" && object.relation && alone_.contains(*object.relation)) return;
    std::optional<DatabaseError> error = attempt(connection_, statements_of(object, Rights::all));
    if (error && adapts_ && object.type == "TABLE") error = attempt_adapted(object, std::move(error));
    if (!error) return;
    if (error->sqlstate() == kInsufficientPrivilege) {
      if (is_comment_of_extension(object)) return;  // a warning
      // Is it the object, or whose it is to be? With the object there, what needs it can be tried.
      const std::optional<DatabaseError> without = attempt(connection_, statements_of(object, Rights::none));
      if (!without) return refuse(object, *error, what_is_refused(object));
      if (without->sqlstate() == kInsufficientPrivilege) refuse(object, *without, StatementRole::definition);
      error = without;
    }
    const bool is_consequence = follows_from_lost(*error);
    const bool is_attachment = object.type == "TABLE ATTACH" || object.type == "INDEX ATTACH";
    if (object.relation && makes_relation(object)) lost_.insert(*object.relation);
    if (object.relation && is_attachment) alone_.insert(*object.relation);
    if (object.type == "POLICY" && is_restrictive(object)) note_opened(object);
    if (object.relation && object.type == "TABLE") findings_.lost.insert(*object.relation);
    if (is_consequence) return;
    if (is_attachment && object.relation && !(adapts_ && is_of_something_missing(*error))) {
      findings_.not_attached.push_back(
          fmt::format("{}.{}: {}", object.relation->schema, object.relation->name, error->what()));
    }
    const std::string finding = fmt::format("{}: {}", subject_of(object), error->what());
    if (std::ranges::find(kTaken, error->sqlstate()) != kTaken.end() && !object.publication)
      findings_.taken.push_back(finding);
    if (is_of_something_missing(*error)) findings_.missing.push_back(finding);
  }

  // As often as the server finds something else in it that it does not know.
  std::optional<DatabaseError> attempt_adapted(const SchemaObject& object, std::optional<DatabaseError> error) {
    const std::optional<DatabaseError> first = error;
    SchemaObject adapted = object;
    std::vector<std::string> adaptations;
    const auto definition = std::ranges::find(adapted.statements, StatementRole::definition, &SchemaStatement::role);
    while (error && definition != adapted.statements.end()) {
      const std::string sql = statements_of(adapted, Rights::all);
      const std::size_t begin = sql.find(definition->sql);
      const std::size_t byte =
          byte_of_character(sql, error->character(), std::string(connection_.parameter("client_encoding")));
      if (error->character() == 0 || !is_of_something_missing(*error) || byte < begin) return first;
      std::optional<TableAdaptation> next = without_unknown(definition->sql, byte - begin);
      if (!next) return first;
      definition->sql = std::move(next->sql);
      adaptations.push_back(fmt::format("{}: {}", subject_of(object), next->what));
      error = attempt(connection_, statements_of(adapted, Rights::all));
    }
    if (error) return first;
    findings_.adapted[&object] = definition->sql;
    if (object.relation) adapted_.insert(*object.relation);
    std::ranges::move(adaptations, std::back_inserter(findings_.adaptations));
    return std::nullopt;
  }

  static bool is_restrictive(const SchemaObject& policy) {
    return !policy.statements.empty() && policy.statements.front().sql.find(" AS RESTRICTIVE ") != std::string::npos;
  }

  void note_opened(const SchemaObject& policy) {
    if (std::ranges::find(findings_.opened, subject_of(policy)) == findings_.opened.end())
      findings_.opened.push_back(subject_of(policy));
  }

  // What is missing is something that could not be made itself.
  bool follows_from_lost(const DatabaseError& error) const {
    return std::ranges::any_of(lost_, [&error](const RelationName& relation) {
      return error.what() == fmt::format("relation \"{}.{}\" does not exist", relation.schema, relation.name);
    });
  }

  static StatementRole what_is_refused(const SchemaObject& object) {
    const auto is_of_owner = [](const SchemaStatement& statement) { return statement.role == StatementRole::owner; };
    return std::ranges::any_of(object.statements, is_of_owner) ? StatementRole::owner : StatementRole::privilege;
  }

  void refuse(const SchemaObject& object, const DatabaseError& error, StatementRole what) {
    Refusal refusal{
        .object = &object, .why = error.what(), .what = what, .owner = {}, .kept_schema = schema_that_has(object)};
    if (refusal.kept_schema && !kept_.contains(*refusal.kept_schema)) refusal.kept_schema.reset();
    for (const SchemaStatement& statement : object.statements) {
      if (what != StatementRole::owner || statement.role != StatementRole::owner) continue;
      const std::optional<std::string> owner = parse_simple_name(role_names_in(object, statement).front());
      refusal.owner = owner.value_or("");
    }
    findings_.refused.push_back(std::move(refusal));
  }

  enum class Rights { all, none };

  std::string statements_of(const SchemaObject& object, Rights rights) const {
    const bool is_there = object.makes_schema && kept_.contains(*object.makes_schema);
    std::string sql;
    for (const DefaultSetting& setting : object.settings) sql += set_local(setting);
    for (const SchemaStatement& statement : object.statements) {
      const bool is_of_rights = statement.role == StatementRole::owner || statement.role == StatementRole::privilege;
      if ((is_of_rights && rights == Rights::none) || (is_there && statement.role == StatementRole::definition))
        continue;
      sql += statement.sql + "\n";
    }
    return sql;
  }

  // duplicate_table (relations of any kind), duplicate_object, duplicate_function
  static constexpr std::array kTaken = {"42P07", "42710", "42723"};
  Connection& connection_;
  const bool adapts_;
  TrialFindings findings_;
  std::set<std::string> kept_;  // schemas
  std::vector<const SchemaObject*> batch_;
  std::set<RelationName> lost_;
  std::set<RelationName> alone_;  // partitions that are tables of their own
  std::set<RelationName> adapted_;
};

}  // namespace

TrialFindings try_objects(Connection& connection, const RestoreSelection& selection, bool adapts) {
  return Trial(connection, adapts).run(selection);
}

}  // namespace pana
