#include "command/backup.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <random>
#include <thread>

#include "base/attempts.h"
#include "base/countdown.h"
#include "base/log.h"
#include "base/obstacle.h"
#include "base/parallel.h"
#include "base/rate_limit.h"
#include "base/sleep.h"
#include "command/backup_contents.h"
#include "command/backup_list.h"
#include "command/backup_name.h"
#include "command/backup_rows.h"
#include "command/backup_schema.h"
#include "command/connections.h"
#include "command/locations.h"
#include "command/object_identities.h"
#include "command/plan.h"
#include "pg/lock_watch.h"
#include "pg/pg_dump.h"
#include "pg/schema_changes.h"
#include "pg/session.h"

namespace pana {
namespace {

using Clock = std::chrono::steady_clock;

// Large objects are defined so many at a time, to bound the memory their script takes.
constexpr std::size_t kLargeObjectBatch = 5000;

constexpr std::uint64_t kTextFrameBytes = 1 << 20;

// 63 letters and digits, as psql wants them, that nobody who wrote the database's contents can know.
std::string random_key() {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
  std::random_device random;
  std::string key;
  while (key.size() < 63) key += kLetters[random() % kLetters.size()];
  return key;
}

std::string preamble(const IndexHeader& header, std::string_view restrict_key) {
  std::string text = fmt::format(
      "-- pana {}: backup of a PostgreSQL {} database as it was at {}\n"
      "-- restore it with \"pana restore\", or with psql -X -v ON_ERROR_STOP=1\n\n",
      header.pana, header.server, header.snapshot_time);
  if (!restrict_key.empty()) text += fmt::format("\\restrict {}\n\n", restrict_key);
  return text + backup_preamble(header.encoding);
}

std::uint64_t bytes_of(std::span<const std::vector<WorkItem>> stages) {
  std::uint64_t bytes = 0;
  for (const std::vector<WorkItem>& stage : stages) bytes += total_bytes(stage);
  return bytes;
}

// One backup under way: its steps in the order of the file's phases.
class Backup {
 public:
  Backup(const BackupRequest& request, BackupConnections& connections, SchemaDump& schema_dump,
         BackupContents& contents, std::span<std::vector<WorkItem>> stages, std::string restrict_key,
         ObjectUpload& upload, Progress& progress, const std::stop_token& stop)
      : request_(request), connections_(connections), schema_dump_(schema_dump), contents_(contents), stages_(stages),
        restrict_key_(std::move(restrict_key)), progress_(progress), stop_(stop), writer_(upload, request.compression),
        text_(request.compression) {}

  Index write() {
    add_text(preamble(contents_.header, restrict_key_));
    append_text(Phase::preamble);

    SchemaFrames schema(writer_, request_.compression, large_object_drops(contents_.large_objects), stop_);
    write_schema_and_rows(schema);

    writer_.begin_phase(Phase::sequences);
    for (const std::string& statement : contents_.sequence_values) {
      add_text(statement);
      if (text_.bytes() >= kTextFrameBytes) append_text(Phase::sequences);
    }
    append_text(Phase::sequences);

    writer_.begin_phase(Phase::post_data);
    schema.append_post_data();

    writer_.begin_phase(Phase::postamble);
    if (!restrict_key_.empty()) add_text(fmt::format("\\unrestrict {}\n\n", restrict_key_));
    append_text(Phase::postamble);
    return writer_.finish({.header = std::move(contents_.header),
                           .globals = std::move(contents_.globals),
                           .objects = std::move(contents_.objects),
                           .tables = std::move(contents_.tables)},
                          stop_);
  }

  std::uint64_t stored_bytes() const { return writer_.stored_bytes(); }

 private:
  void add_text(std::string_view text) { text_.add(text); }
  void append_text(Phase phase) {
    if (!text_.empty()) writer_.append(text_.finish(phase), stop_);
  }

  // pg_dump reads the catalog while the workers read rows; a worker's first frame waits for the tables' definitions.
  void write_schema_and_rows(SchemaFrames& schema) {
    progress_.total = bytes_of(stages_);
    RateLimit rate(request_.max_bytes_per_second);
    const RowTarget target{
        .backup = writer_, .compression = request_.compression, .frame_bytes = frame_bytes_for(progress_.total)};
    for (std::vector<WorkItem>& stage : stages_) {
      const bool is_first = &stage == &stages_.front();
      WorkList<WorkItem> list(stage);
      RowReading reading{.items = list, .progress = progress_, .rate = rate, .left_over = {}};
      read_rows(reading, target, is_first ? &schema : nullptr);
    }
    end_snapshot();
  }

  // The rows of a stage; with `schema`, that of the database beside them.
  void read_rows(RowReading& reading, const RowTarget& target, SchemaFrames* schema) {
    Connection& control = connections_.control;
    Countdown readers(connections_.workers.size());
    std::vector<Task> tasks = {[&](const std::stop_token& stop) {
      control.set_stop(stop);
      if (schema != nullptr) write_schema(*schema, stop);
      look_until(readers, control, stop);
    }};
    for (Connection& connection : connections_.workers) {
      tasks.emplace_back([&](const std::stop_token& stop) {
        connection.set_stop(stop);
        back_up_rows(connection, reading, target, stop);
        readers.count_down();
      });
    }
    run_parallel(tasks, stop_);
    control.set_stop(stop_);
    release_locks(control);  // and the settings of pg_dump, whose session it was
    Countdown rest(1);
    run_parallel({[&](const std::stop_token& stop) {
                    control.set_stop(stop);
                    back_up_left_over(control, reading, target, stop);
                    rest.count_down();
                  },
                  [&](const std::stop_token& stop) { look_until(rest, connections_.workers.front(), stop); }},
                 stop_);
    control.set_stop(stop_);
  }

  // Looks who waits for us while others are at work.
  void look_until(Countdown& done, Connection& observer, const std::stop_token& stop) {
    observer.set_stop(stop);
    while (!stop.stop_requested() && !done.wait_for(stop, watch_.pause())) watch_.look(observer);
  }

  // Had its session been lost meanwhile, the tables would have been unlocked while their rows were read: one that
  // somebody truncated or rewrote in that time looks empty to the snapshot.
  void end_snapshot() try {
    refuse_changes_of_values(connections_.control);
    connections_.control.query("COMMIT");
  } catch (const DatabaseError& error) {
    if (connections_.control.is_alive()) throw;
    throw DatabaseError(
        fmt::format("the session that kept the tables locked was lost before all rows were read: {}", error.what()),
        error.sqlstate(), error.hint());
  }

  void write_schema(SchemaFrames& schema, const std::stop_token& stop) {
    progress_.set_activity("schema");
    schema_dump_.read([&schema](std::string_view script) { schema.feed(script); },
                      [this] { watch_.look(connections_.control); }, stop);
    schema.end_script();
    contents_.objects = read_identities(connections_.control, contents_.header.encoding, schema.objects());
    const std::span<const LargeObjectId> ids = contents_.large_objects;
    for (std::size_t begin = 0; begin < ids.size(); begin += kLargeObjectBatch) {
      const auto batch = ids.subspan(begin, std::min(kLargeObjectBatch, ids.size() - begin));
      schema.add_pre_data(large_object_definitions(connections_.control, {batch.begin(), batch.end()}));
    }
    schema.end_pre_data();
  }

  const BackupRequest& request_;
  BackupConnections& connections_;
  LockWatch watch_{connections_.control, connections_.workers, request_.yield_to_waiters};
  SchemaDump& schema_dump_;
  BackupContents& contents_;
  const std::span<std::vector<WorkItem>> stages_;  // read one after the other
  const std::string restrict_key_;
  Progress& progress_;
  const std::stop_token& stop_;
  BackupWriter writer_;
  FrameBuilder text_;
};

// Before the locks, for which they may wait for long: the database's own settings could end a session that is idle.
void prepare_sessions(BackupConnections& connections, std::string_view encoding) {
  prepare_reading_session(connections.control, encoding);
  for (Connection& worker : connections.workers) prepare_reading_session(worker, encoding);
}

// Backups are named by the second; when this second has one already, the next is waited for.
std::unique_ptr<ObjectUpload> begin_upload(const BackupRequest& request, ObjectStore& store,
                                           std::uint64_t expected_bytes, std::string& key,
                                           const std::stop_token& stop) {
  constexpr int kAttempts = 10;
  for (int attempt = 1;; ++attempt) {
    key = BackupName{.time = std::chrono::system_clock::now(), .is_compressed = request.compression.enabled()}.key();
    try {
      return store.begin_upload(key, expected_bytes);
    } catch (const KeyTaken&) {
      if (attempt == kAttempts || stop.stop_requested()) throw;
      std::this_thread::sleep_until(std::chrono::ceil<std::chrono::seconds>(std::chrono::system_clock::now()));
    }
  }
}

// Success is said of what the store gives back: an index that can be read and is the one that was written.
void read_back(ObjectStore& store, const std::string& key, const Index& written, const std::stop_token& stop) {
  bool is_same = false;
  try {
    is_same = write_index(open_backup(store, key, stop).reader->index()) == write_index(written);
  } catch (const Error& error) {
    throw Error(error.kind(), fmt::format("the backup was stored, but could not be read back: {}", error.what()),
                error.hint().empty() ? "run pana verify to see whether it is whole" : error.hint());
  }
  if (is_same) return;
  throw Error(ErrorKind::damaged,
              fmt::format("{} was stored, but its index is not the one that pana wrote", store.describe(key)),
              "do not rely on it; find out what else writes there, and make another backup");
}

// What one attempt has at hand once its snapshot is taken.
struct Attempt {
  const BackupRequest& request;
  ObjectStore& store;
  Progress& progress;
  const std::stop_token& stop;
  const PgDumpProgram& pg_dump;
  BackupConnections& connections;
  std::string encoding;
  std::string system_identifier;
};

// Patterns of pg_dump take the server's own catalogs as well.
std::vector<std::string> pg_dump_arguments(const TableFilter& filter) {
  std::vector<std::string> arguments = filter.arguments();
  if (filter.has_table_patterns()) {
    arguments.insert(arguments.end(), {"--exclude-table=pg_catalog.*", "--exclude-table=information_schema.*"});
  } else if (!filter.includes_everything()) {
    arguments.insert(arguments.end(), {"--exclude-schema=pg_*", "--exclude-schema=information_schema"});
  }
  return arguments;
}

// The rows of a partitioned table are its partitions', which have to be chosen by their own names.
void warn_of_empty_trees(Connection& control, const Snapshot& snapshot) {
  const std::vector<CatalogDefinition> definitions = read_definitions(control, snapshot.filter, snapshot.tables);
  for (const CatalogName& table : read_trees_without_rows(control, snapshot.tables, definitions)) {
    log(LogLevel::warning, "no_rows",
        fmt::format("{} is partitioned, and no partition of it is chosen: the backup has none of its rows",
                    table.sql_name));
  }
}

BackupReport back_up_snapshot(const Attempt& attempt, Snapshot snapshot) {
  const auto& [request, store, progress, stop, pg_dump, connections, encoding, system_identifier] = attempt;
  Connection& control = connections.control;
  const std::string restrict_key = pg_dump.has_restrict_key ? random_key() : "";
  SchemaDump schema_dump(pg_dump, control,
                         {.locked_tables = snapshot.locked_tables,
                          .encoding = encoding,
                          .restrict_key = restrict_key,
                          .arguments = pg_dump_arguments(snapshot.filter),
                          .longest_silence = request.longest_silence});
  BackupContents contents = read_backup_contents(control, request, pg_dump, std::move(snapshot), encoding);
  contents.header.system_identifier = system_identifier;
  if (request.filter.has_table_patterns()) warn_of_empty_trees(control, contents.snapshot);
  for (Connection& worker : connections.workers) import_snapshot(worker, contents.snapshot.id);
  BackupReport report{.tables = contents.snapshot.tables.size(),
                      .large_objects = contents.large_objects.size(),
                      .workers = connections.workers.size(),
                      .snapshot_time = contents.header.snapshot_time,
                      .skipped = contents.header.skipped};

  std::vector<std::vector<WorkItem>> stages =
      plan_rows_in_order({.tables = contents.snapshot.tables,
                          .large_objects = contents.large_objects,
                          .large_object_bytes = contents.large_object_bytes},
                         contents.load_order, connections.workers.size(), request.split_tables);
  const std::unique_ptr<ObjectUpload> upload = begin_upload(request, store, bytes_of(stages), report.key, stop);
  Backup backup(request, connections, schema_dump, contents, stages, restrict_key, *upload, progress, stop);
  const Index index = backup.write();
  if (stop.stop_requested()) throw Error(ErrorKind::interrupted, "stopped on request");
  progress.set_activity("completing");
  upload->complete(stop);
  progress.set_activity("reading back");
  read_back(store, report.key, index, stop);

  report.bytes = backup.stored_bytes();
  report.text_bytes = index.text_bytes();
  report.rows = index.rows();
  return report;
}

// What the server refuses may be the consequence of a change of the schema behind the snapshot: the snapshot itself can
// tell. It is asked over a connection of its own, for those at hand are in the middle of something.
void refuse_changes_behind(const Attempt& attempt, const std::string& snapshot_id) try {
  Connection witness(DatabaseAddress(attempt.request.url), attempt.stop);
  witness.limit_silence(attempt.request.longest_silence);
  prepare_reading_session(witness, attempt.encoding);
  import_snapshot(witness, snapshot_id);
  refuse_changes_of_schema(witness);
} catch (const Obstacle&) {
  throw;
} catch (const Error& error) {
  if (error.kind() == ErrorKind::interrupted) throw;
  // The snapshot has ended, or no connection was to be had: what went wrong stays what it is.
}

BackupReport back_up_once(const BackupRequest& request, ObjectStore& store, Progress& progress,
                          const std::stop_token& stop) {
  const auto started = Clock::now();
  progress.set_activity("connecting");
  BackupConnections connections(DatabaseAddress(request.url), request.jobs, request.longest_silence, stop);
  Connection& control = connections.control;
  const PgDumpProgram pg_dump = find_pg_dump(control.server_version());
  const Attempt attempt{.request = request,
                        .store = store,
                        .progress = progress,
                        .stop = stop,
                        .pg_dump = pg_dump,
                        .connections = connections,
                        .encoding = database_encoding(control),
                        .system_identifier = system_identifier(control)};
  prepare_sessions(connections, attempt.encoding);

  progress.set_activity("locking tables");
  Snapshot snapshot = lock_and_export(
      control, {.filter = request.filter, .skip_unreadable = request.skip_unreadable, .locks = request.locks});
  const std::string snapshot_id = snapshot.id;
  try {
    BackupReport report = back_up_snapshot(attempt, std::move(snapshot));
    report.seconds = std::chrono::duration<double>(Clock::now() - started).count();
    return report;
  } catch (const DatabaseError& error) {
    // Of the control connection, which waits for locks of sequences and views for as long as the policy lets it.
    if (is_lock_in_the_way(error)) throw Obstacle(Obstacle::Cause::lock, error.kind(), error.what(), error.hint());
    if (!error.sqlstate().empty()) refuse_changes_behind(attempt, snapshot_id);
    throw;
  }
}

}  // namespace

Json BackupReport::json() const {
  return {{"key", key},         {"bytes", bytes},     {"text_bytes", text_bytes},
          {"rows", rows},       {"tables", tables},   {"large_objects", large_objects},
          {"workers", workers}, {"seconds", seconds}, {"snapshot_time", snapshot_time},
          {"skipped", skipped}};
}

BackupReport back_up(const BackupRequest& request, ObjectStore& store, Progress& progress,
                     const std::stop_token& stop) {
  store.remove_abandoned(is_ours);  // now, when no table is locked: a store may take its time
  Attempts attempts(request.locks.give_up_after);
  while (true) {
    std::chrono::milliseconds pause{0};
    try {
      return back_up_once(request, store, progress, stop);
    } catch (const Obstacle& obstacle) {
      pause = attempts.note(obstacle);
      log(LogLevel::warning, "start_over",
          fmt::format("starting over after attempt {}: {}", attempts.count(), obstacle.what()),
          {{"attempt", attempts.count()}});
    }
    progress.total = progress.done = progress.bytes = progress.rows = 0;
    sleep_for(pause, stop);
  }
}

}  // namespace pana
