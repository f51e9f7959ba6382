// A connection to PostgreSQL by libpq whose every wait can be stopped.
//
// Used by one thread at a time. All waiting is poll() on the socket with a look at the stop token, so a silent server
// cannot hold a worker; a connection that is stopped or destroyed in the middle of a query cancels it on the server.
// Errors are DatabaseError with the server's message; a password never stands in one.
#pragma once

#include <libpq-fe.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "pg/database_address.h"

namespace pana {

// How often whoever waits for a connection looks whether to stop.
constexpr int kStopCheckMilliseconds = 100;

// SQLSTATEs that decide what happens next (PostgreSQL's appendix A).
constexpr std::string_view kDependentObjectsExist = "2BP01";
constexpr std::string_view kFeatureNotSupported = "0A000";
constexpr std::string_view kOutOfMemory = "53200";  // of locks, mostly

class DatabaseError : public Error {
 public:
  DatabaseError(const std::string& message, std::string sqlstate, std::string hint = {}, std::size_t character = 0)
      : Error(ErrorKind::failed, message, std::move(hint)), sqlstate_(std::move(sqlstate)), character_(character) {}
  // The five characters of PostgreSQL's appendix A, or empty when the error is not the server's.
  const std::string& sqlstate() const { return sqlstate_; }
  // Of the query, from 1: where the server found the error. 0: it does not say.
  std::size_t character() const { return character_; }

 private:
  std::string sqlstate_;
  std::size_t character_ = 0;
};

// Whether the statement would succeed if others let their locks go: it waited for longer than lock_timeout, or was
// chosen to end a deadlock.
bool is_lock_in_the_way(const DatabaseError& error);

// What to throw when a connection is of no more use; the SQLSTATE is that of the server's last words, if there were
// any.
DatabaseError broken_connection(std::string_view why, std::string sqlstate = {});

// The rows of a finished query, as text.
class QueryResult {
 public:
  explicit QueryResult(PGresult* result) : result_(result) {}

  int rows() const { return PQntuples(result_.get()); }
  bool is_null(int row, int column) const { return PQgetisnull(result_.get(), row, column) != 0; }
  std::string_view text(int row, int column) const;
  std::string string(int row, int column) const { return std::string(text(row, column)); }
  std::int64_t integer(int row, int column) const;
  std::uint32_t oid(int row, int column) const { return static_cast<std::uint32_t>(integer(row, column)); }
  bool boolean(int row, int column) const { return text(row, column) == "t"; }
  std::uint64_t affected_rows() const;
  ExecStatusType status() const { return PQresultStatus(result_.get()); }
  const PGresult* get() const { return result_.get(); }

 private:
  struct Clear {
    void operator()(PGresult* result) const { PQclear(result); }
  };
  std::unique_ptr<PGresult, Clear> result_;
};

struct FinishConnection {
  bool cancelled = false;         // the query that was running, already
  bool query_past_libpq = false;  // one is running that libpq knows nothing of
  void operator()(PGconn* connection) const;
};

class Connection {
 public:
  // Throws DatabaseError when the server cannot be reached or refuses, and Error(refused) when it is too old;
  // authentication is tried once.
  Connection(const DatabaseAddress& address, std::stop_token stop);

  // Runs one or more statements in one simple-protocol query; returns the last one's result.
  QueryResult query(const std::string& sql);

  // Sends statements without waiting; next_result() then gives their results in order, and nothing after the last. A
  // COPY leaves the connection in copy mode. Errors of the server are thrown.
  void send(const std::string& sql);
  std::optional<QueryResult> next_result();
  QueryResult last_result();  // of all that were sent

  // Blocks until there is something to read (or, with `for_write`, until something can be written).
  void wait(bool for_write = false);
  // Blocks until the socket is ready for one of poll()'s events, whatever libpq has read of it; returns which.
  short await(short events);
  // The same for so many milliseconds at most: nothing is ready then, and 0 is returned.
  short await_briefly(short events, int milliseconds);
  // Sends what libpq still holds back.
  void flush();

  // How long the first answer may take before waiting for it throws DatabaseError: a pooler without a free server
  // connection admits the client, and may never answer. Once there was an answer, nothing limits the next ones.
  void limit_first_answer(std::chrono::seconds limit) { first_answer_by_ = std::chrono::steady_clock::now() + limit; }

  // How long the server may be silent while it is waited for, before that throws DatabaseError; 0: for ever. The answer
  // may still come, when nobody wants it any more: the connection is of no more use then.
  void limit_silence(std::chrono::seconds longest) { longest_silence_ = longest; }

  // Whether the server works for us without libpq's knowing: then it is up to us to cancel that (Wire).
  void set_query_past_libpq(bool is_running);

  int server_version() const { return PQserverVersion(handle_.get()); }  // 150008
  std::string parameter(const char* name) const;                         // a ParameterStatus value
  std::string quote_literal(std::string_view text);
  std::string quote_identifier(std::string_view name);
  // What the server has only warned of since the last call: rights that it did not grant or revoke (01006, 01007),
  // though the statement went well.
  std::vector<std::string> take_refused_grants() { return std::exchange(*refused_grants_, {}); }
  // Whether it takes another query: it is not broken, and nothing is under way that was given up.
  bool is_alive() const {
    return !is_given_up_ && !handle_.get_deleter().query_past_libpq && PQstatus(handle_.get()) == CONNECTION_OK;
  }
  std::string host() const;
  std::string place() const;                       // "host:port/database", as it is connected
  std::optional<std::string> tls_version() const;  // "TLSv1.3"; nothing when it is not encrypted

  PGconn* handle() { return handle_.get(); }
  // Whose stop ends the waits: a worker's thread puts its own token in place of the one the connection was made with.
  const std::stop_token& stop() const { return stop_; }
  void set_stop(std::stop_token stop) { stop_ = std::move(stop); }

  // What is under way on it is not waited for, and nothing follows.
  void give_up() { is_given_up_ = true; }

  // Throws the error that libpq holds for this connection.
  [[noreturn]] void throw_error();

 private:
  void establish();
  void look_for_stop();

  std::stop_token stop_;
  bool is_given_up_ = false;
  std::chrono::seconds longest_silence_{0};
  std::optional<std::chrono::steady_clock::time_point> first_answer_by_;
  std::unique_ptr<std::vector<std::string>> refused_grants_;  // libpq knows where they are
  std::unique_ptr<PGconn, FinishConnection> handle_;
};

// Throws Error(refused) when a server of that version, as PQserverVersion() gives it, is older than those pana knows.
void refuse_old_server(int version);

// The message, detail and hint of an error as one DatabaseError. `field` gives what PG_DIAG_... stands for, or nothing.
DatabaseError error_of(const std::function<std::string_view(int kind)>& field);

}  // namespace pana
