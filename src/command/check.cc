#include "command/check.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>

#include "base/human.h"
#include "base/setting.h"
#include "command/backup_contents.h"
#include "command/backup_list.h"
#include "command/connections.h"
#include "pg/database_address.h"
#include "pg/pg_dump.h"
#include "pg/rights.h"
#include "pg/sequences.h"
#include "pg/session.h"
#include "pg/snapshot.h"

namespace pana {
namespace {

class Checks {
 public:
  // Runs one check; what it throws is its failure. Returns whether it went well.
  bool run(const std::string& subject, const std::function<CheckResult()>& look) {
    try {
      results.push_back(look());
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::interrupted) throw;
      results.push_back({.subject = {}, .state = CheckState::failed, .message = error.what(), .hint = error.hint()});
    }
    results.back().subject = subject;
    return results.back().state != CheckState::failed;
  }

  std::vector<CheckResult> results;
};

CheckResult ok(std::string message) {
  return {.subject = {}, .state = CheckState::ok, .message = std::move(message), .hint = {}};
}

CheckResult warning(std::string message, std::string hint) {
  return {.subject = {}, .state = CheckState::warning, .message = std::move(message), .hint = std::move(hint)};
}

CheckResult check_encryption(Connection& connection, const std::string& sslmode) {
  const std::optional<std::string> tls = connection.tls_version();
  if (!tls) {
    return is_local_host(connection.host()) ? ok("the server is on this machine, without TLS")
                                            : warning("the connection is not encrypted",
                                                      "write sslmode=verify-full and sslrootcert=FILE into the URL");
  }
  if (sslmode != "verify-full" && sslmode != "verify-ca") {
    return warning(fmt::format("encrypted with {}, but the server's certificate is not checked", *tls),
                   "say sslmode=verify-full and sslrootcert=FILE in the URL");
  }
  return ok(fmt::format("encrypted with {}, the server's certificate is checked", *tls));
}

// What a backup would be one of, and the bytes of its tables on the server.
struct Source {
  BackupSeries series;
  std::uint64_t bytes = 0;
};

// What a backup does up to its first row; the transaction is given up again. Of the source, filters and bytes are
// found.
CheckResult check_tables(Connection& control, const BackupRequest& request, Source& source) {
  const Snapshot snapshot = lock_and_export(control, {.filter = request.filter,
                                                      .skip_unreadable = request.skip_unreadable,
                                                      .locks = {.give_up_after = std::chrono::seconds(10)}});
  const TableFilter& filter = snapshot.filter;
  source.series.filters = options_that_leave_out(request.filter, snapshot.skipped);
  for (const CatalogTable& table : snapshot.tables) source.bytes += table.bytes;
  read_sequence_values(control, filter);
  std::string unlogged;
  for (const CatalogName& table : read_unlogged_on_standby(control, filter))
    unlogged += (unlogged.empty() ? "" : ", ") + table.sql_name;
  const std::vector<std::string> kept = find_kept_from_us(control, filter);
  control.query("ROLLBACK");
  const std::string message = fmt::format("{}, {} on the server, readable and lockable",
                                          counted(snapshot.tables.size(), "table"), human_bytes(source.bytes));
  std::string lacks;
  std::string hint;
  const auto add = [&](const std::string& what, const std::string& helps) {
    lacks += "; " + what;
    hint += (hint.empty() ? "" : "; ") + helps;
  };
  if (!snapshot.skipped.empty()) {
    add(fmt::format("a backup lacks what the role may not read: {}", snapshot.skipped.list()),
        "such a backup ends with status 7; run pana check without --skip-unreadable to see the GRANTs that help");
  }
  if (!kept.empty()) {
    add(fmt::format("a backup lacks what the server shows only to superusers and owners: {}", fmt::join(kept, ", ")),
        "back up as a superuser to have them, or note them down");
  }
  if (!unlogged.empty()) {
    add(fmt::format("the server is a standby, which has no contents of the unlogged {}", unlogged),
        "back up the primary to have them");
  }
  return lacks.empty() ? ok(message) : warning(message + lacks, hint);
}

// As far as it was seen.
std::optional<Source> check_database(const BackupRequest& request, Checks& checks, const std::stop_token& stop) {
  std::optional<BackupConnections> connections;
  if (!checks.run("connections", [&] {
        connections.emplace(DatabaseAddress(request.url), request.jobs, request.longest_silence, stop);
        const std::size_t workers = connections->workers.size();
        const std::string admitted = request.jobs == 0
                                         ? counted(workers, "worker")
                                         : fmt::format("{} of {}", workers, counted(request.jobs, "worker"));
        const std::string message =
            fmt::format("the server admitted {}; no pooler in transaction mode found", admitted);
        return request.jobs == 0 || workers == request.jobs
                   ? ok(message)
                   : warning(message, "raise the pool size" + advice(" or lower {}", Setting::jobs));
      })) {
    return std::nullopt;
  }
  Connection& control = connections->control;
  checks.run("encryption", [&] { return check_encryption(control, DatabaseAddress(request.url).sslmode()); });
  checks.run("pg_dump", [&] {
    const PgDumpProgram program = find_pg_dump(control.server_version());
    return ok(fmt::format("{} {} can read PostgreSQL {}, the server's version", program.path, program.version,
                          control.parameter("server_version")));
  });
  std::optional<Source> source;
  checks.run("tables", [&] {
    const std::string encoding = database_encoding(control);
    prepare_reading_session(control, encoding);
    source = {.series = {.database = database_name(control, encoding),
                         .system_identifier = system_identifier(control),
                         .filters = request.filter.arguments()}};
    return check_tables(control, request, *source);
  });
  return source;
}

// The newest of those that a backup would be one of: of this database, unless it was not seen, and with the same
// filters. Newer ones that are none are worth a warning: each may have been meant to be the newest.
CheckResult check_newest(ObjectStore& store, const TableFilter& filter, const std::optional<Source>& source,
                         const std::stop_token& stop) {
  const std::vector<std::string> filters = source ? source->series.filters : filter.arguments();
  std::optional<BackupSummary> newest;
  std::optional<BackupSummary> passed_over;
  bool are_other_choices = false;
  bool are_other_databases = false;
  visit_newest_first(
      store,
      [&](const BackupSummary& backup) {
        if (!backup.complete()) {
          if (!passed_over) passed_over = backup;
        } else if (source && !may_be_of_one_database(source->series, backup.header.series())) {
          are_other_databases = true;
        } else if (backup.header.filters == filters) {
          newest = backup;
        } else {
          are_other_choices = true;
        }
        return !newest;
      },
      stop);
  std::string message;
  if (newest) {
    const TimePoint now = std::chrono::system_clock::now();
    if (newest->is_of_the_future(now))
      return warning(
          fmt::format("the newest complete backup is {}, which is dated in the future", newest->key),
          "look at the clocks of this machine and of the one that made it: until that time comes, restore and "
          "verify of this location take it for the newest");
    const std::chrono::duration<double> age = std::max(now - newest->time, TimePoint::duration::zero());
    message = fmt::format("the newest complete backup is {}, {} old", newest->key, human_seconds(age.count()));
    if (!passed_over) return ok(message);
  } else if (are_other_choices) {
    message = fmt::format("there is no complete backup of {} yet, only of other parts",
                          filters.empty() ? "the whole database" : "the chosen parts");
  } else {
    message = are_other_databases ? "there is no complete backup yet of this database, only of others"
                                  : "there is no complete backup yet";
  }
  if (!passed_over) return warning(message, "make one with pana backup");
  return warning(
      fmt::format("{}; {} is {}: {}", message, passed_over->key, state_name(passed_over->state), passed_over->why),
      passed_over->hint);
}

// Writes as much as it takes for the store to have said yes, and takes it back.
CheckResult check_upload(ObjectStore& store, const std::string& location, const std::optional<Source>& source,
                         const std::stop_token& stop) {
  const std::unique_ptr<ObjectUpload> upload = store.begin_upload(fmt::format("{}{}", kTrialKey, ::getpid()), 0);
  const std::string bytes(upload->part_bytes(), '-');
  upload->put({.number = 1, .offset = 0, .bytes = bytes}, stop);
  std::error_code no_directory;
  const std::filesystem::space_info space = std::filesystem::space(location, no_directory);
  if (no_directory) return ok(fmt::format("{} can be written", location));
  const std::string message = fmt::format("{} can be written, {} are free", location, human_bytes(space.available));
  if (!source || space.available >= source->bytes) return ok(message);
  return warning(fmt::format("{}, and the tables take {} on the server", message, human_bytes(source->bytes)),
                 "compress (--compression zstd), make room (pana prune), or take another location");
}

void check_location(const BackupRequest& request, const std::string& location, const std::optional<Source>& source,
                    const StoreAccess& access, Checks& checks) {
  std::unique_ptr<ObjectStore> store;
  if (!checks.run("location", [&] {
        store = open_store(location, access);
        return check_upload(*store, location, source, access.stop);
      })) {
    return;
  }
  checks.run("backups", [&] { return check_newest(*store, request.filter, source, access.stop); });
}

}  // namespace

std::vector<CheckResult> check(const BackupRequest& request, const std::string& location, const StoreAccess& access,
                               const std::stop_token& stop) {
  Checks checks;
  const std::optional<Source> source = check_database(request, checks, stop);
  if (!location.empty()) check_location(request, location, source, access, checks);
  return checks.results;
}

}  // namespace pana
