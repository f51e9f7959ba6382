// One connection that a test holds open: for transactions, locks and statements that are still running.
#pragma once

#include <libpq-fe.h>

#include <memory>
#include <string>

namespace pana::test {

class Session {
 public:
  // Throws std::runtime_error when the connection fails.
  explicit Session(const std::string& url);

  // The first column of the first row of the last result; empty when there is none. Throws what the server says.
  std::string execute(const std::string& sql);

  // Sends the statement and does not wait for it; finish() does, and throws what went wrong.
  void send(const std::string& sql);
  void finish();

 private:
  std::unique_ptr<PGconn, decltype(&PQfinish)> connection_;
};

}  // namespace pana::test
