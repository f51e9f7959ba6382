// The session of a connection, lent to a child process, which finds it at a Unix socket as if it were the server.
//
// pg_dump reads the schema in the very session that holds the backup's locks and snapshot. In a session of its own it
// would ask for the same locks once more, stand in a queue behind a migration that waits for the first ones, and need
// one connection more, the password, and a round trip for every table. Everything it says is passed on and answered by
// the server, but for what the session has already: the locks, the transaction, its own limits of idleness and of
// standing in the queue of a lock that it has not.
//
// The socket has a name of Linux's abstract namespace, so there is no file; only processes of the same user are let in.
// Messages are those of "Frontend/Backend Protocol" of PostgreSQL's manual, version 3.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/file_descriptor.h"
#include "pg/connection.h"
#include "pg/wire.h"

namespace pana {

// Used by the thread that uses the connection. Between two calls of serve() the connection is free for other queries.
class SessionLoan {
 public:
  // The connection is in a transaction that holds the locks of `locked_tables` (as SQL) in ACCESS SHARE mode.
  // `longest_silence`: of a borrower in the middle of a message; 0: no limit.
  SessionLoan(Connection& connection, const std::vector<std::string>& locked_tables,
              std::chrono::seconds longest_silence);

  // What libpq needs in its environment to find the session. There is no password in it.
  std::vector<std::pair<std::string, std::string>> environment() const;

  // What can be read when the borrower has something to say; -1 once it has gone.
  int descriptor() const { return borrower_ ? borrower_.get() : listener_.get(); }

  // Takes one request, waits for the server's whole answer and passes it on.
  void serve();

  // The server has refused something: in this transaction it will answer nothing more.
  bool has_failed() const { return has_failed_; }
  // The last that the server has refused with.
  const std::optional<DatabaseError>& error() const { return error_; }

 private:
  struct Request {
    char type = 0;
    std::string body;
  };

  void accept();
  bool read_startup();
  Request read_request();
  void answer_itself(std::string_view command_tag);
  void pass_on(const Request& request);
  bool read(char* into, std::size_t bytes);
  void write(std::string_view bytes);
  void await(short events);

  Connection& connection_;
  Wire wire_;
  const std::string name_;
  // What the session has already, or must keep, and what the server would say to it.
  std::map<std::string, std::string> needless_ = {
      {"BEGIN", "BEGIN"}, {"SET lock_timeout = 0", "SET"}, {"SET idle_in_transaction_session_timeout = 0", "SET"}};
  FileDescriptor listener_;
  FileDescriptor borrower_;
  const std::chrono::seconds longest_silence_;
  bool has_failed_ = false;
  std::optional<DatabaseError> error_;
};

}  // namespace pana
