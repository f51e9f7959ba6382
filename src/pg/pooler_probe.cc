#include "pg/pooler_probe.h"

#include <fmt/format.h>
#include <poll.h>

namespace pana {
namespace {

constexpr int kRounds = 6;

// How long a session of its own may take to tell its process id.
constexpr std::chrono::seconds kPatience{10};

constexpr const char* kAsk = "SELECT pg_catalog.pg_backend_pid()";

std::int64_t backend_id(Connection& connection) { return connection.query(kAsk).integer(0, 0); }

// Without a pooler the login told the server session's own process id.
bool is_behind_pooler(Connection& connection) { return backend_id(connection) != PQbackendPID(connection.handle()); }

bool begins_to_answer(Connection& connection) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  constexpr int kStepMilliseconds = 100;
  while (std::chrono::steady_clock::now() < deadline) {
    if (connection.await_briefly(POLLIN, kStepMilliseconds) != 0) return true;
  }
  return false;
}

// The backend of `a` while `b` holds a transaction open, which ends with this. A pooler in transaction mode that has no
// other server session to give leaves `a` waiting for that of `b`.
std::int64_t backend_id_beside(Connection& a, Connection& b) {
  a.send(kAsk);
  const bool has_waited = !begins_to_answer(a);
  if (has_waited) b.query("ROLLBACK");
  a.limit_silence(kPatience);
  const std::int64_t id = a.last_result().integer(0, 0);
  a.limit_silence(std::chrono::seconds(0));
  if (!has_waited) b.query("ROLLBACK");
  return id;
}

[[noreturn]] void refuse(Connection& connection) {
  const std::string port = PQport(connection.handle());
  throw Error(ErrorKind::refused,
              fmt::format("the database is reached through a transaction-mode pooler (port {})", port),
              port == "6543" ? "use the session pooler: the same host and user on port 5432"
                             : "use the pooler's session mode, or the database's own port");
}

}  // namespace

bool refuse_transaction_pooling(Connection& a, Connection& b) try {
  if (!is_behind_pooler(a)) return false;
  for (int round = 0; round < kRounds; ++round) {
    const std::int64_t before = backend_id(a);
    b.query("BEGIN");
    const std::int64_t held = backend_id(b);
    const std::int64_t after = backend_id_beside(a, b);
    if (before != after || after == held) refuse(a);
  }
  return true;
} catch (const DatabaseError& error) {
  // PgBouncer's statement mode lets nobody begin a transaction.
  if (std::string_view(error.what()).find("statement pooling mode") == std::string_view::npos) throw;
  throw Error(ErrorKind::refused, "the database is reached through a pooler in statement mode",
              "use the pooler's session mode, or the database's own port");
}

void refuse_unprovable_pooling(Connection& only) {
  if (!is_behind_pooler(only)) return;
  throw Error(
      ErrorKind::refused,
      "the database is reached through a pooler that admitted one connection only, and it takes two to see its mode",
      "free a connection or raise the pool size, or use the database's own port");
}

}  // namespace pana
