#include "pg/lock_watch.h"

#include <fmt/format.h>

#include "base/log.h"

namespace pana {
namespace {

constexpr std::chrono::seconds kPeriod{5};
constexpr std::chrono::seconds kPeriodOfTheImpatient{1};

}  // namespace

LockWatch::LockWatch(Connection& observer, std::span<Connection> others, std::chrono::seconds patience)
    : observer_(observer), patience_(patience) {
  // Not libpq's PQbackendPID(), which behind a pooler is the pooler's invention.
  std::string sessions = "pg_catalog.pg_backend_pid()";
  for (Connection& other : others) sessions += ", " + other.query("SELECT pg_catalog.pg_backend_pid()").string(0, 0);
  query_ = fmt::format("SELECT l.pid, coalesce(l.relation::pg_catalog.regclass::text, l.locktype) FROM pg_catalog.pg_locks AS l "
                       "WHERE NOT l.granted AND l.pid NOT IN ({0}) AND pg_catalog.pg_blocking_pids(l.pid) && ARRAY[{0}]",
                       sessions);
}

void LockWatch::look() {
  const auto now = Clock::now();
  if (now - looked_at_ < (patience_.count() > 0 ? kPeriodOfTheImpatient : kPeriod)) return;
  looked_at_ = now;
  const QueryResult waiters = observer_.query(query_);
  std::map<std::int64_t, Clock::time_point> waiting_since;
  for (int row = 0; row < waiters.rows(); ++row) {
    const std::int64_t session = waiters.integer(row, 0);
    const std::string target = waiters.string(row, 1);
    const std::string awaited = target == "virtualxid" ? "the backup's transactions to end, as CREATE INDEX CONCURRENTLY does"
                                                       : fmt::format("the backup's lock on {}", target);
    const auto known = waiting_since_.find(session);
    const Clock::time_point since = known == waiting_since_.end() ? now : known->second;
    waiting_since[session] = since;
    if (known == waiting_since_.end()) {
      log(LogLevel::warning, "waiter", fmt::format("session {} waits for {}, and others may wait behind it", session, awaited),
          {{"session", session}, {"object", target}});
    }
    if (patience_.count() > 0 && now - since >= patience_) {
      throw Error(ErrorKind::failed,
                  fmt::format("gave way: session {} has waited {} s for {}", session,
                              std::chrono::duration_cast<std::chrono::seconds>(now - since).count(), awaited),
                  "run backups when no migrations run, or with a longer --yield-to-waiters");
    }
  }
  waiting_since_ = std::move(waiting_since);
}

}  // namespace pana
