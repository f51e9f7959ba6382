#include "command/restore_post_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <map>
#include <optional>
#include <set>

#include "base/mutex.h"
#include "base/parallel.h"
#include "command/sql_names.h"
#include "sql/sql_lexer.h"

namespace pana {
namespace {

// Columns of NULLs would pass for the view, and so would what other views make of them: these are dropped as well, and
// each is lost.
void drop_placeholder(Connection& connection, const RelationName& view, SchemaRunner& runner) {
  const std::string name = sql_name(connection, view);
  const QueryResult found = connection.query(fmt::format(R"(
WITH RECURSIVE views (oid, depth) AS (
  SELECT pg_catalog.to_regclass({})::pg_catalog.oid, 0
  UNION SELECT c.oid, v.depth + 1 FROM views AS v JOIN pg_catalog.pg_depend AS d
    ON d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid = v.oid AND d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass
  JOIN pg_catalog.pg_rewrite AS r ON r.oid = d.objid JOIN pg_catalog.pg_class AS c ON c.oid = r.ev_class AND c.relkind IN ('v', 'm') AND c.oid <> v.oid)
SELECT c.oid::pg_catalog.regclass::text, CASE c.relkind WHEN 'm' THEN 'MATERIALIZED VIEW ' ELSE 'VIEW ' END
FROM views JOIN pg_catalog.pg_class AS c USING (oid) GROUP BY c.oid, c.relkind ORDER BY max(depth) DESC, 1)",
                                                         connection.quote_literal(name)));
  std::string drops;
  for (int row = 0; row < found.rows(); ++row) drops += "DROP " + found.string(row, 1) + found.string(row, 0) + ";\n";
  std::string what = "is dropped again";
  try {
    connection.query(drops);
  } catch (const DatabaseError& error) {
    if (!connection.is_alive()) throw;
    what = fmt::format("stays, and is not what it was ({})", error.what());
  }
  for (int row = 0; row < found.rows(); ++row) {
    runner.lose(found.string(row, 1) + found.string(row, 0),
                fmt::format("of {} only the columns could be made, and it {}", name, what));
  }
}

// Cuts the objects into runs and carries them out.
class PostData {
 public:
  PostData(std::span<Connection> connections, const RestoreSelection& selection, const Index& index,
           SchemaRunner& runner, const std::stop_token& stop)
      : connections_(connections), runner_(runner), stop_(stop), constraint_indexes_(constraint_indexes_of(index)) {
    for (const SchemaObject& object : selection.pre_data) {
      if (object.type == "TABLE ATTACH" && object.relation && object.refers_to)
        partitions_[*object.refers_to].push_back(*object.relation);
      if (object.type == "VIEW" && object.relation) views_[*object.relation] = &object;
    }
    for (const SchemaObject& object : selection.post_data) {
      if (object.type == "TABLE ATTACH" && object.relation) joining_.insert(*object.relation);
    }
    for (const TableInfo& table : index.tables) {
      bytes_[{table.schema, table.name}] = table.content.bytes;
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
    if (object.relation && joining_.contains(*object.relation)) build.locked_tables = {*object.relation};
    for (const SchemaStatement& statement : object.statements) {
      (statement.role == StatementRole::definition ? build : rest).statements.push_back(statement);
    }
    const auto known = constraint_indexes_.find(object.object_id);
    const bool has_own_index = object.type == "CONSTRAINT" && known != constraint_indexes_.end() &&
                               !build.statements.empty() &&
                               build.statements.front().sql != known->second->add_constraint + ";";
    if (object.type == "CONSTRAINT" && !has_own_index) {
      second_.push_back(whole_step(object));
      second_.back().weight = build.weight;
      second_.back().locked_tables = build.locked_tables;
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
    for (const SchemaStep& step : std::exchange(last_, {})) {
      runner_.run(connections_.front(), step);
      if (leaves_placeholder(*step.object)) drop_placeholder(connections_.front(), *step.object->relation, runner_);
    }
    run_ = Run::single;
  }

  // A view that needs a primary key, or is part of a circle, stands twice in a script: in pre-data with columns of
  // NULLs, and with its query behind the rows, as a rule.
  bool leaves_placeholder(const SchemaObject& object) {
    if (object.type != "RULE" || !object.relation || object.statements.empty() || !runner_.has_failed(object))
      return false;
    if (!SqlLexemes(object.statements.front().sql).skip({"CREATE", "OR", "REPLACE", "VIEW"})) return false;
    const auto view = views_.find(*object.relation);
    return view != views_.end() && !runner_.has_failed(*view->second);  // otherwise it is the target's own
  }

  void run_together(std::vector<SchemaStep> steps);

  std::span<Connection> connections_;
  SchemaRunner& runner_;
  const std::stop_token& stop_;
  std::map<RelationName, std::vector<RelationName>> partitions_;
  std::map<RelationName, const SchemaObject*> views_;
  std::set<RelationName> joining_;  // partitions whose parents find their indexes by their age
  std::map<RelationName, std::uint64_t> bytes_;
  const std::map<std::uint32_t, const ConstraintIndex*> constraint_indexes_;
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
    MutexLock lock(mutex_);
    auto found = steps_.end();
    const bool ready = freed_.wait(lock, stop, [&] {
      mutex_.assert_held();
      found = std::find_if(steps_.begin(), steps_.end(), [this](const SchemaStep& step) {
        mutex_.assert_held();
        return is_free(step);
      });
      return found != steps_.end() || steps_.empty();
    });
    if (!ready || steps_.empty()) return std::nullopt;
    SchemaStep step = std::move(*found);
    steps_.erase(found);
    in_use_.insert(step.locked_tables.begin(), step.locked_tables.end());
    return step;
  }

  void done(const SchemaStep& step) {
    const MutexLock lock(mutex_);
    for (const RelationName& table : step.locked_tables) in_use_.erase(table);
    freed_.notify_all();
  }

 private:
  bool is_free(const SchemaStep& step) const PANA_REQUIRES(mutex_) {
    return std::none_of(step.locked_tables.begin(), step.locked_tables.end(), [this](const RelationName& table) {
      mutex_.assert_held();
      return in_use_.contains(table);
    });
  }

  Mutex mutex_;
  std::condition_variable_any freed_;
  std::vector<SchemaStep> steps_ PANA_GUARDED_BY(mutex_);
  std::set<RelationName> in_use_ PANA_GUARDED_BY(mutex_);
};

// The server may lend an index several of its processes, which take more time together than one does alone. That pays
// only for an index that would otherwise be the last one being built.
void choose_parallelism(std::vector<SchemaStep>& steps, std::size_t connections) {
  std::uint64_t total = 0;
  for (const SchemaStep& step : steps) total += step.weight;
  for (SchemaStep& step : steps) step.single_process = step.weight > 0 && step.weight <= total / connections;
}

void PostData::run_together(std::vector<SchemaStep> steps) {
  std::erase_if(steps, [](const SchemaStep& step) { return step.statements.empty(); });
  if (steps.empty()) return;
  if (connections_.size() > 1) choose_parallelism(steps, connections_.size());
  std::stable_sort(steps.begin(), steps.end(),
                   [](const SchemaStep& a, const SchemaStep& b) { return a.weight > b.weight; });
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

}  // namespace

std::map<std::uint32_t, const ConstraintIndex*> constraint_indexes_of(const Index& index) {
  std::map<std::uint32_t, const ConstraintIndex*> indexes;
  for (const TableInfo& table : index.tables) {
    for (const ConstraintIndex& constraint : table.constraint_indexes) indexes[constraint.constraint_oid] = &constraint;
  }
  return indexes;
}

void run_post_data(std::span<Connection> connections, const RestoreSelection& selection, const Index& index,
                   SchemaRunner& runner, const std::stop_token& stop) {
  PostData(connections, selection, index, runner, stop).run(selection.post_data);
}

}  // namespace pana
