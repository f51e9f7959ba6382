#include "pg/lock_watch.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <vector>

#include "base/json.h"
#include "base/log.h"
#include "base/obstacle.h"
#include "base/setting.h"
#include "pg/transaction.h"

namespace pana {
namespace {

constexpr std::chrono::seconds kPeriod{5};
constexpr std::chrono::seconds kPeriodOfTheImpatient{1};
constexpr std::chrono::milliseconds kPeriodOfLogins{250};

// Longer than a session of ours stands in a lock's queue before it leaves the table to the end.
constexpr std::chrono::seconds kCircleLasts{4};

// The tables that are locked together for a change of any policy, as an SQL array of their names; empty elsewhere than
// on Supabase. Whatever the setting holds, or is hidden by, must not end our transaction.
std::string tables_of_logins(Connection& control) {
  const std::string sql = "SELECT coalesce(pg_catalog.current_setting('supautils.policy_grants', true), '')";
  if (try_in_savepoint(control, sql)) return {};  // a setting may be hidden
  const Json grants = Json::parse(control.query(sql).string(0, 0), nullptr, /*allow_exceptions=*/false);
  if (!grants.is_object()) return {};
  std::vector<std::string> names;
  for (const auto& [role, tables] : grants.items()) {
    if (!tables.is_array()) continue;
    for (const Json& table : tables) {
      if (table.is_string()) names.push_back(control.quote_literal(table.get<std::string>()));
    }
  }
  return names.empty() ? "" : fmt::format("ARRAY[{}]::text[]", fmt::join(names, ", "));
}

}  // namespace

LockWatch::LockWatch(Connection& control, std::span<Connection> workers, std::chrono::seconds patience)
    : patience_(patience) {
  // Not libpq's PQbackendPID(), which behind a pooler is the pooler's invention.
  const auto pid_of = [](Connection& session) {
    return session.query("SELECT pg_catalog.pg_backend_pid()").string(0, 0);
  };
  std::string sessions = pid_of(control);
  for (Connection& worker : workers) sessions += ", " + pid_of(worker);
  control.query("SET idle_in_transaction_session_timeout = '5min'");
  const std::string of_logins = tables_of_logins(control);
  may_stop_logins_ = !of_logins.empty();
  const std::string stops_logins = of_logins.empty()
                                       ? "false"
                                       : fmt::format(
                                             "EXISTS (SELECT FROM pg_catalog.pg_class AS c "
                                             "JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace "
                                             "WHERE c.oid = l.relation AND n.nspname || '.' || c.relname = ANY ({}))",
                                             of_logins);
  // Whom we wait for, and whom they wait for, and so on.
  query_ = fmt::format(
      "WITH RECURSIVE awaited (pid) AS ("
      "SELECT b FROM pg_catalog.unnest(ARRAY[{0}]) AS ours, pg_catalog.unnest(pg_catalog.pg_blocking_pids(ours)) AS b "
      "UNION "
      "SELECT b FROM awaited AS a, pg_catalog.unnest(pg_catalog.pg_blocking_pids(a.pid)) AS b WHERE a.pid NOT IN "
      "({0})) "
      "SELECT l.pid, coalesce(l.relation::pg_catalog.regclass::text, l.locktype), l.pid IN (SELECT pid FROM awaited), "
      "{1} "
      "FROM pg_catalog.pg_locks AS l "
      "WHERE NOT l.granted AND l.pid NOT IN ({0}) AND pg_catalog.pg_blocking_pids(l.pid) && ARRAY[{0}]",
      sessions, stops_logins);
}

std::chrono::milliseconds LockWatch::pause() const {
  if (may_stop_logins_) return kPeriodOfLogins;
  return patience_.count() > 0 ? kPeriodOfTheImpatient : kPeriod;
}

void LockWatch::look(Connection& observer) {
  const auto now = Clock::now();
  if (now - looked_at_ < pause()) return;
  looked_at_ = now;
  const QueryResult waiters = observer.query(query_);
  Since waiting_since;
  Since in_circle_since;
  const auto since_in = [now](const Since& times, std::int64_t session) {
    const auto known = times.find(session);
    return known == times.end() ? now : known->second;
  };
  for (int row = 0; row < waiters.rows(); ++row) {
    const std::int64_t session = waiters.integer(row, 0);
    const std::string target = waiters.string(row, 1);
    const std::string awaited = target == "virtualxid"
                                    ? "the backup's transactions to end, as CREATE INDEX CONCURRENTLY does"
                                    : fmt::format("the backup's lock on {}", target);
    const bool stops_logins = waiters.boolean(row, 3);
    const Clock::time_point since = since_in(waiting_since_, session);
    waiting_since[session] = since;
    if (waiters.boolean(row, 2)) {
      in_circle_since[session] = since_in(in_circle_since_, session);
      if (now - in_circle_since[session] >= kCircleLasts) {
        throw Obstacle(
            Obstacle::Cause::lock, ErrorKind::failed,
            fmt::format("session {} waits for {}, and holds what the backup waits for: neither would ever end", session,
                        awaited),
            "run backups when no migrations run");
      }
    }
    if (!waiting_since_.contains(session)) {
      log(LogLevel::warning, "waiter",
          fmt::format("session {} waits for {}, and {} wait behind it", session, awaited,
                      stops_logins ? "logins" : "others may"),
          {{"session", session}, {"object", target}});
    }
    if (stops_logins && now - since >= patience_) {
      throw Obstacle(
          Obstacle::Cause::lock, ErrorKind::failed,
          fmt::format("gave way to session {}, which waits for {} while logins wait behind it", session, awaited),
          "run backups when no migrations change policies");
    }
    if (patience_.count() > 0 && now - since >= patience_) {
      throw Error(ErrorKind::failed,
                  fmt::format("gave up because session {} has waited {} s for {}", session,
                              std::chrono::duration_cast<std::chrono::seconds>(now - since).count(), awaited),
                  "run backups when no migrations run" + advice(", or with a longer {}", Setting::yield_to_waiters));
    }
  }
  waiting_since_ = std::move(waiting_since);
  in_circle_since_ = std::move(in_circle_since);
}

}  // namespace pana
