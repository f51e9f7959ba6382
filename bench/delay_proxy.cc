// A network between a client and a server on this machine: every byte arrives late, and no connection is fast.
//
//   delay_proxy PORT --delay-ms 2.5 --rate 20000000
//
// listens on a free port of 127.0.0.1, prints it, and ends with its parent. A direction of a connection is a queue of
// pieces, each with the time at which it has arrived: one way's delay after it was sent, and no sooner than the rate
// lets it through. A full queue is not read into, so that the sender feels the rate as it would on the way to a distant
// server.
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <deque>
#include <list>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "base/file_descriptor.h"

namespace pana {
namespace {

using Clock = std::chrono::steady_clock;

struct Link {
  std::chrono::nanoseconds delay{};  // one way
  double bytes_per_second = 0;       // of a connection, in each direction; 0: as fast as it goes
};

// A piece is what one read gave: at 20 MB/s, the bytes of 0.8 ms.
constexpr std::size_t kPieceBytes = 16 * 1024;

[[noreturn]] void throw_errno(const char* action) { throw std::system_error(errno, std::generic_category(), action); }

std::size_t queue_limit(const Link& link) {
  constexpr std::size_t kSocketBuffer = 256 * 1024;
  constexpr std::size_t kUnlimited = 16 << 20;
  if (link.bytes_per_second == 0) return kUnlimited;
  return kSocketBuffer +
         static_cast<std::size_t>(link.bytes_per_second * std::chrono::duration<double>(link.delay).count());
}

// The bytes on their way from one socket to another. Sockets are owned by the connection.
class Direction {
 public:
  Direction(const Link& link, int from, int to, Clock::time_point opened)
      : link_(link), from_(from), to_(to), free_(opened) {}

  bool wants_to_read() const { return !from_ended_ && queued_ < queue_limit(link_); }
  bool wants_to_write(Clock::time_point now) const { return !queue_.empty() && queue_.front().arrives <= now; }
  bool is_done() const { return from_ended_ && queue_.empty(); }
  std::optional<Clock::time_point> next_arrival() const {
    if (queue_.empty()) return std::nullopt;
    return queue_.front().arrives;
  }
  int from() const { return from_; }
  int to() const { return to_; }

  // False when the connection is broken.
  bool read(Clock::time_point now) {
    std::array<char, kPieceBytes> bytes;
    const ssize_t got = ::recv(from_, bytes.data(), bytes.size(), 0);
    if (got < 0) return errno == EAGAIN || errno == EINTR;
    from_ended_ = got == 0;
    if (from_ended_) {
      forward_end();
      return true;
    }
    free_ = std::max(free_, now);
    if (link_.bytes_per_second > 0) {
      free_ += std::chrono::duration_cast<Clock::duration>(
          std::chrono::duration<double>(static_cast<double>(got) / link_.bytes_per_second));
    }
    queued_ += static_cast<std::size_t>(got);
    queue_.push_back({free_ + link_.delay, std::string(bytes.data(), static_cast<std::size_t>(got))});
    return true;
  }

  bool write(Clock::time_point now) {
    while (wants_to_write(now)) {
      std::string& bytes = queue_.front().bytes;
      const ssize_t sent = ::send(to_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent < 0) return errno == EAGAIN || errno == EINTR;
      queued_ -= static_cast<std::size_t>(sent);
      bytes.erase(0, static_cast<std::size_t>(sent));
      if (bytes.empty()) queue_.pop_front();
    }
    forward_end();
    return true;
  }

 private:
  struct Piece {
    Clock::time_point arrives;
    std::string bytes;
  };

  void forward_end() {
    if (is_done()) ::shutdown(to_, SHUT_WR);
  }

  const Link& link_;
  int from_;
  int to_;
  Clock::time_point free_;  // when the last byte that was read is through
  std::deque<Piece> queue_;
  std::size_t queued_ = 0;
  bool from_ended_ = false;
};

struct ProxiedConnection {
  // Who connects over a distance may send after a round trip.
  ProxiedConnection(const Link& link, FileDescriptor accepted, FileDescriptor connected)
      : client(std::move(accepted)),
        server(std::move(connected)), directions{
                                          Direction(link, client.get(), server.get(), Clock::now() + 2 * link.delay),
                                          Direction(link, server.get(), client.get(), Clock::now())} {}

  FileDescriptor client;
  FileDescriptor server;
  std::array<Direction, 2> directions;
};

void prepare(const FileDescriptor& socket) {
  const int on = 1;
  ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::fcntl(socket.get(), F_SETFL, O_NONBLOCK);
}

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

class Proxy {
 public:
  Proxy(const Link& link, std::uint16_t server_port)
      : link_(link), server_(loopback(server_port)), listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in own = loopback(0);
    socklen_t length = sizeof own;
    if (!listener_ || ::bind(listener_.get(), reinterpret_cast<sockaddr*>(&own), length) != 0 ||
        ::listen(listener_.get(), 64) != 0 ||
        ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&own), &length) != 0) {
      throw_errno("cannot listen");
    }
    std::printf("%d\n", ntohs(own.sin_port));
    std::fflush(stdout);
  }

  [[noreturn]] void run() {
    while (true) {
      wait();
      if ((sockets_.front().revents & POLLIN) != 0) accept();
      connections_.remove_if([](ProxiedConnection& connection) { return !carry(connection); });
    }
  }

 private:
  void accept() {
    FileDescriptor client(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    FileDescriptor server(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!client || !server || ::connect(server.get(), reinterpret_cast<const sockaddr*>(&server_), sizeof server_) != 0)
      return;
    prepare(client);
    prepare(server);
    connections_.emplace_back(link_, std::move(client), std::move(server));
  }

  // Until a socket is ready or a piece arrives.
  void wait() {
    const Clock::time_point now = Clock::now();
    std::optional<Clock::time_point> arrival;
    sockets_.assign(1, {.fd = listener_.get(), .events = POLLIN, .revents = 0});
    for (const ProxiedConnection& connection : connections_) {
      for (const Direction& direction : connection.directions) {
        if (direction.wants_to_read()) sockets_.push_back({.fd = direction.from(), .events = POLLIN, .revents = 0});
        if (direction.wants_to_write(now)) {
          sockets_.push_back({.fd = direction.to(), .events = POLLOUT, .revents = 0});
        } else if (const auto next = direction.next_arrival()) {
          arrival = std::min(arrival.value_or(*next), *next);
        }
      }
    }
    timespec patience{};
    if (arrival) {
      const auto left = std::chrono::duration_cast<std::chrono::nanoseconds>(*arrival - now).count();
      patience = {.tv_sec = left / 1'000'000'000, .tv_nsec = left % 1'000'000'000};
    }
    if (::ppoll(sockets_.data(), sockets_.size(), arrival ? &patience : nullptr, nullptr) < 0 && errno != EINTR)
      throw_errno("cannot wait");
  }

  // False when the connection is over.
  static bool carry(ProxiedConnection& connection) {
    const Clock::time_point now = Clock::now();
    for (Direction& direction : connection.directions) {
      if (direction.wants_to_read() && !direction.read(now)) return false;
      if (!direction.write(now)) return false;
    }
    return !connection.directions[0].is_done() || !connection.directions[1].is_done();
  }

  const Link link_;
  const sockaddr_in server_;
  FileDescriptor listener_;
  std::list<ProxiedConnection> connections_;
  std::vector<pollfd> sockets_;
};

}  // namespace
}  // namespace pana

int main(int argc, char** argv) {
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  CLI::App app("Stands between this machine and a server on it, as a network would.", "delay_proxy");
  std::uint16_t port = 0;
  double delay_ms = 0;
  pana::Link link;
  app.add_option("PORT", port, "the server's port on 127.0.0.1")->required();
  app.add_option("--delay-ms", delay_ms, "one way; a round trip takes twice as long")->check(CLI::NonNegativeNumber);
  app.add_option("--rate", link.bytes_per_second, "bytes per second, of each connection in each direction; 0: no limit")
      ->check(CLI::NonNegativeNumber);
  CLI11_PARSE(app, argc, argv);
  link.delay =
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double, std::milli>(delay_ms));
  try {
    pana::Proxy(link, port).run();
  } catch (const std::system_error& error) {
    std::fprintf(stderr, "delay_proxy: %s\n", error.what());
    return 1;
  }
}
