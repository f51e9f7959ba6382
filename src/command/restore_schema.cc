#include "command/restore_schema.h"

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <set>

#include "base/parallel.h"
#include "pg/schema_names.h"

namespace pana {
namespace {

std::string subject_of(const SchemaEntry& entry) {
  const bool schema_helps = entry.schema != "-" && !entry.schema.empty();
  return entry.type + " " + (schema_helps ? entry.schema + "." : "") + entry.name;
}

// A statement run and the table whose size says how long it may take.
struct Step {
  std::string subject;
  std::string sql;
  std::uint64_t weight = 0;
  std::vector<std::string> locked_tables;  // no two steps with a table in common run at once
};

// Cuts the entries into runs and carries them out.
class PostData {
 public:
  PostData(std::span<Connection> connections, const RestoreRequest& request, const Index& index, RestoreErrors& errors,
           Progress& progress, const std::stop_token& stop)
      : connections_(connections), request_(request), errors_(errors), progress_(progress), stop_(stop) {
    for (const TableInfo& table : index.tables) {
      bytes_[{table.schema, table.name}] = table.content.bytes;
      for (const ConstraintIndex& constraint : table.constraint_indexes) {
        constraint_indexes_[constraint.constraint_oid] = &constraint;
      }
    }
  }

  void run(const std::vector<SchemaEntry>& pre_data, const std::vector<SchemaEntry>& entries) {
    for (const SchemaEntry& entry : pre_data) note_settings(wanted_statements(request_, entry));
    for (const SchemaEntry& entry : entries) {
      const Run kind = run_of(entry);
      if (kind != run_ && !(kind == Run::comment && run_ != Run::single)) end_run();
      if (kind != Run::comment) run_ = kind;
      add(entry, kind);
    }
    end_run();
  }

 private:
  enum class Run { single, indexes, foreign_keys, comment };

  static Run run_of(const SchemaEntry& entry) {
    if (entry.type == "INDEX" || entry.type == "CONSTRAINT") return Run::indexes;
    if (entry.type == "FK CONSTRAINT") return Run::foreign_keys;
    return entry.type == "COMMENT" ? Run::comment : Run::single;
  }

  // Settings stand between the entries and hold for all that follow, on whichever connection those run.
  void note_settings(const std::vector<std::string>& statements) {
    for (const std::string& statement : statements) {
      if (is_default_setting(statement)) settings_[statement.substr(0, statement.find('='))] = statement;
    }
  }

  void add(const SchemaEntry& entry, Run kind) {
    std::vector<std::string> statements = wanted_statements(request_, entry);
    note_settings(statements);
    std::erase_if(statements, is_default_setting);
    if (statements.empty()) return;
    if (kind == Run::indexes) return add_index(entry, std::move(statements));
    Step step{.subject = subject_of(entry), .sql = settings() + join_statements(statements), .weight = 0, .locked_tables = {}};
    if (const auto tables = foreign_key_tables(statements.front())) {
      step.locked_tables = {tables->table, tables->referenced};
    }
    (kind == Run::foreign_keys ? first_ : last_).push_back(std::move(step));
  }

  void add_index(const SchemaEntry& entry, std::vector<std::string> statements) {
    const std::uint64_t weight = weight_of(entry);
    const auto known = constraint_indexes_.find(entry.object_id);
    if (entry.type == "INDEX") {
      // What else an entry does to its table (CLUSTER ON, REPLICA IDENTITY) locks it, and must not do so while other
      // indexes of the table are being built in transactions that want the same.
      first_.push_back({subject_of(entry), settings() + statements.front(), weight, {}});
      statements.erase(statements.begin());
      if (!statements.empty()) second_.push_back({subject_of(entry), join_statements(statements), weight, {}});
    } else if (known == constraint_indexes_.end()) {
      second_.push_back({subject_of(entry), settings() + join_statements(statements), weight, {}});
    } else {
      first_.push_back({subject_of(entry), settings() + known->second->create_index + ";", weight, {}});
      statements.front() = known->second->add_constraint + ";";
      second_.push_back({subject_of(entry), settings() + join_statements(statements), weight, {}});
    }
  }

  std::uint64_t weight_of(const SchemaEntry& entry) const {
    const std::optional<RelationName> table = relation_of(entry);
    const auto known = table ? bytes_.find({table->schema, table->name}) : bytes_.end();
    return known == bytes_.end() ? 0 : known->second;
  }

  std::string settings() const {
    std::string sql;
    for (const auto& [name, statement] : settings_) sql += statement + "\n";
    return sql;
  }

  void end_run() {
    run_together(std::exchange(first_, {}));
    run_together(std::exchange(second_, {}));
    for (const Step& step : std::exchange(last_, {})) execute(connections_.front(), step);
    run_ = Run::single;
  }

  void execute(Connection& connection, const Step& step) {
    progress_.set_activity(step.subject);
    errors_.attempt(step.subject, connection, [&] { connection.query(step.sql); });
  }

  void run_together(std::vector<Step> steps);

  std::span<Connection> connections_;
  const RestoreRequest& request_;
  RestoreErrors& errors_;
  Progress& progress_;
  const std::stop_token& stop_;
  std::map<std::pair<std::string, std::string>, std::uint64_t> bytes_;
  std::map<std::uint32_t, const ConstraintIndex*> constraint_indexes_;
  std::map<std::string, std::string> settings_;
  Run run_ = Run::single;
  std::vector<Step> first_;   // may run side by side
  std::vector<Step> second_;  // side by side, when those are done
  std::vector<Step> last_;    // one by one, at the end
};

// Hands out steps whose tables are free.
class Schedule {
 public:
  explicit Schedule(std::vector<Step> steps) : steps_(std::move(steps)) {}

  // The next step that may run now; waits while all that are left want a table in use. Nothing when none is left.
  std::optional<Step> take(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    auto found = steps_.end();
    const bool ready = freed_.wait(lock, stop, [&] {
      found = std::find_if(steps_.begin(), steps_.end(), [this](const Step& step) { return is_free(step); });
      return found != steps_.end() || steps_.empty();
    });
    if (!ready || steps_.empty()) return std::nullopt;
    Step step = std::move(*found);
    steps_.erase(found);
    in_use_.insert(step.locked_tables.begin(), step.locked_tables.end());
    return step;
  }

  void done(const Step& step) {
    const std::lock_guard lock(mutex_);
    for (const std::string& table : step.locked_tables) in_use_.erase(table);
    freed_.notify_all();
  }

 private:
  bool is_free(const Step& step) const {
    return std::none_of(step.locked_tables.begin(), step.locked_tables.end(),
                        [this](const std::string& table) { return in_use_.contains(table); });
  }

  std::mutex mutex_;
  std::condition_variable_any freed_;
  std::vector<Step> steps_;
  std::set<std::string> in_use_;
};

// The server may lend an index several of its processes, which take more time together than one does alone. That pays only
// for an index that would otherwise be the last one being built.
void choose_parallelism(std::vector<Step>& steps, std::size_t connections) {
  std::uint64_t total = 0;
  for (const Step& step : steps) total += step.weight;
  for (Step& step : steps) {
    if (step.weight == 0) continue;
    step.sql.insert(0, step.weight > total / connections ? "RESET max_parallel_maintenance_workers;\n"
                                                         : "SET max_parallel_maintenance_workers = 0;\n");
  }
}

void PostData::run_together(std::vector<Step> steps) {
  if (steps.empty()) return;
  if (connections_.size() > 1) choose_parallelism(steps, connections_.size());
  std::stable_sort(steps.begin(), steps.end(), [](const Step& a, const Step& b) { return a.weight > b.weight; });
  const std::size_t count = std::min(connections_.size(), steps.size());
  Schedule schedule(std::move(steps));
  std::vector<Task> tasks;
  for (Connection& connection : connections_.first(count)) {
    tasks.emplace_back([&](const std::stop_token& stop) {
      connection.set_stop(stop);
      while (const std::optional<Step> step = schedule.take(stop)) {
        execute(connection, *step);
        schedule.done(*step);
      }
    });
  }
  run_parallel(tasks, stop_);
  for (Connection& connection : connections_) connection.set_stop(stop_);
}

}  // namespace

void run_entry(Connection& connection, const RestoreRequest& request, const SchemaEntry& entry, RestoreErrors& errors) {
  const std::vector<std::string> statements = wanted_statements(request, entry);
  if (statements.empty()) return;
  errors.attempt(subject_of(entry), connection, [&] {
    try {
      connection.query(join_statements(statements));
    } catch (const DatabaseError& error) {
      // That a schema is there already is no obstacle for what goes into it.
      if (entry.type != "SCHEMA" || error.sqlstate() != kDuplicateSchema) throw;
    }
  });
}

void run_post_data(std::span<Connection> connections, const RestoreRequest& request, const Index& index,
                   const RestoreSelection& selection, RestoreErrors& errors, Progress& progress,
                   const std::stop_token& stop) {
  PostData(connections, request, index, errors, progress, stop).run(selection.pre_data, selection.post_data);
}

}  // namespace pana
