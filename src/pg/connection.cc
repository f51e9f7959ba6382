#include "pg/connection.h"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <vector>

#include "base/setting.h"

namespace pana {
namespace {

// How libpq begins what it says of a URL with which it can do nothing.
constexpr std::string_view kNotEvenTried = "invalid ";

std::string one_line(std::string_view message) {
  while (!message.empty() && message.back() == '\n') message.remove_suffix(1);
  std::string line;
  for (const char c : message) {
    if (c == '\n') {
      line += "; ";
    } else if (c != '\t') {
      line += c;
    }
  }
  return line;
}

// libpq's own errors have no fields, only a text.
DatabaseError error_of_result(const PGresult* result) {
  return error_of([result](int kind) -> std::string_view {
    const char* text = PQresultErrorField(result, kind);
    if (text == nullptr && kind == PG_DIAG_MESSAGE_PRIMARY) text = PQresultErrorMessage(result);
    return text == nullptr ? std::string_view() : std::string_view(text);
  });
}

constexpr int kCancelMilliseconds = 1000;  // how long asking for it may take

// What the server does for us must not go on after us. The request goes over a connection of its own, which may hang as
// ours does.
#ifdef LIBPQ_HAS_ASYNC_CANCEL
void cancel(PGconn* connection) {
  const std::unique_ptr<PGcancelConn, decltype(&PQcancelFinish)> request(PQcancelCreate(connection), &PQcancelFinish);
  if (!request || PQcancelStart(request.get()) == 0) return;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(kCancelMilliseconds);
  PostgresPollingStatusType status = PGRES_POLLING_WRITING;
  while (status != PGRES_POLLING_OK && status != PGRES_POLLING_FAILED && std::chrono::steady_clock::now() < deadline) {
    const short events = status == PGRES_POLLING_READING ? POLLIN : POLLOUT;
    pollfd descriptor{.fd = PQcancelSocket(request.get()), .events = events, .revents = 0};
    if (::poll(&descriptor, 1, kStopCheckMilliseconds) > 0) status = PQcancelPoll(request.get());
  }
}
#else
// Older libraries have only PQcancel(), which waits and does not encrypt: a child process calls it, and is not waited
// for long. (It is made for signal handlers, so it may be called in the child of a process with threads.)
void cancel(PGconn* connection) {
  constexpr int kStepMilliseconds = 5;
  const std::unique_ptr<PGcancel, decltype(&PQfreeCancel)> request(PQgetCancel(connection), &PQfreeCancel);
  const pid_t child = request ? ::fork() : -1;
  if (child < 0) return;
  if (child == 0) {
    std::array<char, 256> message{};
    PQcancel(request.get(), message.data(), static_cast<int>(message.size()));
    ::_exit(0);
  }
  for (int waited = 0; waited < kCancelMilliseconds; waited += kStepMilliseconds) {
    if (::waitpid(child, nullptr, WNOHANG) != 0) return;
    ::poll(nullptr, 0, kStepMilliseconds);
  }
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
}
#endif

std::string connection_hint(std::string_view message) {
  const auto says = [message](std::string_view words) { return message.find(words) != std::string_view::npos; };
  if (says("password authentication failed") || says("no password supplied")) {
    return "check user and password; one that is not in the URL comes from PGPASSWORD or a password file";
  }
  if (message.starts_with(kNotEvenTried)) return "check the host, the port and the options behind the ? of the URL";
  if (says("could not translate host name")) return "check the host name in the URL";
  if (says("Connection refused") || says("timeout expired") || says("Network is unreachable")) {
    return "check host and port, and that the database is running and reachable from here";
  }
  if (says("does not exist")) return "check the database and user names in the URL";
  if (says("remaining connection slots") || says("too many clients") || says("max clients")) {
    return fmt::format("no connection is free: {}raise the pool size", advice("lower {}, or ", Setting::jobs));
  }
  if (says("SSL") || says("sslmode"))
    return "the server must offer TLS; sslmode and sslrootcert in the URL say how it is checked";
  if (says("connection to server on socket") && !says("FATAL:"))
    return "give the URL, or set DATABASE_URL: without a host it is a server of this machine";
  return {};
}

}  // namespace

bool is_lock_in_the_way(const DatabaseError& error) {
  constexpr std::string_view kLockNotAvailable = "55P03";
  constexpr std::string_view kDeadlockDetected = "40P01";
  return error.sqlstate() == kLockNotAvailable || error.sqlstate() == kDeadlockDetected;
}

std::string_view QueryResult::text(int row, int column) const {
  return {PQgetvalue(result_.get(), row, column), static_cast<std::size_t>(PQgetlength(result_.get(), row, column))};
}

std::int64_t QueryResult::integer(int row, int column) const {
  const std::string_view digits = text(row, column);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (!digits.empty() && (error != std::errc() || end != digits.data() + digits.size())) {
    throw Error(ErrorKind::failed, fmt::format("the server answered {} where a number was expected", digits));
  }
  return value;
}

std::uint64_t QueryResult::affected_rows() const {
  const std::string_view digits = PQcmdTuples(const_cast<PGresult*>(result_.get()));  // libpq forgot the const
  std::uint64_t value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

DatabaseError broken_connection(std::string_view why, std::string sqlstate) {
  return {fmt::format("the connection broke: {}", why), std::move(sqlstate),
          "look into the log of the server or of the pooler for the cause, and run pana again"};
}

namespace {

// Rows may hold what is nobody's business who reads a log. The server puts values into quotation marks, those of its
// language: of what stands between the first and the last nothing is kept.
std::string without_quoted(std::string text) {
  constexpr std::array<std::string_view, 11> kMarks = {"\"", "»", "«", "„", "“", "”", "‚", "‘", "’", "「", "」"};
  std::size_t begin = std::string::npos;
  std::size_t end = 0;
  for (const std::string_view mark : kMarks) {
    if (const std::size_t first = text.find(mark); first < begin) begin = first;
    if (const std::size_t last = text.rfind(mark); last != std::string::npos && last + mark.size() > end)
      end = last + mark.size();
  }
  return begin == std::string::npos ? text : text.replace(begin, end - begin, "\"...\"");
}

// What the server says about where the error is, in no language.
std::string place_of(const std::function<std::string_view(int kind)>& field) {
  std::string place;
  const auto add = [&place](std::string_view what, std::string_view name) {
    if (!name.empty()) place += fmt::format("{}{} {}", place.empty() ? "" : ", ", what, one_line(name));
  };
  const std::string_view schema = field(PG_DIAG_SCHEMA_NAME);
  const std::string_view table = field(PG_DIAG_TABLE_NAME);
  add("table", table.empty() ? std::string() : fmt::format("{}.{}", schema, table));
  add("column", field(PG_DIAG_COLUMN_NAME));
  add("constraint", field(PG_DIAG_CONSTRAINT_NAME));
  return place;
}

}  // namespace

DatabaseError error_of(const std::function<std::string_view(int kind)>& field) {
  std::string message = one_line(field(PG_DIAG_MESSAGE_PRIMARY));
  std::string sqlstate(field(PG_DIAG_SQLSTATE));
  constexpr std::string_view kInvalidParameterValue = "22023";                                     // of a setting
  const bool is_about_a_value = sqlstate.starts_with("22") && sqlstate != kInvalidParameterValue;  // data exceptions
  const bool is_about_a_row = sqlstate.starts_with("23");  // violations of constraints: the values stand in the detail
  if (is_about_a_value) message = without_quoted(std::move(message));
  const std::string detail =
      is_about_a_value || is_about_a_row ? place_of(field) : one_line(field(PG_DIAG_MESSAGE_DETAIL));
  if (!detail.empty()) message += fmt::format(" ({})", detail);
  // "COPY orders, line 1, column id: "..."": the place, without the row.
  const std::string context = one_line(field(PG_DIAG_CONTEXT));
  if (context.starts_with("COPY ")) message += fmt::format(" [{}]", without_quoted(context));
  constexpr std::string_view kInsufficientPrivilege = "42501";
  std::string hint = one_line(field(PG_DIAG_MESSAGE_HINT));
  if (hint.empty() && sqlstate == kInsufficientPrivilege)
    hint = "the role lacks a right; docs/operations.md lists what it needs";
  if (hint.empty() && message.find("conflict with recovery") != std::string::npos) {
    hint =
        "the backup kept the standby from applying changes of the primary: set hot_standby_feedback = on or raise "
        "max_standby_streaming_delay "
        "on the standby, or back up the primary";
  }
  std::size_t character = 0;
  const std::string_view position = field(PG_DIAG_STATEMENT_POSITION);
  std::from_chars(position.data(), position.data() + position.size(), character);
  return {message, std::move(sqlstate), hint, character};
}

void FinishConnection::operator()(PGconn* connection) const {
  const bool is_running = query_past_libpq || PQtransactionStatus(connection) == PQTRANS_ACTIVE;
  if (is_running && !cancelled) cancel(connection);
  PQfinish(connection);
}

void refuse_old_server(int version) {
  constexpr int kOldest = 130000;
  if (version >= kOldest) return;
  const std::string name = version >= 100000
                               ? fmt::format("{}.{}", version / 10000, version % 10000)
                               : fmt::format("{}.{}.{}", version / 10000, version / 100 % 100, version % 100);
  throw Error(ErrorKind::refused,
              fmt::format("pana needs PostgreSQL {} or later, the server is {}", kOldest / 10000, name),
              "upgrade the server, or back it up with its own pg_dump");
}

namespace {

// Called within libpq, which is C.
void note_refused_grant(void* refused_grants, const PGresult* notice) noexcept try {
  constexpr std::string_view kPrivilegeNotRevoked = "01006";
  constexpr std::string_view kPrivilegeNotGranted = "01007";
  const char* const state = PQresultErrorField(notice, PG_DIAG_SQLSTATE);
  const char* const message = PQresultErrorField(notice, PG_DIAG_MESSAGE_PRIMARY);
  if (state == nullptr || message == nullptr || (state != kPrivilegeNotRevoked && state != kPrivilegeNotGranted))
    return;
  static_cast<std::vector<std::string>*>(refused_grants)->emplace_back(message);
} catch (const std::bad_alloc&) {
}

}  // namespace

Connection::Connection(const DatabaseAddress& address, std::stop_token stop) : stop_(std::move(stop)) {
  std::vector<const char*> keywords;
  std::vector<const char*> values;
  for (const auto& [keyword, value] : address.parameters()) {
    keywords.push_back(keyword.c_str());
    values.push_back(value.c_str());
  }
  keywords.push_back(nullptr);
  values.push_back(nullptr);
  handle_.reset(PQconnectStartParams(keywords.data(), values.data(), /*expand_dbname=*/0));
  if (!handle_) throw std::bad_alloc();
  refused_grants_ = std::make_unique<std::vector<std::string>>();
  PQsetNoticeReceiver(handle_.get(), note_refused_grant, refused_grants_.get());
  establish();
  refuse_old_server(server_version());
  limit_first_answer(kConnectTimeout);
}

void Connection::establish() {
  using Clock = std::chrono::steady_clock;
  const auto deadline = Clock::now() + kConnectTimeout;
  PostgresPollingStatusType status = PGRES_POLLING_WRITING;
  while (status != PGRES_POLLING_OK && status != PGRES_POLLING_FAILED) {
    look_for_stop();
    pollfd descriptor{.fd = PQsocket(handle_.get()), .events = 0, .revents = 0};
    descriptor.events = status == PGRES_POLLING_READING ? POLLIN : POLLOUT;
    if (descriptor.fd >= 0 && ::poll(&descriptor, 1, kStopCheckMilliseconds) == 0) {
      if (Clock::now() < deadline) continue;
      throw DatabaseError("cannot connect to the database: timeout expired", "", connection_hint("timeout expired"));
    }
    status = PQconnectPoll(handle_.get());
  }
  if (status == PGRES_POLLING_OK && PQsetnonblocking(handle_.get(), 1) == 0) return;
  const std::string message = one_line(PQerrorMessage(handle_.get()));
  if (message.starts_with(kNotEvenTried))
    throw Error(ErrorKind::usage, fmt::format("cannot connect to the database: {}", message), connection_hint(message));
  throw DatabaseError(fmt::format("cannot connect to the database: {}", message), "", connection_hint(message));
}

// The thread that is stopped cancels its own query: all of them at the same time.
void Connection::look_for_stop() {
  if (!stop_.stop_requested()) return;
  FinishConnection& state = handle_.get_deleter();
  const bool is_running = state.query_past_libpq || PQtransactionStatus(handle_.get()) == PQTRANS_ACTIVE;
  if (!std::exchange(state.cancelled, true) && is_running) cancel(handle_.get());
  throw Error(ErrorKind::interrupted, "stopped on request");
}

void Connection::wait(bool for_write) {
  const short ready = await(static_cast<short>(for_write ? POLLIN | POLLOUT : POLLIN));
  if ((ready & ~POLLOUT) != 0 && PQconsumeInput(handle_.get()) == 0) throw_error();
}

short Connection::await(short events) {
  pollfd descriptor{.fd = PQsocket(handle_.get()), .events = events, .revents = 0};
  const auto began = std::chrono::steady_clock::now();
  do {
    look_for_stop();
    if (longest_silence_.count() > 0 && std::chrono::steady_clock::now() - began > longest_silence_) {
      give_up();
      throw DatabaseError(fmt::format("the server said nothing for {} s", longest_silence_.count()), "",
                          "the network or the server hangs" +
                              advice("; if the server may need longer, raise {}", Setting::stall_timeout));
    }
    if (first_answer_by_ && std::chrono::steady_clock::now() > *first_answer_by_) {
      give_up();
      throw DatabaseError("the server admitted the connection and then did not answer", "",
                          "the pooler may have no server connection free: raise its pool size, or wait for one");
    }
    if (descriptor.fd < 0) throw_error();
  } while (::poll(&descriptor, 1, kStopCheckMilliseconds) == 0);
  return descriptor.revents;
}

short Connection::await_briefly(short events, int milliseconds) {
  look_for_stop();
  pollfd descriptor{.fd = PQsocket(handle_.get()), .events = events, .revents = 0};
  return ::poll(&descriptor, 1, milliseconds) > 0 ? descriptor.revents : short{0};
}

void Connection::set_query_past_libpq(bool is_running) { handle_.get_deleter().query_past_libpq = is_running; }

void Connection::send(const std::string& sql) {
  if (PQsendQuery(handle_.get(), sql.c_str()) == 0) throw_error();
  flush();
}

void Connection::flush() {
  while (const int unsent = PQflush(handle_.get())) {
    if (unsent < 0) throw_error();
    wait(/*for_write=*/true);
  }
}

std::optional<QueryResult> Connection::next_result() {
  while (PQisBusy(handle_.get()) != 0) wait();
  PGresult* const raw = PQgetResult(handle_.get());
  first_answer_by_.reset();
  if (raw == nullptr) return std::nullopt;
  QueryResult result(raw);
  if (result.status() == PGRES_FATAL_ERROR || result.status() == PGRES_BAD_RESPONSE) {
    DatabaseError error = error_of_result(raw);
    if (!is_alive()) throw broken_connection(error.what(), error.sqlstate());
    // The rest of the query was not run; what is left to read is its end.
    while (PQtransactionStatus(handle_.get()) == PQTRANS_ACTIVE) {
      while (PQisBusy(handle_.get()) != 0) wait();
      PGresult* const end = PQgetResult(handle_.get());
      if (end == nullptr) break;
      PQclear(end);
    }
    throw error;
  }
  return result;
}

QueryResult Connection::last_result() {
  std::optional<QueryResult> result = next_result();
  if (!result) throw DatabaseError("the server gave no result", "");
  while (true) {
    const ExecStatusType status = result->status();
    if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH) {
      give_up();
      throw DatabaseError("a statement began to copy rows where none are copied", "");
    }
    std::optional<QueryResult> next = next_result();
    if (!next) return std::move(*result);
    result = std::move(next);
  }
}

QueryResult Connection::query(const std::string& sql) {
  send(sql);
  return last_result();
}

std::string Connection::host() const { return PQhost(handle_.get()); }

std::string Connection::place() const {
  return fmt::format("{}:{}/{}", host(), PQport(handle_.get()), PQdb(handle_.get()));
}

std::optional<std::string> Connection::tls_version() const {
  if (PQsslInUse(handle_.get()) == 0) return std::nullopt;
  const char* const version = PQsslAttribute(handle_.get(), "protocol");
  return version == nullptr ? "TLS" : version;
}

std::string Connection::parameter(const char* name) const {
  const char* const value = PQparameterStatus(handle_.get(), name);
  return value == nullptr ? std::string() : std::string(value);
}

std::string Connection::quote_literal(std::string_view text) {
  const std::unique_ptr<char, decltype(&PQfreemem)> quoted(PQescapeLiteral(handle_.get(), text.data(), text.size()),
                                                           &PQfreemem);
  if (!quoted) throw_error();
  return quoted.get();
}

std::string Connection::quote_identifier(std::string_view name) {
  const std::unique_ptr<char, decltype(&PQfreemem)> quoted(PQescapeIdentifier(handle_.get(), name.data(), name.size()),
                                                           &PQfreemem);
  if (!quoted) throw_error();
  return quoted.get();
}

void Connection::throw_error() { throw broken_connection(one_line(PQerrorMessage(handle_.get()))); }

}  // namespace pana
