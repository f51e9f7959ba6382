#include "pg/lock_watch.h"

#include <fmt/format.h>

#include "base/log.h"

namespace pana {
namespace {

constexpr std::chrono::seconds kPeriod{5};
constexpr std::chrono::seconds kPeriodOfTheImpatient{1};

}  // namespace

void LockWatch::look(Connection& connection) {
  const auto now = Clock::now();
  if (now - looked_at_ < (patience_.count() > 0 ? kPeriodOfTheImpatient : kPeriod)) return;
  looked_at_ = now;
  const QueryResult waiters = connection.query(
      "SELECT l.pid, coalesce(l.relation::pg_catalog.regclass::text, l.locktype) FROM pg_catalog.pg_locks AS l "
      "WHERE NOT l.granted AND pg_catalog.pg_backend_pid() = ANY (pg_catalog.pg_blocking_pids(l.pid))");
  std::map<std::int64_t, Clock::time_point> waiting_since;
  for (int row = 0; row < waiters.rows(); ++row) {
    const std::int64_t session = waiters.integer(row, 0);
    const std::string target = waiters.string(row, 1);
    const auto known = waiting_since_.find(session);
    const Clock::time_point since = known == waiting_since_.end() ? now : known->second;
    waiting_since[session] = since;
    if (known == waiting_since_.end()) {
      log(LogLevel::warning, "waiter",
          fmt::format("session {} waits for a lock on {} that the backup holds, and others may wait behind it", session, target),
          {{"session", session}, {"object", target}});
    }
    if (patience_.count() > 0 && now - since >= patience_) {
      throw Error(ErrorKind::failed,
                  fmt::format("gave way: session {} has waited {} s for a lock on {} that the backup held", session,
                              std::chrono::duration_cast<std::chrono::seconds>(now - since).count(), target),
                  "run backups when no migrations run, or with a longer --yield-to-waiters");
    }
  }
  waiting_since_ = std::move(waiting_since);
}

}  // namespace pana
