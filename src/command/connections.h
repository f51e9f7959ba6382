// The connections of a command: one in control, and as many workers as the server or its pooler admits.
#pragma once

#include <chrono>
#include <optional>
#include <stop_token>
#include <vector>

#include "pg/connection.h"

namespace pana {

// A connection that has answered a first query, or nothing, reported in the log, when it was not admitted. A pool that
// is full does not say so: it accepts the client and leaves its first query waiting.
std::optional<Connection> connect_worker(const DatabaseAddress& address, const std::stop_token& stop);

// `count` connections, or as many as are admitted; the first one must be. Refuses a pooler in transaction mode, and one
// that admits too few for that to be seen. `longest_silence` of the server is the limit of each, from its first query
// on; 0: none.
std::vector<Connection> connect_workers(const DatabaseAddress& address, std::size_t count,
                                        std::chrono::seconds longest_silence, const std::stop_token& stop);

class BackupConnections {
 public:
  // Connects one after another, the control connection first, and probes for a pooler in transaction mode before
  // anything changes a session. A refused worker is reported and done without; one at least must be admitted. `jobs` of
  // 0: as many as the machine's processors and the size of the database suggest. `longest_silence` as for
  // connect_workers().
  BackupConnections(const DatabaseAddress& address, std::size_t jobs, std::chrono::seconds longest_silence,
                    const std::stop_token& stop);

  Connection control;
  std::vector<Connection> workers;
};

}  // namespace pana
