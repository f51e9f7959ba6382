// Sessions that wait for a lock that a backup holds: told of, and, if somebody says so, given way to.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>

#include "pg/connection.h"

namespace pana {

class LockWatch {
 public:
  // `patience`: how long a session may wait for us before the backup is given up; 0: for as long as it takes.
  explicit LockWatch(std::chrono::seconds patience) : patience_(patience) {}

  // Looks who waits for the connection's locks, at most once in a few seconds. Each one is told of in the log once.
  // Throws Error(failed) when one has waited for longer than the patience.
  void look(Connection& connection);

 private:
  using Clock = std::chrono::steady_clock;

  const std::chrono::seconds patience_;
  Clock::time_point looked_at_ = Clock::now();
  std::map<std::int64_t, Clock::time_point> waiting_since_;  // by the session's process id, as far as we have seen it
};

}  // namespace pana
