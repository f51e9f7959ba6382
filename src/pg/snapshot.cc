#include "pg/snapshot.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "base/log.h"
#include "base/obstacle.h"
#include "base/setting.h"
#include "base/sleep.h"

namespace pana {
namespace {

using Clock = std::chrono::steady_clock;

// Behind it, nothing could be exported.
constexpr std::string_view kSavepoint = "unlocked";

struct LockedTable {
  std::uint32_t oid = 0;
  std::string sql_name;
};

// Locks all in one statement, those last that most others hold or wait for, so that these are held for the shortest
// time. Asks the server what that is.
std::string lock_sql(Connection& control, std::vector<LockedTable> tables) {
  const QueryResult result = control.query(
      "SELECT relation, pg_catalog.count(*) FROM pg_catalog.pg_locks WHERE relation IS NOT NULL AND pid <> "
      "pg_catalog.pg_backend_pid() "
      "AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()) GROUP BY "
      "relation");
  std::map<std::uint32_t, std::int64_t> contention;
  for (int row = 0; row < result.rows(); ++row) contention[result.oid(row, 0)] = result.integer(row, 1);
  std::ranges::stable_sort(tables, {}, [&contention](const LockedTable& table) {
    const auto found = contention.find(table.oid);
    return found == contention.end() ? 0 : found->second;
  });
  std::string sql = "LOCK TABLE ";
  for (const LockedTable& table : tables) sql += (&table == &tables.front() ? "ONLY " : ", ONLY ") + table.sql_name;
  return sql + " IN ACCESS SHARE MODE";
}

bool same_tables(const std::vector<CatalogTable>& a, const std::vector<CatalogTable>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const CatalogTable& left, const CatalogTable& right) {
    return left.oid == right.oid && left.sql_name == right.sql_name;
  });
}

[[noreturn]] void throw_changed() {
  throw Obstacle(Obstacle::Cause::schema_changed, ErrorKind::failed,
                 "tables were created, dropped or renamed at that moment", "");
}

std::vector<CatalogTable> list_tables(Connection& control, const SnapshotRequest& request, const TableFilter& filter) {
  std::vector<CatalogTable> tables = read_tables(control, filter);
  if (request.narrow) request.narrow(tables);
  return tables;
}

std::vector<CatalogDefinition> list_definitions(Connection& control, const SnapshotRequest& request,
                                                const TableFilter& filter, const std::vector<CatalogTable>& tables) {
  return request.definitions ? read_definitions(control, filter, tables) : std::vector<CatalogDefinition>();
}

// The tables were listed a moment ago: one of which the server says that it is not there, or no table, has changed
// since.
void lock_listed(Connection& control, const std::string& lock) try {
  control.query(lock);
} catch (const DatabaseError& error) {
  constexpr std::array kGoneOrAnotherKind = {"3F000", "42P01", "42809"};
  if (std::ranges::find(kGoneOrAnotherKind, error.sqlstate()) == kGoneOrAnotherKind.end()) throw;
  throw Obstacle(Obstacle::Cause::schema_changed, ErrorKind::failed, error.what(), error.hint());
}

WayAround left_out_of_backup() {
  const std::string tables = setting_names({Setting::exclude_table, Setting::exclude_schema, Setting::skip_unreadable});
  return {.relations = tables.empty() ? "" : "leave them out with " + tables,
          .large_objects = advice("leave them out with {}", Setting::skip_unreadable)};
}

// One attempt.
Snapshot try_once(Connection& control, const SnapshotRequest& request) {
  std::vector<CatalogTable> before = list_tables(control, request, request.filter);
  std::vector<CatalogDefinition> definitions = list_definitions(control, request, request.filter, before);
  Unreadable skipped = find_unreadable(control, before, definitions, request.filter);
  if (!request.skip_unreadable) refuse_unreadable(control, skipped, left_out_of_backup());
  TableFilter filter = leave_out(request.filter, skipped);
  if (!skipped.empty()) {
    before = list_tables(control, request, filter);
    definitions = list_definitions(control, request, filter, before);
  }
  std::vector<LockedTable> tables;
  for (const CatalogTable& table : before) tables.push_back({table.oid, table.sql_name});
  for (const CatalogDefinition& table : definitions) tables.push_back({table.oid, table.name.sql_name});
  const std::string lock = lock_sql(control, tables);  // asked for now: in the transaction, it would take a snapshot
  control.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
  if (!tables.empty()) lock_listed(control, lock);
  const QueryResult exported = control.query(
      "SELECT pg_catalog.pg_export_snapshot(), pg_catalog.to_char(pg_catalog.clock_timestamp() AT TIME ZONE 'UTC', "
      "'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')");
  Snapshot snapshot{
      .id = exported.string(0, 0), .time = exported.string(0, 1), .tables = list_tables(control, request, filter)};
  if (!same_tables(before, snapshot.tables)) throw_changed();
  snapshot.filter = std::move(filter);
  snapshot.skipped = std::move(skipped);
  for (LockedTable& table : tables) snapshot.locked_tables.push_back(std::move(table.sql_name));
  control.query(fmt::format("SAVEPOINT {}", kSavepoint));
  return snapshot;
}

// The server's memory for locks is shared by all sessions; when it is full, anybody's statement may fail.
void warn_of_many_locks(Connection& control, std::size_t tables) {
  constexpr std::size_t kFew = 1000;  // a server with room for less than twice as many has hardly any
  if (tables <= kFew) return;
  const std::int64_t room = control
                                .query(
                                    "SELECT pg_catalog.current_setting('max_locks_per_transaction')::bigint * "
                                    "(pg_catalog.current_setting('max_connections')::bigint "
                                    "+ pg_catalog.current_setting('max_prepared_transactions')::bigint)")
                                .integer(0, 0);
  if (2 * tables <= static_cast<std::size_t>(room)) return;
  log(LogLevel::warning, "many_locks",
      fmt::format("the backup locks {} tables, and the server has room for about {} locks: it, or another session, may "
                  "be refused "
                  "with \"out of shared memory\"",
                  tables, room),
      {{"hint", "raise max_locks_per_transaction on the server"}});
}

// A lock needs time: half a second at first, doubling up to eight, so that what we wait for gets its turn. Whether the
// next moment is a quiet one is luck.
std::chrono::milliseconds pause_after(int attempt, bool is_lock_in_the_way) {
  return std::chrono::milliseconds(is_lock_in_the_way ? 500 << std::min(attempt, 4) : 100);
}

// While the catalog is searched, the server may look for something by its OID that was dropped at that moment, and
// calls that an internal error. So it calls a damaged catalog: what it says twice, it says for ever.
bool names_what_is_gone(const DatabaseError& error) {
  constexpr std::string_view kInternalError = "XX000";
  const std::string_view message = error.what();
  return error.sqlstate() == kInternalError &&
         (message.find("with OID ") != std::string_view::npos || message.starts_with("cache lookup failed for "));
}

// Who it is that has, or waits for, a lock of a table that nobody can read beside; empty when that is over.
std::string blockers(Connection& control) try {
  const QueryResult result = control.query(
      "SELECT coalesce('session ' || l.pid || coalesce(' (' || pg_catalog.concat_ws(', ', nullif(a.application_name, "
      "''), 'in its transaction since ' || "
      "pg_catalog.to_char(a.xact_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS UTC')) || ')', ''), "
      "'prepared transaction ' || pg_catalog.quote_literal(p.gid) || ' of ' || pg_catalog.to_char(p.prepared AT TIME "
      "ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS UTC'), "
      "'a prepared transaction'), l.granted, pg_catalog.format('%I.%I', n.nspname, c.relname) "
      "FROM pg_catalog.pg_locks AS l JOIN pg_catalog.pg_class AS c ON c.oid = l.relation AND c.relpersistence <> 't' "
      "JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace "
      "LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.pid = l.pid "
      "LEFT JOIN pg_catalog.pg_locks AS x ON l.pid IS NULL AND x.pid IS NULL AND x.locktype = 'transactionid' "
      "AND x.virtualtransaction = l.virtualtransaction "
      "LEFT JOIN pg_catalog.pg_prepared_xacts AS p ON p.transaction = x.transactionid "
      "WHERE l.mode = 'AccessExclusiveLock' AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = "
      "pg_catalog.current_database()) "
      "AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') ORDER BY l.granted DESC, 1, 3 LIMIT 3");
  std::string all;
  for (int row = 0; row < result.rows(); ++row) {
    all += fmt::format("; {} {} {}", result.text(row, 0), result.boolean(row, 1) ? "has locked" : "waits to lock",
                       result.text(row, 2));
  }
  return all;
} catch (const DatabaseError& error) {
  if (is_lock_in_the_way(error)) return {};  // of the catalog itself
  throw;
}

// A backup of nothing must not look like one. Without -t and -n there are large objects, extensions and more. A pattern
// that matches nothing beside one that does is pg_dump's without a word; it may have been misspelt, or its table
// dropped.
void refuse_empty_choice(Connection& control, const TableFilter& filter) {
  if (filter.includes_everything()) return;
  constexpr const char* kRules =
      "patterns are matched as pg_dump and psql do: upper case needs quotes; what -T and -N match is left out of what "
      "-t and -n choose";
  const FilterMatch found = match(control, filter);
  if (!found.chooses_something) throw Error(ErrorKind::usage, "these patterns choose nothing of the database", kRules);
  if (found.unmatched.empty()) return;
  log(LogLevel::warning, "pattern_unmatched",
      fmt::format("nothing in the database matches {}", fmt::join(found.unmatched, ", ")), {{"hint", kRules}});
}

}  // namespace

Snapshot lock_and_export(Connection& control, const SnapshotRequest& request) {
  refuse_empty_choice(control, request.filter);
  const auto deadline = Clock::now() + request.locks.give_up_after;
  // Listing the tables takes locks, too: their sizes are asked for. And so does what the session is asked later on,
  // when it holds locks that others wait for.
  control.query(fmt::format("SET lock_timeout = {}", request.locks.lock_timeout.count()));
  std::string said_before;
  for (int attempt = 0;; ++attempt) {
    std::string obstacle;
    bool wait = false;
    try {
      Snapshot snapshot = try_once(control, request);
      warn_of_many_locks(control, snapshot.locked_tables.size());
      return snapshot;
    } catch (const Obstacle& error) {
      obstacle = error.what();
    } catch (const DatabaseError& error) {
      obstacle = error.what();
      wait = is_lock_in_the_way(error);
      if (!wait && (!names_what_is_gone(error) || obstacle == said_before)) throw;
      said_before = obstacle;
    }
    control.query("ROLLBACK");
    if (wait) obstacle += blockers(control);
    if (Clock::now() >= deadline) {
      throw Error(ErrorKind::failed, fmt::format("the tables could not be locked for reading: {}", obstacle),
                  obstacle.find("prepared transaction") == std::string::npos
                      ? "a migration or another long exclusive lock is in the way; see pg_locks, and try again later"
                      : "a forgotten prepared transaction keeps its locks until you end it with COMMIT PREPARED "
                        "or ROLLBACK PREPARED; see pg_prepared_xacts");
    }
    log(LogLevel::info, "lock_retry", fmt::format("trying again to lock the tables: {}", obstacle));
    sleep_for(
        std::min(pause_after(attempt, wait), std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now())),
        control.stop());
  }
}

void import_snapshot(Connection& connection, const std::string& snapshot_id) {
  connection.query(
      fmt::format("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET TRANSACTION SNAPSHOT {}; SAVEPOINT {}",
                  connection.quote_literal(snapshot_id), kSavepoint));
}

void release_locks(Connection& connection) { connection.query(fmt::format("ROLLBACK TO SAVEPOINT {}", kSavepoint)); }

}  // namespace pana
