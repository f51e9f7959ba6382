#include "pg/pooler_probe.h"

#include <fmt/format.h>

namespace pana {
namespace {

constexpr int kRounds = 6;

// How long a session of its own may take to tell its process id.
constexpr std::chrono::seconds kPatience{10};

std::int64_t backend_id(Connection& connection) {
  return connection.query("SELECT pg_catalog.pg_backend_pid()").integer(0, 0);
}

[[noreturn]] void refuse(Connection& connection) {
  const std::string port = PQport(connection.handle());
  throw Error(ErrorKind::refused, fmt::format("the database is reached through a transaction-mode pooler (port {})", port),
              port == "6543" ? "use the session pooler: the same host and user on port 5432"
                             : "use the pooler's session mode, or the database's own port");
}

}  // namespace

bool refuse_transaction_pooling(Connection& a, Connection& b) {
  // Without a pooler the login told the server session's own process id.
  if (backend_id(a) == PQbackendPID(a.handle())) return false;
  for (int round = 0; round < kRounds; ++round) {
    const std::int64_t before = backend_id(a);
    b.query("BEGIN");
    const std::int64_t held = backend_id(b);
    a.limit_silence(kPatience);
    try {
      const std::int64_t after = backend_id(a);
      if (before != after || after == held) refuse(a);
    } catch (const DatabaseError&) {
      if (a.is_alive()) refuse(a);  // b's transaction holds the only server session there is
      throw;
    }
    a.limit_silence(std::chrono::seconds(0));
    b.query("ROLLBACK");
  }
  return true;
}

}  // namespace pana
