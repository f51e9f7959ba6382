#include "command/connections.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "base/log.h"
#include "pg/pooler_probe.h"
#include "pg/session.h"

namespace pana {
namespace {

// How long a pooler may take to find a server connection for a worker.
constexpr std::chrono::seconds kAdmissionTime{10};

// A worker keeps a processor of the server busy and half of one here, and is not worth its connection for little.
std::size_t suggested_jobs(Connection& control) {
  constexpr std::uint64_t kBytesOfAJob = 64 << 20;
  constexpr std::uint64_t kAtMost = 8;
  const std::int64_t size =
      control.query("SELECT pg_catalog.pg_database_size(pg_catalog.current_database())").integer(0, 0);
  const std::uint64_t by_size = 1 + static_cast<std::uint64_t>(size) / kBytesOfAJob;
  const std::uint64_t by_processors = 2 * static_cast<std::uint64_t>(std::max(::sysconf(_SC_NPROCESSORS_ONLN), 1L));
  return std::min({by_size, by_processors, kAtMost});
}

}  // namespace

// libpq's own choice, the database that is called like the user, is there on most servers, and empty on many.
const DatabaseAddress& named(const DatabaseAddress& address) {
  if (!address.names_database())
    throw Error(ErrorKind::usage, fmt::format("no database is named, and libpq would take {}", address.description()),
                "write the database into the URL: postgresql://user@host:port/database");
  return address;
}

std::optional<Connection> connect_worker(const DatabaseAddress& address, const std::stop_token& stop) {
  try {
    Connection worker(address, stop);
    worker.limit_first_answer(kAdmissionTime);
    worker.query("SELECT 1");
    return worker;
  } catch (const DatabaseError& error) {
    log(LogLevel::warning, "worker_refused",
        fmt::format("a connection was refused, going on with fewer: {}", error.what()));
    return std::nullopt;
  }
}

std::vector<Connection> connect_workers(const DatabaseAddress& address, std::size_t count,
                                        std::chrono::seconds longest_silence, const std::stop_token& stop) {
  std::vector<Connection> connections;
  connections.emplace_back(named(address), stop);
  connections.front().limit_silence(longest_silence);
  connections.front().query("SELECT 1");
  std::optional<Connection> worker = connect_worker(address, stop);
  worker ? void(refuse_transaction_pooling(connections.front(), *worker))
         : refuse_unprovable_pooling(connections.front());
  lift_timeouts(connections.front());
  while (worker && connections.size() < count) {
    lift_timeouts(*worker);
    connections.push_back(std::move(*worker));
    worker = connections.size() < count ? connect_worker(address, stop) : std::nullopt;
  }
  for (Connection& connection : connections)
    connection.limit_silence(longest_silence);  // the probe had a limit of its own
  return connections;
}

BackupConnections::BackupConnections(const DatabaseAddress& address, std::size_t jobs,
                                     std::chrono::seconds longest_silence, const std::stop_token& stop)
    : control(named(address), stop) {
  control.limit_silence(longest_silence);
  control.query("SELECT 1");  // a pooler gives a connection out at the first query; this one must be the first
  std::optional<Connection> worker = connect_worker(address, stop);
  if (!worker) {
    throw Error(ErrorKind::failed, "the server admitted only one connection, and a backup needs at least two",
                "raise the pool size, or run the backup when the application uses fewer connections");
  }
  refuse_transaction_pooling(control, *worker);
  control.limit_silence(longest_silence);  // the probe had a limit of its own
  lift_timeouts(control);
  if (jobs == 0) jobs = suggested_jobs(control);
  while (worker) {
    worker->limit_silence(longest_silence);
    lift_timeouts(*worker);
    workers.push_back(std::move(*worker));
    worker = workers.size() < jobs ? connect_worker(address, stop) : std::nullopt;
  }
}

}  // namespace pana
