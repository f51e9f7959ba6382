// pg_dump as a child process: the schema of a backup comes from it, because only it knows every object kind.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/child_process.h"
#include "pg/connection.h"
#include "pg/session_loan.h"

namespace pana {

struct PgDumpProgram {
  std::string path;
  std::string version;  // "15.8"
  int major = 0;
  bool has_restrict_key = false;  // --restrict-key: since 15.14, 16.10, 17.6, 18
};

// The pg_dump for a server: of several that of its own major version, else the oldest that can read it, for a newer one
// may write what that server does not understand. Looks at PANA_PG_DUMP if that is set, else in the PATH and in
// Debian's /usr/lib/postgresql/*/bin. Throws Error(refused) when there is none that runs, or none that reads a server
// of that version (as PQserverVersion gives it): pg_dump reads servers up to its own major version; Error(failed) when
// what might have been one was killed.
PgDumpProgram find_pg_dump(int server_version);

struct PgDumpRequest {
  std::vector<std::string> locked_tables;  // as SQL, by the connection's transaction
  std::string encoding;
  std::string restrict_key;                 // empty: do not ask for one
  std::vector<std::string> arguments;       // of the filter
  std::chrono::seconds longest_silence{0};  // of pg_dump, which tells its steps; 0: no limit
};

// One run of pg_dump for the schema (pre-data and post-data), in the session of a connection: under its snapshot and
// with its locks.
//
// The program starts at once; what it has to say waits until read() is called.
class SchemaDump {
 public:
  // The connection is in the transaction that holds locks and snapshot.
  SchemaDump(const PgDumpProgram& program, Connection& connection, const PgDumpRequest& request);

  // Hands its output over as it comes, until it has ended. The connection's session is pg_dump's until then, except in
  // `meanwhile`, which is called now and then. Throws when it fails: an Obstacle when it stood too long in the
  // queue of a lock, or the schema has changed meanwhile, else a DatabaseError.
  void read(const std::function<void(std::string_view)>& output, const std::function<void()>& meanwhile,
            const std::stop_token& stop);

 private:
  Connection& connection_;
  SessionLoan loan_;
  ChildProcess child_;
  const std::string program_;
  std::chrono::seconds longest_silence_;
};

}  // namespace pana
