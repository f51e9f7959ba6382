#include "pg/lock_watch.h"

#include <fmt/format.h>

#include "base/log.h"
#include "base/obstacle.h"
#include "base/setting.h"

namespace pana {
namespace {

constexpr std::chrono::seconds kPeriod{5};
constexpr std::chrono::seconds kPeriodOfTheImpatient{1};

// Longer than a session of ours stands in a lock's queue before it leaves the table to the end.
constexpr std::chrono::seconds kCircleLasts{4};

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
  // Whom we wait for, and whom they wait for, and so on.
  query_ = fmt::format(
      "WITH RECURSIVE awaited (pid) AS ("
      "SELECT b FROM pg_catalog.unnest(ARRAY[{0}]) AS ours, pg_catalog.unnest(pg_catalog.pg_blocking_pids(ours)) AS b "
      "UNION "
      "SELECT b FROM awaited AS a, pg_catalog.unnest(pg_catalog.pg_blocking_pids(a.pid)) AS b WHERE a.pid NOT IN "
      "({0})) "
      "SELECT l.pid, coalesce(l.relation::pg_catalog.regclass::text, l.locktype), l.pid IN (SELECT pid FROM awaited) "
      "FROM pg_catalog.pg_locks AS l "
      "WHERE NOT l.granted AND l.pid NOT IN ({0}) AND pg_catalog.pg_blocking_pids(l.pid) && ARRAY[{0}]",
      sessions);
}

void LockWatch::look(Connection& observer) {
  const auto now = Clock::now();
  if (now - looked_at_ < (patience_.count() > 0 ? kPeriodOfTheImpatient : kPeriod)) return;
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
          fmt::format("session {} waits for {}, and others may wait behind it", session, awaited),
          {{"session", session}, {"object", target}});
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
