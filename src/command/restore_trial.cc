#include "command/restore_trial.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <optional>
#include <set>

#include "command/restore_schema.h"

namespace pana {
namespace {

// Makes what is chosen, without rows, to see what the target lacks.
class Trial {
 public:
  explicit Trial(Connection& connection) : connection_(connection) {}

  std::vector<std::string> run(const RestoreSelection& selection) {
    std::set<std::string> schemas;
    std::vector<const SchemaObject*> batch;
    const auto add = [&](const SchemaObject& object) {
      constexpr std::size_t kBatch = 100;
      if (object.type == "MATERIALIZED VIEW DATA") return;
      batch.push_back(&object);
      if (batch.size() < kBatch) return;
      try_out(batch);
      batch.clear();
    };
    for (const SchemaObject& object : selection.pre_data) {
      if (object.makes_schema) schemas.insert(*object.makes_schema);
    }
    for (const SchemaObject& object : selection.pre_data) {
      if (object.relation && schemas.insert(object.relation->schema).second && existing_schemas(connection_, {object.relation->schema}).empty()) {
        connection_.query("CREATE SCHEMA IF NOT EXISTS " + connection_.quote_identifier(object.relation->schema));
      }
      add(object);
    }
    std::ranges::for_each(selection.post_data, add);
    try_out(batch);
    refuse_strange_partitions();
    return std::move(missing_);
  }

 private:
  // What is in their place (another partition, rows in the default one, an index of another kind) would be in the way after all
  // rows were loaded.
  void refuse_strange_partitions() const {
    if (not_attached_.empty()) return;
    throw Error(ErrorKind::refused, fmt::format("the target's partitioned tables do not take the chosen partitions: {}", fmt::join(not_attached_, "; ")),
                "detach or drop what is in their place; --keep-going restores them as tables of their own");
  }

  // All at once, or, when something is missing, one by one: a transaction within the transaction for each is slow.
  void try_out(const std::vector<const SchemaObject*>& batch) {
    std::string sql;
    for (const SchemaObject* const object : batch) sql += statements_of(*object);
    if (batch.empty() || !run(sql)) return;
    for (const SchemaObject* const object : batch) {
      if (object->relation && lost_.contains(*object->relation)) continue;  // follows from the first failure
      const std::optional<DatabaseError> error = run(statements_of(*object));
      if (!error) continue;
      if (object->relation) lost_.insert(*object->relation);
      if ((object->type == "TABLE ATTACH" || object->type == "INDEX ATTACH") && object->relation) {
        not_attached_.push_back(fmt::format("{}.{}: {}", object->relation->schema, object->relation->name, error->what()));
      }
      if (std::ranges::find(kMissing, error->sqlstate()) != kMissing.end()) missing_.push_back(fmt::format("{}: {}", subject_of(*object), error->what()));
    }
  }

  static std::string statements_of(const SchemaObject& object) {
    std::string sql;
    for (const DefaultSetting& setting : object.settings) sql += set_local(setting);
    for (const SchemaStatement& statement : object.statements) {
      if (statement.role == StatementRole::definition || statement.role == StatementRole::property) sql += statement.sql + "\n";
    }
    return sql;
  }

  std::optional<DatabaseError> run(const std::string& sql) try {
    connection_.query("SAVEPOINT trial;\n" + sql + "RELEASE SAVEPOINT trial");
    return std::nullopt;
  } catch (const DatabaseError& error) {
    if (!connection_.is_alive() || error.sqlstate() == kOutOfMemory) throw;
    connection_.query("ROLLBACK TO SAVEPOINT trial; RELEASE SAVEPOINT trial");
    return error;
  }

  // undefined_object, undefined_function, undefined_table, undefined_column, invalid_schema_name
  static constexpr std::array kMissing = {"42704", "42883", "42P01", "42703", "3F000"};

  Connection& connection_;
  std::vector<std::string> missing_;
  std::vector<std::string> not_attached_;
  std::set<RelationName> lost_;
};

}  // namespace

std::vector<std::string> find_missing(Connection& connection, const RestoreSelection& selection) {
  return Trial(connection).run(selection);
}

}  // namespace pana
