#include "pg/session_loan.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <random>
#include <system_error>

#include "base/setting.h"
#include "pg/protocol.h"

namespace pana {
namespace {

constexpr const char* kPort = "5432";  // a part of the socket's name, nothing else

// pg_dump's requests are queries of some kilobytes; a filter of very many names may make one longer.
constexpr std::size_t kLongestRequest = std::size_t{1} << 30;

constexpr std::size_t kAnswerBytes = 64 * 1024;

std::string random_name() {
  std::random_device random;
  return fmt::format("pana-{:08x}{:08x}{:08x}{:08x}", random(), random(), random(), random());
}

[[noreturn]] void throw_errno(const char* what) {
  throw Error(ErrorKind::failed, fmt::format("cannot {}: {}", what, std::generic_category().message(errno)));
}

// libpq makes the same of the host "@name": a name of the abstract namespace begins with a zero and has none at its
// end.
std::pair<sockaddr_un, socklen_t> address_of(const std::string& name) {
  const std::string path = fmt::format("{}/.s.PGSQL.{}", name, kPort);
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  path.copy(&address.sun_path[1], sizeof(address.sun_path) - 1);
  return {address, static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + path.size())};
}

bool is_of_this_user(int socket) {
  ucred peer{};
  socklen_t length = sizeof(peer);
  return ::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 && peer.uid == ::geteuid() && peer.pid != 0;
}

}  // namespace

SessionLoan::SessionLoan(Connection& connection, const std::vector<std::string>& locked_tables,
                         std::chrono::seconds longest_silence)
    : connection_(connection), wire_(connection), name_(random_name()),
      listener_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)), longest_silence_(longest_silence) {
  for (const std::string& table : locked_tables)
    needless_[fmt::format("LOCK TABLE {} IN ACCESS SHARE MODE", table)] = "LOCK TABLE";
  const auto [address, length] = address_of(name_);
  if (!listener_ || ::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), length) != 0 ||
      ::listen(listener_.get(), SOMAXCONN) != 0) {
    throw_errno("make a socket for pg_dump");
  }
}

std::vector<std::pair<std::string, std::string>> SessionLoan::environment() const {
  return {{"PGHOST", "@" + name_},
          {"PGPORT", kPort},
          {"PGUSER", PQuser(connection_.handle())},
          {"PGDATABASE", PQdb(connection_.handle())}};
}

void SessionLoan::serve() {
  if (!borrower_) return accept();
  const Request request = read_request();
  constexpr char kQuery = 'Q';
  constexpr char kTerminate = 'X';
  if (request.type == kTerminate) {
    borrower_.reset();
  } else if (request.type != kQuery) {
    throw Error(ErrorKind::failed,
                fmt::format("pg_dump speaks a part of the protocol that is not known here ('{}')", request.type),
                "another version of pg_dump may do: PANA_PG_DUMP names one");
  } else if (const auto found = needless_.find(request.body); found != needless_.end()) {
    answer_itself(found->second);
  } else {
    pass_on(request);
  }
}

// The start of a session, without asking for what the socket's name and the user have proved.
void SessionLoan::accept() {
  FileDescriptor borrower(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!borrower && errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) throw_errno("let pg_dump in");
  if (!borrower || !is_of_this_user(borrower.get())) return;
  borrower_ = std::move(borrower);
  if (!read_startup()) return borrower_.reset();
  listener_.reset();  // whoever else wants to come in (libpq does, to cancel a query) shall not be kept waiting
  std::string answer;
  append_message(answer, 'R', std::string(4, '\0'));  // authentication is done
  for (const char* const name : {"server_version", "server_encoding", "client_encoding", "is_superuser",
                                 "session_authorization", "in_hot_standby", "DateStyle", "IntervalStyle", "TimeZone",
                                 "integer_datetimes", "standard_conforming_strings"}) {
    const std::string value = connection_.parameter(name);
    if (!value.empty()) append_message(answer, 'S', fmt::format("{}{}{}{}", name, '\0', value, '\0'));
  }
  append_message(answer, 'K', std::string(8, '\0'));  // nothing here can be cancelled from outside
  append_message(answer, Wire::kReadyForQuery, "I");
  write(answer);
}

// False when it is none: the borrower has gone already, or wants to cancel something, and there is nothing.
bool SessionLoan::read_startup() {
  constexpr std::size_t kLongest = 10'000;  // the server's own limit
  constexpr std::uint32_t kMajorVersion = 3;
  std::array<char, 8> header{};
  if (!read(header.data(), header.size())) return false;
  const std::size_t bytes = big_endian(&header[0]);
  if (bytes < header.size() || bytes > kLongest || big_endian(&header[4]) >> 16 != kMajorVersion) return false;
  std::string parameters(bytes - header.size(), '\0');  // whoever it says it is, and whatever database it wants
  return read(parameters.data(), parameters.size());
}

SessionLoan::Request SessionLoan::read_request() {
  std::array<char, 5> header{};
  if (!read(header.data(), header.size())) return {.type = 'X', .body = {}};
  const std::size_t bytes = big_endian(&header[1]);
  if (bytes < 4 || bytes > kLongestRequest) throw Error(ErrorKind::failed, "pg_dump is out of step with the protocol");
  Request request{.type = header[0], .body = std::string(bytes - 4, '\0')};
  if (!read(request.body.data(), request.body.size())) return {.type = 'X', .body = {}};
  if (!request.body.empty() && request.body.back() == '\0') request.body.pop_back();
  return request;
}

void SessionLoan::answer_itself(std::string_view command_tag) {
  std::string answer;
  append_message(answer, Wire::kCommandComplete, fmt::format("{}{}", command_tag, '\0'));
  append_message(answer, Wire::kReadyForQuery, "T");
  write(answer);
}

void SessionLoan::pass_on(const Request& request) {
  wire_.send_query(request.body);
  std::string answer;
  for (bool is_over = false; !is_over;) {
    const Wire::Message message = wire_.next_of_any_kind(error_);
    append_message(answer, message.type, message.body);
    is_over = message.type == Wire::kReadyForQuery;
    if (is_over) has_failed_ = message.body == "E";
    if (is_over && message.body == "I")
      throw Error(ErrorKind::failed, "pg_dump ended the transaction that holds the backup's snapshot");
    if (is_over || answer.size() >= kAnswerBytes) write(std::exchange(answer, {}));
  }
}

// False when the borrower has gone.
bool SessionLoan::read(char* into, std::size_t bytes) {
  while (bytes > 0) {
    const ssize_t got = ::recv(borrower_.get(), into, bytes, 0);
    if (got > 0) {
      into += got;
      bytes -= static_cast<std::size_t>(got);
    } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
      return false;
    } else {
      await(POLLIN);
    }
  }
  return true;
}

// A borrower that has gone needs no answer; why it has, its exit status tells.
void SessionLoan::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(borrower_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN) {
      await(POLLOUT);
    } else if (errno != EINTR) {
      return;
    }
  }
}

void SessionLoan::await(short events) {
  pollfd descriptor{.fd = borrower_.get(), .events = events, .revents = 0};
  const auto began = std::chrono::steady_clock::now();
  do {
    if (connection_.stop().stop_requested()) throw Error(ErrorKind::interrupted, "stopped on request");
    if (longest_silence_.count() > 0 && std::chrono::steady_clock::now() - began > longest_silence_) {
      throw Error(ErrorKind::failed, fmt::format("pg_dump said nothing for {} s", longest_silence_.count()),
                  advice("if it may need longer, raise {}", Setting::stall_timeout));
    }
  } while (::poll(&descriptor, 1, kStopCheckMilliseconds) == 0);
}

}  // namespace pana
