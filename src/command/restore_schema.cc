#include "command/restore_schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <map>
#include <mutex>
#include <set>

#include "base/parallel.h"

namespace pana {
namespace {

std::string local(const DefaultSetting& setting) { return "SET LOCAL" + setting.sql.substr(3) + "\n"; }

// Of what kinds the objects are that the step makes, for DefaultPrivileges. An extension makes what it likes; a range type
// brings functions along, an identity column a sequence.
std::string_view kinds_made_by(const SchemaStep& step) {
  if (std::ranges::none_of(step.statements, [](const SchemaStatement& statement) { return statement.role == StatementRole::definition; })) return {};
  const std::string_view type = step.object->type;
  if (type == "TABLE" || type == "VIEW" || type == "MATERIALIZED VIEW" || type == "FOREIGN TABLE") return "r";
  if (type == "FUNCTION" || type == "PROCEDURE" || type == "AGGREGATE") return "f";
  if (type == "TYPE" || type == "DOMAIN") return "Tf";
  if (type == "SEQUENCE") return "S";
  if (type == "SCHEMA") return "n";
  if (type == "BLOB") return "L";
  return type == "EXTENSION" ? "rSfTnL" : "";
}

// The one in which the step makes something. Nothing where that is not known: TOC comments have blanks for line ends.
std::optional<std::string> schema_of(const SchemaObject& object) {
  if (object.type == "EXTENSION" || object.type == "SCHEMA" || object.type == "BLOB") return std::nullopt;
  if (object.relation) return object.relation->schema;
  return object.schema.find(' ') == std::string::npos ? std::optional(object.schema) : std::nullopt;
}

// pg_dump writes the comment that an extension came with as if somebody had made it. Where the extension is somebody else's, as on
// most platforms, only they may comment it.
bool is_comment_of_anothers_extension(const SchemaObject& object, const DatabaseError& error) {
  constexpr std::string_view kInsufficientPrivilege = "42501";
  return object.type == "COMMENT" && object.name.starts_with("EXTENSION ") && error.sqlstate() == kInsufficientPrivilege;
}

// All statements of the object.
SchemaStep whole_step(const SchemaObject& object) { return {.object = &object, .statements = object.statements}; }

// What is left to do for an object that is there.
SchemaStep step_without_definition(const SchemaObject& object) {
  SchemaStep step{.object = &object};
  for (const SchemaStatement& statement : object.statements) {
    if (statement.role != StatementRole::definition) step.statements.push_back(statement);
  }
  return step;
}

// As far as they go: their own entries come at the end, and tell what is refused.
void grant_early(Connection& connection, const std::vector<std::string>& grants) {
  for (const std::string& grant : grants) {
    try {
      connection.query(grant);
    } catch (const DatabaseError&) {
      if (!connection.is_alive()) throw;
    }
  }
  connection.take_refused_grants();
}

// Which of these schemas the target has.
std::set<std::string> existing_schemas(Connection& connection, const std::set<std::string>& names) {
  std::vector<std::string> literals;
  for (const std::string& name : names) literals.push_back(connection.quote_literal(name));
  const QueryResult found = connection.query(fmt::format(
      "SELECT name FROM pg_catalog.unnest(ARRAY[{}]::text[]) AS name "
      "WHERE EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = name)", fmt::join(literals, ", ")));
  std::set<std::string> existing;
  for (int row = 0; row < found.rows(); ++row) existing.insert(found.string(row, 0));
  return existing;
}

// Cuts the objects into runs and carries them out.
class PostData {
 public:
  PostData(std::span<Connection> connections, const RestoreSelection& selection, const Index& index, SchemaRunner& runner,
           const std::stop_token& stop)
      : connections_(connections), runner_(runner), stop_(stop) {
    for (const SchemaObject& object : selection.pre_data) {
      if (object.type == "TABLE ATTACH" && object.relation && object.refers_to) partitions_[*object.refers_to].push_back(*object.relation);
    }
    for (const TableInfo& table : index.tables) {
      bytes_[{table.schema, table.name}] = table.content.bytes;
      for (const ConstraintIndex& constraint : table.constraint_indexes) {
        constraint_indexes_[constraint.constraint_oid] = &constraint;
      }
    }
  }

  void run(const std::vector<SchemaObject>& objects) {
    for (const SchemaObject& object : objects) {
      const Run kind = run_of(object);
      if (kind != run_ && !(kind == Run::comment && run_ != Run::single)) end_run();
      if (kind != Run::comment) run_ = kind;
      add(object, kind);
    }
    end_run();
  }

 private:
  enum class Run { single, indexes, foreign_keys, comment };

  static Run run_of(const SchemaObject& object) {
    if (object.type == "INDEX" || object.type == "CONSTRAINT") return Run::indexes;
    if (object.type == "FK CONSTRAINT") return Run::foreign_keys;
    return object.type == "COMMENT" ? Run::comment : Run::single;
  }

  void add(const SchemaObject& object, Run kind) {
    if (kind == Run::indexes) return add_index(object);
    SchemaStep step = whole_step(object);
    if (kind == Run::foreign_keys && object.relation && object.refers_to) {
      add_with_partitions(*object.relation, step.locked_tables);
      add_with_partitions(*object.refers_to, step.locked_tables);
    }
    (kind == Run::foreign_keys ? first_ : last_).push_back(std::move(step));
  }

  void add_index(const SchemaObject& object) {
    SchemaStep build{.object = &object, .weight = weight_of(object)};
    SchemaStep rest = build;
    for (const SchemaStatement& statement : object.statements) {
      (statement.role == StatementRole::definition ? build : rest).statements.push_back(statement);
    }
    const auto known = constraint_indexes_.find(object.object_id);
    if (object.type == "CONSTRAINT" && known == constraint_indexes_.end()) {
      second_.push_back(whole_step(object));
      second_.back().weight = build.weight;
      return;
    }
    if (object.type == "CONSTRAINT") {
      build.statements = {{.sql = known->second->create_index + ";"}};
      rest.statements.insert(rest.statements.begin(), {.sql = known->second->add_constraint + ";"});
    }
    // What else an entry does to its table (CLUSTER ON, REPLICA IDENTITY) locks it, and must not do so while other
    // indexes of the table are being built in transactions that want the same.
    first_.push_back(std::move(build));
    second_.push_back(std::move(rest));
  }

  void add_with_partitions(const RelationName& table, std::vector<RelationName>& tables) const {
    tables.push_back(table);
    const auto found = partitions_.find(table);
    if (found == partitions_.end()) return;
    for (const RelationName& partition : found->second) add_with_partitions(partition, tables);
  }

  std::uint64_t weight_of(const SchemaObject& object) const {
    const auto known = object.relation ? bytes_.find(*object.relation) : bytes_.end();
    return known == bytes_.end() ? 0 : known->second;
  }

  void end_run() {
    run_together(std::exchange(first_, {}));
    run_together(std::exchange(second_, {}));
    for (const SchemaStep& step : std::exchange(last_, {})) runner_.run(connections_.front(), step);
    run_ = Run::single;
  }

  void run_together(std::vector<SchemaStep> steps);

  std::span<Connection> connections_;
  SchemaRunner& runner_;
  const std::stop_token& stop_;
  std::map<RelationName, std::vector<RelationName>> partitions_;
  std::map<RelationName, std::uint64_t> bytes_;
  std::map<std::uint32_t, const ConstraintIndex*> constraint_indexes_;
  Run run_ = Run::single;
  std::vector<SchemaStep> first_;   // may run side by side
  std::vector<SchemaStep> second_;  // side by side, when those are done
  std::vector<SchemaStep> last_;    // one by one, at the end
};

// Hands out steps whose tables are free.
class Schedule {
 public:
  explicit Schedule(std::vector<SchemaStep> steps) : steps_(std::move(steps)) {}

  // The next step that may run now; waits while all that are left want a table in use. Nothing when none is left.
  std::optional<SchemaStep> take(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    auto found = steps_.end();
    const bool ready = freed_.wait(lock, stop, [&] {
      found = std::find_if(steps_.begin(), steps_.end(), [this](const SchemaStep& step) { return is_free(step); });
      return found != steps_.end() || steps_.empty();
    });
    if (!ready || steps_.empty()) return std::nullopt;
    SchemaStep step = std::move(*found);
    steps_.erase(found);
    in_use_.insert(step.locked_tables.begin(), step.locked_tables.end());
    return step;
  }

  void done(const SchemaStep& step) {
    const std::lock_guard lock(mutex_);
    for (const RelationName& table : step.locked_tables) in_use_.erase(table);
    freed_.notify_all();
  }

 private:
  bool is_free(const SchemaStep& step) const {
    return std::none_of(step.locked_tables.begin(), step.locked_tables.end(),
                        [this](const RelationName& table) { return in_use_.contains(table); });
  }

  std::mutex mutex_;
  std::condition_variable_any freed_;
  std::vector<SchemaStep> steps_;
  std::set<RelationName> in_use_;
};

// The server may lend an index several of its processes, which take more time together than one does alone. That pays only
// for an index that would otherwise be the last one being built.
void choose_parallelism(std::vector<SchemaStep>& steps, std::size_t connections) {
  std::uint64_t total = 0;
  for (const SchemaStep& step : steps) total += step.weight;
  for (SchemaStep& step : steps) step.single_process = step.weight > 0 && step.weight <= total / connections;
}

void PostData::run_together(std::vector<SchemaStep> steps) {
  std::erase_if(steps, [](const SchemaStep& step) { return step.statements.empty(); });
  if (steps.empty()) return;
  if (connections_.size() > 1) choose_parallelism(steps, connections_.size());
  std::stable_sort(steps.begin(), steps.end(), [](const SchemaStep& a, const SchemaStep& b) { return a.weight > b.weight; });
  const std::size_t count = std::min(connections_.size(), steps.size());
  Schedule schedule(std::move(steps));
  std::vector<Task> tasks;
  for (Connection& connection : connections_.first(count)) {
    tasks.emplace_back([&](const std::stop_token& stop) {
      connection.set_stop(stop);
      while (const std::optional<SchemaStep> step = schedule.take(stop)) {
        runner_.run(connection, *step);
        schedule.done(*step);
      }
    });
  }
  run_parallel(tasks, stop_);
  for (Connection& connection : connections_) connection.set_stop(stop_);
}

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
    return std::move(missing_);
  }

 private:
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
      if (std::ranges::find(kMissing, error->sqlstate()) != kMissing.end()) missing_.push_back(fmt::format("{}: {}", subject_of(*object), error->what()));
    }
  }

  static std::string statements_of(const SchemaObject& object) {
    std::string sql;
    for (const DefaultSetting& setting : object.settings) sql += local(setting);
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
  std::set<RelationName> lost_;
};

}  // namespace

std::map<std::string, std::vector<std::string>> grants_on_schemas(const RestoreSelection& selection) {
  std::map<std::string, std::vector<std::string>> grants;
  for (const SchemaObject& object : selection.post_data) {
    bool is_owners = object.type == "ACL";
    for (const SchemaStatement& statement : object.statements) {
      SqlLexemes lexemes(statement.sql);
      if (lexemes.skip({"SET"}) || lexemes.skip({"RESET"})) is_owners = false;
      if (!is_owners || !lexemes.skip({"GRANT"})) continue;
      std::string_view lexeme = lexemes.next();
      while (!lexeme.empty() && !is_keyword(lexeme, "ON")) lexeme = lexemes.next();
      if (!lexemes.skip({"SCHEMA"})) break;
      const std::vector<std::string> name = parse_name(lexemes.qualified_name());
      if (name.size() == 1) grants[name[0]].push_back(statement.sql);
    }
  }
  return grants;
}

std::string subject_of(const SchemaObject& object) {
  const bool schema_helps = object.schema != "-" && !object.schema.empty();
  return object.type + " " + (schema_helps ? object.schema + "." : "") + object.name;
}

void SchemaRunner::run(Connection& connection, const SchemaStep& step) {
  const bool has_failed = failed_.with([&step](const auto& failed) { return failed.contains(step.object); });
  if (step.statements.empty() || has_failed) return;
  const std::string subject = subject_of(*step.object);
  progress_.set_activity(subject);
  errors_.attempt(subject, connection, [&] {
    try {
      run_whole(connection, step);
    } catch (const DatabaseError& error) {
      if (!connection.is_alive()) throw;
      if (is_comment_of_anothers_extension(*step.object, error)) {
        log(LogLevel::warning, "extension_comment", fmt::format("cannot restore {}, which came with the extension: {}", subject, error.what()));
        return;
      }
      if (!errors_.keep_going()) throw;
      if (run_by_statements(connection, step, subject)) return;
      failed_.with([&step](auto& failed) { failed.insert(step.object); });
    }
  });
  tell_refused_grants(connection, subject);
}

// Steps that lock tables in common are not run side by side as far as that is known; the server ends one of two that wait for
// each other all the same. And somebody else may change the default privileges that are set aside.
bool SchemaRunner::is_of_the_moment(const DatabaseError& error) {
  constexpr std::string_view kDeadlock = "40P01";
  constexpr std::string_view kInternalError = "XX000";
  return error.sqlstate() == kDeadlock ||
         (error.sqlstate() == kInternalError && std::string_view(error.what()).starts_with("tuple concurrently "));
}

void SchemaRunner::run_whole(Connection& connection, const SchemaStep& step) const {
  const DefaultPrivileges::Aside aside = default_privileges_.aside(kinds_made_by(step), schema_of(*step.object));
  // Several statements in one query are one transaction, and what is LOCAL ends with it.
  std::string sql = step.single_process ? "SET LOCAL max_parallel_maintenance_workers = 0;\n" : "";
  for (const DefaultSetting& setting : step.object->settings) sql += local(setting);
  sql += aside.before;
  for (const SchemaStatement& statement : step.statements) sql += statement.sql + "\n";
  sql += aside.behind;
  for (int attempt = 1;; ++attempt) {
    try {
      connection.query(sql);
      return;
    } catch (const DatabaseError& error) {
      if (!is_of_the_moment(error) || attempt == kAttempts || !connection.is_alive()) throw;
    }
  }
}

// Returns whether the definition was run, or there was none.
bool SchemaRunner::run_by_statements(Connection& connection, const SchemaStep& step, const std::string& subject) {
  const DefaultPrivileges::Aside aside = default_privileges_.aside(kinds_made_by(step), schema_of(*step.object));
  for (int attempt = 1;; ++attempt) {
    try {
      connection.query("BEGIN;\n" + aside.before);
      break;
    } catch (const DatabaseError& error) {
      if (!connection.is_alive()) throw;
      connection.query("ROLLBACK");
      if (!is_of_the_moment(error) || attempt == kAttempts) throw;
    }
  }
  const auto run_part = [&](const std::string& sql) {
    const bool is_run = errors_.attempt(subject, connection, [&] {
      connection.query("SAVEPOINT part;\n" + sql + "\nRELEASE SAVEPOINT part");
    });
    if (!is_run) connection.query("ROLLBACK TO SAVEPOINT part");
    return is_run;
  };
  for (const DefaultSetting& setting : step.object->settings) run_part(local(setting));
  bool is_made = true;
  for (const SchemaStatement& statement : step.statements) {
    is_made = run_part(statement.sql) || statement.role != StatementRole::definition;
    if (!is_made) break;
  }
  connection.query(is_made ? aside.behind + "COMMIT" : "ROLLBACK");
  return is_made;
}

void SchemaRunner::tell_refused_grants(Connection& connection, const std::string& subject) {
  for (const std::string& refused : connection.take_refused_grants()) {
    log(LogLevel::warning, "rights", fmt::format("{} is not restored as it was: {}", subject, refused), {{"hint", "only who owns it, or was given a right to pass on, can grant and revoke it"}});
  }
}

void SchemaRunner::run_together(Connection& connection, const std::vector<SchemaObject>& objects) {
  if (objects.empty()) return;
  progress_.set_activity(subject_of(objects.front()));
  std::string kinds;
  std::string sql;
  for (const SchemaObject& object : objects) {
    const SchemaStep step = whole_step(object);
    kinds += kinds_made_by(step);
    for (const SchemaStatement& statement : step.statements) sql += statement.sql + "\n";
  }
  const DefaultPrivileges::Aside aside = default_privileges_.aside(kinds, std::nullopt);
  try {
    connection.query(aside.before + sql + aside.behind);
    tell_refused_grants(connection, fmt::format("one of {} to {}", subject_of(objects.front()), subject_of(objects.back())));
    return;
  } catch (const DatabaseError&) {
    if (!connection.is_alive()) throw;
  }
  for (const SchemaObject& object : objects) run(connection, whole_step(object));
}

void SchemaRunner::create_schema(Connection& connection, const std::string& name) {
  own_.push_back({.type = "SCHEMA", .name = name, .schema = "-"});
  run(connection, {.object = &own_.back(), .statements = {{.sql = "CREATE SCHEMA IF NOT EXISTS " + connection.quote_identifier(name) + ";"}}});
}

void run_pre_data(Connection& connection, const RestoreSelection& selection, SchemaRunner& runner) {
  std::set<std::string> made;
  std::set<std::string> needed;
  for (const SchemaObject& object : selection.pre_data) {
    if (object.makes_schema) made.insert(*object.makes_schema);
    if (object.relation) needed.insert(object.relation->schema);
  }
  needed.insert(made.begin(), made.end());
  const std::set<std::string> existing = existing_schemas(connection, needed);
  made.insert(existing.begin(), existing.end());
  std::map<std::string, std::vector<std::string>> grants = grants_on_schemas(selection);
  const auto is_of_public = [](const SchemaObject& object) { return object.type == "SCHEMA" && object.name == "public"; };
  if (std::ranges::none_of(selection.pre_data, is_of_public)) grant_early(connection, grants["public"]);
  for (const SchemaObject& object : selection.pre_data) {
    // Not before its turn: an extension may make the schema.
    const bool needs_schema = object.relation && (object.type == "TABLE" || object.type == "SEQUENCE");
    if (needs_schema && made.insert(object.relation->schema).second) runner.create_schema(connection, object.relation->schema);
    const bool is_there = object.makes_schema && existing.contains(*object.makes_schema);
    runner.run(connection, is_there ? step_without_definition(object) : whole_step(object));
    if (object.makes_schema || is_of_public(object)) grant_early(connection, grants[object.makes_schema.value_or("public")]);
  }
}

std::vector<std::string> find_missing(Connection& connection, const RestoreSelection& selection) {
  return Trial(connection).run(selection);
}

void run_post_data(std::span<Connection> connections, const RestoreSelection& selection, const Index& index,
                   SchemaRunner& runner, const std::stop_token& stop) {
  PostData(connections, selection, index, runner, stop).run(selection.post_data);
}

}  // namespace pana
