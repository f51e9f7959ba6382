#include "command/restore_rows.h"

#include <fmt/format.h>

#include <optional>

#include "base/parallel.h"
#include "base/work_list.h"
#include "format/row_frame_reader.h"
#include "pg/copy.h"

namespace pana {
namespace {

// Statements that restore large objects are sent together up to this length.
constexpr std::size_t kStatementBytes = 1 << 20;

// Loads one frame: the rows of the tables that are wanted, in the order in which the index lists them.
class FrameLoader {
 public:
  FrameLoader(Connection& connection, const BackupReader& backup, BackupReader::Memory& memory, std::size_t frame,
              const RestoreSelection& selection, RestoreErrors& errors, Progress& progress)
      : connection_(connection), backup_(backup), memory_(memory), frame_(frame), info_(backup.index().frames[frame]),
        selection_(selection), errors_(errors), progress_(progress) {}

  void load(const std::stop_token& stop) {
    const RowFrameHandler handler{.begin_copy = [this](std::string_view statement) { begin_copy(statement); },
                                  .row = [this](std::string_view row) { add_row(row); },
                                  .end_copy = [this] { end_copy(); },
                                  .large_object_line = [this](std::string_view line) { add_line(line); }};
    RowFrameReader reader(handler);
    connection_.query("BEGIN");
    backup_.read_frame(frame_, [&](std::string_view text) {
      reader.feed(text);
      progress_.bytes += text.size();
      progress_.done += text.size();
    }, memory_, stop);
    reader.finish();
    send_statements();
    connection_.query("COMMIT");
  }

  const std::map<TableId, std::uint64_t>& loaded() const { return loaded_; }

 private:
  bool is_wanted() const { return selection_.table_ids.contains(info_.tables.at(section_).table); }

  // What goes wrong with one table must not take the frame's other tables with it when errors are collected.
  template <typename Action>
  void attempt(Action&& action) {
    const TableInfo* const table = backup_.index().table(info_.tables[section_].table);
    const std::string subject = fmt::format("rows of {}.{}", table->schema, table->name);
    if (errors_.attempt(subject, connection_, action)) return;
    copy_.reset();
    connection_.query("ROLLBACK TO SAVEPOINT section");
  }

  void begin_copy(std::string_view statement) {
    if (section_ >= info_.tables.size()) {
      throw Error(ErrorKind::damaged, "a frame holds more tables than the index says");
    }
    if (!is_wanted()) return;
    if (errors_.keep_going()) connection_.query("SAVEPOINT section");
    attempt([&] { copy_.emplace(connection_, std::string(statement)); });
  }

  void add_row(std::string_view row) {
    if (copy_) copy_->add(row);
  }

  void end_copy() {
    const FrameRows& part = info_.tables[section_];
    if (copy_) attempt([&] { finish_copy(part); });
    copy_.reset();
    ++section_;
  }

  void finish_copy(const FrameRows& part) {
    const std::uint64_t rows = copy_->finish();
    if (rows != part.rows) {
      throw DatabaseError(fmt::format("the server stored {} rows where the backup has {}", rows, part.rows), "",
                          "a trigger or rule on the table may be in the way; see --disable-triggers");
    }
    loaded_[part.table] += rows;
    progress_.rows += rows;
  }

  void add_line(std::string_view line) {
    if (!is_wanted()) return;
    statements_ += line;
    ++loaded_[kLargeObjects];
    if (statements_.size() >= kStatementBytes) send_statements();
  }

  void send_statements() {
    if (!statements_.empty()) connection_.query(std::exchange(statements_, {}));
  }

  Connection& connection_;
  const BackupReader& backup_;
  BackupReader::Memory& memory_;
  const std::size_t frame_;
  const FrameInfo& info_;
  const RestoreSelection& selection_;
  RestoreErrors& errors_;
  Progress& progress_;
  std::optional<CopyIn> copy_;
  std::size_t section_ = 0;
  std::string statements_;
  std::map<TableId, std::uint64_t> loaded_;
};

}  // namespace

std::map<TableId, std::uint64_t> load_rows(std::span<Connection> connections, const BackupReader& backup,
                                           const RestoreSelection& selection, RestoreErrors& errors, Progress& progress,
                                           const std::stop_token& stop) {
  std::vector<std::size_t> frames = selection.frames;
  for (const std::size_t frame : frames) progress.total += backup.index().frames[frame].bytes;
  WorkList<std::size_t> list(frames);
  Guarded<std::map<TableId, std::uint64_t>> loaded;
  std::vector<Task> tasks;
  for (Connection& connection : connections) {
    tasks.emplace_back([&](const std::stop_token& worker_stop) {
      connection.set_stop(worker_stop);
      BackupReader::Memory memory;
      while (const std::size_t* const frame = list.next()) {
        const std::string subject = backup.content_of(*frame);
        progress.set_activity(subject);
        FrameLoader loader(connection, backup, memory, *frame, selection, errors, progress);
        if (!errors.attempt(subject, connection, [&] { loader.load(worker_stop); })) {
          connection.query("ROLLBACK");
          continue;
        }
        loaded.with([&loader](auto& all) {
          for (const auto& [table, rows] : loader.loaded()) all[table] += rows;
        });
      }
    });
  }
  run_parallel(tasks, stop);
  for (Connection& connection : connections) connection.set_stop(stop);
  return loaded.with([](auto& all) { return all; });
}

}  // namespace pana
