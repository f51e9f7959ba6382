// Sessions that wait for a lock that a backup holds: told of, given way to if somebody says so, and always where they
// hold what the backup itself waits for, or where every login waits behind them. The server sees such a circle only
// within one session; a backup has several.
//
// Logins: on Supabase, a change of any policy locks all tables of the setting supautils.policy_grants, those of the
// logins among them, until it commits. While it waits for us, nobody logs in.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <span>
#include <string>

#include "pg/connection.h"

namespace pana {

class LockWatch {
 public:
  // Who waits for the locks of `control` or of a worker is looked for. As control looks every few seconds, the server
  // shall end its session, and with it the locks, when it is idle for minutes: it has lost us then. `patience`: how
  // long a session may wait for us before the backup is given up; 0: for as long as it takes, but with logins behind it
  // for no longer than until it is seen.
  LockWatch(Connection& control, std::span<Connection> workers, std::chrono::seconds patience);

  // Looks, over one of the sessions, at most once in a few seconds; nor is that session idle for longer, which poolers
  // and firewalls would end. Each one that waits is told of in the log once. Throws Error(failed) when one has waited
  // for longer than the patience, and an Obstacle when logins wait behind it, or it has stood in a circle with us for
  // some seconds.
  void look(Connection& observer);

  // How long to wait between two calls of look().
  std::chrono::milliseconds pause() const;

 private:
  using Clock = std::chrono::steady_clock;

  const std::chrono::seconds patience_;
  std::string query_;
  bool may_stop_logins_ = false;
  Clock::time_point looked_at_ = Clock::now();
  using Since = std::map<std::int64_t, Clock::time_point>;  // by the session's process id, as far as we have seen it
  Since waiting_since_;
  Since in_circle_since_;
};

}  // namespace pana
