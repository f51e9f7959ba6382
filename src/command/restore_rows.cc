#include "command/restore_rows.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <optional>
#include <set>

#include "base/human.h"
#include "base/parallel.h"
#include "base/work_list.h"
#include "command/frame_texts.h"
#include "command/load_plan.h"
#include "command/sql_names.h"
#include "format/row_frame_reader.h"
#include "pg/copy.h"
#include "pg/load_order.h"
#include "sql/copy_columns.h"

namespace pana {
namespace {

// Statements that restore large objects are sent together up to this length.
constexpr std::size_t kStatementBytes = 1 << 20;

// What begins, keeps and undoes a unit: a transaction of its own, or a part of the one that is under way.
struct Brackets {
  const char* begin;
  const char* keep;
  const char* undo;
};
constexpr Brackets kTransaction = {.begin = "BEGIN", .keep = "COMMIT", .undo = "ROLLBACK"};
// Deferred constraints are looked at behind each part, as they are at the end of a transaction.
constexpr Brackets kPart = {.begin = "SAVEPOINT unit; SET CONSTRAINTS ALL DEFERRED",
                            .keep = "SET CONSTRAINTS ALL IMMEDIATE; RELEASE SAVEPOINT unit",
                            .undo = "ROLLBACK TO SAVEPOINT unit; RELEASE SAVEPOINT unit"};
// Or at the end of all, where tables refer to each other in a circle.
constexpr Brackets kPartOfCircle = {
    .begin = "SAVEPOINT unit; SET CONSTRAINTS ALL DEFERRED", .keep = "RELEASE SAVEPOINT unit", .undo = kPart.undo};

const Brackets& brackets_of(LoadTransactions transactions) {
  switch (transactions) {
    case LoadTransactions::of_frames: return kTransaction;
    case LoadTransactions::of_all: return kPart;
    case LoadTransactions::of_circles: return kPartOfCircle;
  }
  return kTransaction;
}

// Loads one unit. Whole or not at all; or, when errors are collected and it cannot be had whole, as many of its tables
// as possible.
class UnitLoader {
 public:
  UnitLoader(Connection& connection, const BackupReader& backup, FrameTexts& texts, const RestoreSelection& selection,
             BackupReader::Memory& memory, const LoadUnit& unit, const Brackets& brackets, RestoreErrors* collected,
             Progress& progress)
      : connection_(connection), backup_(backup), texts_(texts), selection_(selection), memory_(memory), unit_(unit),
        brackets_(brackets), collected_(collected), progress_(progress) {}

  // Whatever is thrown, no COPY is under way on the connection afterwards.
  void load(const std::stop_token& stop) try {
    const RowFrameHandler handler{.begin_copy = [this](std::string_view statement) { begin_copy(statement); },
                                  .row = [this](std::string_view row) { add_row(row); },
                                  .end_copy = [this] { end_copy(); },
                                  .large_object_line = [this](std::string_view line) { add_line(line); }};
    connection_.query(brackets_.begin);
    for (const std::size_t frame : unit_.frames) {
      RowFrameReader reader(handler);
      frame_ = &backup_.index().frames[frame];
      section_ = 0;
      texts_.read(
          frame,
          [&](std::string_view text) {
            reader.feed(text);
            progress_.bytes += text.size();
            progress_.done += text.size();
          },
          memory_, stop);
      reader.finish();
    }
    if (copy_) attempt([this] { finish_copy(); });
    send_statements();
    connection_.query(brackets_.keep);
  } catch (...) {
    copy_.reset();
    throw;
  }

  const std::map<TableId, std::uint64_t>& loaded() const { return loaded_; }

  // What was under way when it failed.
  std::string subject() const {
    const std::string name =
        table_ == nullptr || table_->id == kLargeObjects ? kLargeObjectsName : table_->schema + "." + table_->name;
    if (collected_ == nullptr) return "rows of " + name;
    return fmt::format("{} of {}", counted(expected_rows_, "row"), name);
  }

 private:
  // What goes wrong with one table must not take the other tables with it when errors are collected.
  template <typename Action>
  void attempt(Action&& action) {
    if (collected_ == nullptr) return action();
    if (collected_->attempt(subject(), connection_, action)) return;
    copy_.reset();
    connection_.query("ROLLBACK TO SAVEPOINT section");
  }

  void begin_copy(std::string_view statement) {
    if (section_ >= frame_->tables.size()) {
      throw Error(ErrorKind::damaged, "a frame holds more tables than the index says");
    }
    is_wanted_ = unit_.tables.contains(frame_->tables[section_].table);
    if (!is_wanted_ || copy_) return;
    table_ = backup_.index().table(frame_->tables[section_].table);
    expected_rows_ = rows_in_unit(table_->id);
    const auto kept = selection_.kept_columns.find(table_->id);
    kept_columns_ = kept == selection_.kept_columns.end() ? nullptr : &kept->second;
    if (collected_ != nullptr) connection_.query("SAVEPOINT section");
    attempt([&] {
      copy_.emplace(connection_,
                    kept_columns_ == nullptr ? std::string(statement) : copy_of_columns(statement, *kept_columns_));
    });
  }

  void add_row(std::string_view row) {
    if (!is_wanted_ || !copy_) return;
    kept_columns_ == nullptr ? copy_->add(row) : copy_->add(row_of_columns(row, *kept_columns_));
  }

  void end_copy() {
    ++section_;
    if (!is_wanted_ || !copy_ || unit_.frames.size() > 1) return;
    attempt([this] { finish_copy(); });
    copy_.reset();
  }

  std::uint64_t rows_in_unit(TableId table) const {
    if (unit_.frames.size() == 1) return frame_->tables[section_].rows;
    std::uint64_t rows = 0;
    for (const std::size_t frame : unit_.frames) {
      for (const FrameRows& part : backup_.index().frames[frame].tables) rows += part.table == table ? part.rows : 0;
    }
    return rows;
  }

  void finish_copy() {
    const std::uint64_t rows = copy_->finish();
    if (rows != expected_rows_) {
      throw DatabaseError(
          fmt::format("the server stored {} where the backup has {}", counted(rows, "row"), expected_rows_), "",
          "a trigger may be in the way; see --disable-triggers");
    }
    loaded_[table_->id] += rows;
  }

  void add_line(std::string_view line) {
    if (!unit_.tables.contains(kLargeObjects) || is_left_alone(line)) return;
    table_ = backup_.index().table(kLargeObjects);
    statements_ += line;
    ++loaded_[kLargeObjects];
    if (statements_.size() >= kStatementBytes) send_statements();
  }

  // SELECT pg_catalog.lo_put(4711, ...
  bool is_left_alone(std::string_view line) const {
    if (selection_.large_objects_left_alone.empty()) return false;
    const std::string_view id = line.substr(line.find('(') + 1);
    LargeObjectId number = 0;
    std::from_chars(id.data(), id.data() + id.size(), number);
    return selection_.large_objects_left_alone.contains(number);
  }

  void send_statements() {
    if (!statements_.empty()) connection_.query(std::exchange(statements_, {}));
  }

  Connection& connection_;
  const BackupReader& backup_;
  FrameTexts& texts_;
  const RestoreSelection& selection_;
  BackupReader::Memory& memory_;
  const LoadUnit& unit_;
  const Brackets& brackets_;
  RestoreErrors* const collected_;  // nullptr: the first error ends it
  Progress& progress_;
  const FrameInfo* frame_ = nullptr;
  std::size_t section_ = 0;  // of the frame
  bool is_wanted_ = false;   // the section
  const TableInfo* table_ = nullptr;
  const std::vector<bool>* kept_columns_ = nullptr;  // of the table, where not all are loaded
  std::optional<CopyIn> copy_;
  std::uint64_t expected_rows_ = 0;
  std::string statements_;
  std::map<TableId, std::uint64_t> loaded_;
};

// Whether the rows may be welcome once others are there: a foreign key, a check, or an error that a function raised. Or
// two that waited for each other.
bool may_come_of_order(const DatabaseError& error) {
  constexpr std::string_view kCheckViolation = "23514";
  constexpr std::string_view kDeadlock = "40P01";
  const std::string& state = error.sqlstate();
  return state == kForeignKeyViolation || state == kCheckViolation || state == kDeadlock || state.starts_with("P0");
}

class RowLoading {
 public:
  RowLoading(std::span<Connection> connections, LoadTransactions transactions, const BackupReader& backup,
             const RestoreSelection& selection, RestoreErrors& errors, Progress& progress, const std::stop_token& stop)
      : connections_(connections), brackets_(brackets_of(transactions)), backup_(backup), selection_(selection),
        errors_(errors), progress_(progress), stop_(stop) {}

  std::map<TableId, std::uint64_t> run(std::vector<LoadStage> stages) {
    for (const LoadStage& stage : stages) {
      for (const LoadUnit& unit : stage) progress_.total += bytes_of(unit);
    }
    texts_.emplace(backup_, stages);
    for (LoadStage& stage : stages) run_stage(stage, /*is_last_chance=*/false);
    // What was refused may have been for others that were not there yet: as long as some of it is taken, the rest is
    // tried again.
    bool is_last_chance = false;
    for (LoadStage rest = refused(); !rest.empty(); rest = refused()) {
      for (const LoadUnit& unit : rest) progress_.total += bytes_of(unit);
      std::ranges::reverse(rest);  // each of them may wait for the next one
      has_advanced_ = false;
      run_stage(rest, is_last_chance);
      is_last_chance = !has_advanced_;
    }
    for (Connection& connection : connections_) connection.set_stop(stop_);
    return loaded_.with([](auto& all) { return all; });
  }

 private:
  std::uint64_t bytes_of(const LoadUnit& unit) const {
    std::uint64_t bytes = 0;
    for (const std::size_t frame : unit.frames) bytes += backup_.index().frames[frame].bytes;
    return bytes;
  }

  LoadStage refused() {
    return refused_.with([](LoadStage& units) { return std::exchange(units, {}); });
  }

  void run_stage(LoadStage& stage, bool is_last_chance) {
    WorkList<LoadUnit> list(stage);
    std::vector<Task> tasks;
    for (Connection& connection : connections_.first(std::min(connections_.size(), stage.size()))) {
      tasks.emplace_back([&](const std::stop_token& stop) {
        connection.set_stop(stop);
        BackupReader::Memory memory;
        while (const LoadUnit* const unit = list.next()) {
          progress_.set_activity(backup_.content_of(unit->frames.front()));
          load(connection, memory, *unit, is_last_chance, stop);
        }
      });
    }
    run_parallel(tasks, stop_);
  }

  void load(Connection& connection, BackupReader::Memory& memory, const LoadUnit& unit, bool is_last_chance,
            const std::stop_token& stop) {
    UnitLoader whole(connection, backup_, *texts_, selection_, memory, unit, brackets_, nullptr, progress_);
    try {
      whole.load(stop);
      note(whole);
      return;
    } catch (const DatabaseError& error) {
      if (!connection.is_alive()) throw;
      if (!is_last_chance && may_come_of_order(error)) {
        connection.query(brackets_.undo);
        refused_.with([&unit](LoadStage& units) { units.push_back(unit); });
        return;
      }
      if (!errors_.keep_going()) errors_.take(whole.subject(), error);
    } catch (const Error& error) {
      if (!errors_.keep_going() || error.kind() != ErrorKind::damaged) throw;
    }
    unit.frames.size() > 1 ? split(connection, unit) : load_what_can_be(connection, memory, unit, stop);
  }

  // Rows that refer to each other come in one COPY, which is had whole or not at all. Frame by frame some of them may
  // be had.
  void split(Connection& connection, const LoadUnit& unit) {
    connection.query(brackets_.undo);
    refused_.with([&unit](LoadStage& units) {
      for (const std::size_t frame : unit.frames) units.push_back({.frames = {frame}, .tables = unit.tables});
    });
    has_advanced_ = true;
  }

  void load_what_can_be(Connection& connection, BackupReader::Memory& memory, const LoadUnit& unit,
                        const std::stop_token& stop) {
    connection.query(brackets_.undo);
    progress_.total += bytes_of(unit);
    UnitLoader parts(connection, backup_, *texts_, selection_, memory, unit, brackets_, &errors_, progress_);
    try {
      parts.load(stop);
      note(parts);
    } catch (const DatabaseError& error) {
      if (!connection.is_alive()) throw;
      errors_.take(parts.subject(), error);
      connection.query(brackets_.undo);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::damaged) throw;
      errors_.take_damage(fmt::format("{}: {}", missing_rows(unit), error.what()));
      connection.query(brackets_.undo);
    }
  }

  // Nothing of a frame that is damaged can be trusted.
  std::string missing_rows(const LoadUnit& unit) const {
    std::map<TableId, std::uint64_t> rows;
    for (const std::size_t frame : unit.frames) {
      for (const FrameRows& part : backup_.index().frames[frame].tables) {
        if (unit.tables.contains(part.table)) rows[part.table] += part.rows;
      }
    }
    std::vector<std::string> names;
    for (const auto& [id, count] : rows) {
      const TableInfo* const table = backup_.index().table(id);
      names.push_back(fmt::format("{} of {}", human_count(count),
                                  id == kLargeObjects ? kLargeObjectsName : table->schema + "." + table->name));
    }
    return fmt::format("rows are missing, {}", fmt::join(names, ", "));
  }

  void note(const UnitLoader& loader) {
    has_advanced_ = true;
    loaded_.with([&](auto& all) {
      for (const auto& [table, rows] : loader.loaded()) {
        all[table] += rows;
        if (table != kLargeObjects) progress_.rows += rows;
      }
    });
  }

  const std::span<Connection> connections_;
  const Brackets& brackets_;
  const BackupReader& backup_;
  std::optional<FrameTexts> texts_;
  const RestoreSelection& selection_;
  RestoreErrors& errors_;
  Progress& progress_;
  const std::stop_token& stop_;
  Guarded<LoadStage> refused_;
  std::atomic<bool> has_advanced_ =
      false;  // since the round began: something was loaded, or can be loaded in smaller pieces
  Guarded<std::map<TableId, std::uint64_t>> loaded_;
};

void check_counts(const RestoreSelection& selection, const std::map<TableId, std::uint64_t>& loaded) {
  for (const TableInfo* const table : selection.tables) {
    const auto found = loaded.find(table->id);
    const std::uint64_t rows = found == loaded.end() ? 0 : found->second;
    if (rows == table->content.rows) continue;
    throw Error(ErrorKind::different, fmt::format("{}.{} has {} rows in the backup, {} were stored", table->schema,
                                                  table->name, table->content.rows, rows));
  }
}

}  // namespace

LoadOrder order_of_loading(Connection& connection, const Index& index, const RestoreSelection& selection) {
  std::set<RelationName> with_rows;
  for (const TableInfo* const table : selection.tables) {
    if (table->content.rows > 0) with_rows.insert(sql_relation(index.header, *table));
  }
  return read_load_order(connection, ForeignKeys::all, &with_rows);
}

std::vector<std::string> tables_in_circles(const LoadOrder& order) {
  std::vector<std::string> tables;
  for (const RelationName& table : order.in_circles) tables.push_back(table.schema + "." + table.name);
  return tables;
}

std::map<TableId, std::uint64_t> load_rows(std::span<Connection> connections, LoadTransactions transactions,
                                           const BackupReader& backup, const RestoreSelection& selection,
                                           const LoadOrder& order, RestoreErrors& errors, Progress& progress,
                                           const std::stop_token& stop) {
  std::map<TableId, std::uint64_t> loaded =
      RowLoading(connections, transactions, backup, selection, errors, progress, stop)
          .run(plan_loading(backup.index(), selection, order));
  if (errors.all().empty()) check_counts(selection, loaded);
  return loaded;
}

}  // namespace pana
