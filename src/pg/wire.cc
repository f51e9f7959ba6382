#include "pg/wire.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/require.h"
#include "pg/protocol.h"

namespace pana {
namespace {

// Holds many of the server's 8 KiB pieces, and stays in the processor's cache.
constexpr std::size_t kBufferBytes = 128 * 1024;

// Longer rows are handed on in pieces: whoever stores them holds them once, and nobody holds them twice.
constexpr std::size_t kLongestWholeRow = 1 << 20;

// So much at once shows that the server is fast.
constexpr int kFlowBytes = 64 * 1024;

// The server sends nothing larger than a row, which is 1 GiB at most.
constexpr std::size_t kLongestMessage = (std::size_t{1} << 30) + 1024;

// `fields`: a byte that tells the kind and a string with a zero at its end, each; the kinds are libpq's PG_DIAG_...
DatabaseError parse_error(std::string_view fields) {
  std::array<std::string, 128> values;
  while (fields.size() > 1) {
    const std::size_t end = std::min(fields.find('\0', 1), fields.size());
    values[static_cast<unsigned char>(fields.front()) % values.size()] = fields.substr(1, end - 1);
    fields.remove_prefix(std::min(end + 1, fields.size()));
  }
  return error_of([&values](int kind) -> std::string_view { return values[static_cast<std::size_t>(kind)]; });
}

}  // namespace

Wire::Wire(Connection& connection)
    : connection_(connection), socket_(PQsocket(connection.handle())),
      ssl_(static_cast<SSL*>(PQsslStruct(connection.handle(), "OpenSSL"))),
      buffer_(std::make_unique_for_overwrite<char[]>(kBufferBytes)), capacity_(kBufferBytes) {
  if (PQgssEncInUse(connection.handle()) == 0) return;
  throw Error(ErrorKind::refused, "rows cannot be read over a connection that GSSAPI encrypts",
              "use TLS: gssencmode=disable and sslmode=verify-full in the URL");
}

void Wire::send_query(std::string_view sql) {
  connection_.set_query_past_libpq(true);
  std::string message;
  append_message(message, 'Q', fmt::format("{}{}", sql, '\0'));
  for (std::string_view rest = message; !rest.empty();) rest.remove_prefix(send(rest));
}

std::size_t Wire::message_bytes() const {
  const std::size_t bytes = std::size_t{1} + big_endian(&buffer_[begin_ + 1]);
  if (bytes < kHeaderBytes || bytes > kLongestMessage) throw_broken("it is out of step with the protocol");
  return bytes;
}

bool Wire::is_in_pieces(std::size_t message_bytes) const {
  return buffer_[begin_] == kCopyData && message_bytes > kLongestWholeRow;
}

Wire::Message Wire::begin_pieces(std::size_t message_bytes) {
  begin_ += kHeaderBytes;
  rest_ = message_bytes - kHeaderBytes;
  return read_piece();
}

Wire::Message Wire::read_piece() {
  if (begin_ == end_) read_more(1);
  const std::size_t bytes = std::min(end_ - begin_, rest_);
  const std::string_view piece(&buffer_[begin_], bytes);
  begin_ += bytes;
  rest_ -= bytes;
  return {.type = kCopyData, .body = piece, .more = rest_};
}

Wire::Message Wire::next_of_any_kind(std::optional<DatabaseError>& error) try {
  const Message message = read_message();
  require(message.more == 0, "only COPY gives messages in pieces");
  if (message.type == 'E') error = parse_error(message.body);
  if (message.type == kReadyForQuery) end_query();
  return message;
} catch (const DatabaseError&) {
  if (!error) throw;
  throw broken_connection(error->what(), error->sqlstate());
}

bool Wire::is_part_of_the_answer(const Message& message) {
  switch (message.type) {
    case 'E': throw_error(message.body);
    case 'N':  // notice
    case 'S':  // a parameter's new value
    case 'A':  // notification
      return false;
    case kReadyForQuery: end_query(); return true;
    default: return true;
  }
}

void Wire::end_query() {
  connection_.set_query_past_libpq(false);
  if (is_in_flow_) wake_up_for(1);
}

void Wire::throw_error(std::string_view fields) {
  DatabaseError error = parse_error(fields);
  try {
    while (next().type != kReadyForQuery) {
    }
  } catch (const DatabaseError&) {
    throw broken_connection(error.what(), error.sqlstate());  // it was the last that the server had to say
  }
  throw error;
}

// Makes room for a message of that length, and reads at least one byte of it.
void Wire::read_more(std::size_t message_bytes) {
  if (begin_ + message_bytes > capacity_) {
    std::unique_ptr<char[]> larger;
    if (message_bytes > capacity_) {
      capacity_ = message_bytes;
      larger = std::make_unique_for_overwrite<char[]>(capacity_);
    }
    std::memmove(larger ? larger.get() : buffer_.get(), &buffer_[begin_], end_ - begin_);
    if (larger) buffer_ = std::move(larger);
    end_ -= std::exchange(begin_, 0);
  } else if (begin_ == end_) {
    begin_ = end_ = 0;
  }
  end_ += receive(&buffer_[end_], capacity_ - end_);
}

std::size_t Wire::receive(char* into, std::size_t at_most) {
  while (true) {
    if (ssl_ != nullptr) {
      std::size_t bytes = 0;
      ERR_clear_error();
      const int result = SSL_read_ex(ssl_, into, at_most, &bytes);
      if (result == 1) return bytes;
      const int error = SSL_get_error(ssl_, result);
      if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)
        throw_broken("server closed the connection unexpectedly");
      connection_.await(error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT);
      continue;
    }
    await_much();
    const ssize_t bytes = ::recv(socket_, into, at_most, 0);
    if (bytes >= kFlowBytes && !is_in_flow_) wake_up_for(kFlowBytes);
    if (bytes > 0) return static_cast<std::size_t>(bytes);
    if (bytes == 0) throw_broken("server closed the connection unexpectedly");
    if (errno != EINTR && errno != EAGAIN) throw_broken(std::strerror(errno));
  }
}

// Every time that somebody waits for the server's next 8 KiB, both sides pay for being put to sleep and woken up. In a
// fast flow the kernel is asked to wait for more; the end of the rows, or a pause, is noticed after a moment.
void Wire::await_much() {
  constexpr int kMomentMilliseconds = 2;
  if (is_in_flow_ && connection_.await_briefly(POLLIN, kMomentMilliseconds) != 0) return;
  if (is_in_flow_) wake_up_for(1);
  connection_.await(POLLIN);
}

// Where the kernel knows no such thing (Unix sockets), nothing changes.
void Wire::wake_up_for(int bytes) {
  is_in_flow_ = bytes > 1;
  ::setsockopt(socket_, SOL_SOCKET, SO_RCVLOWAT, &bytes, sizeof(bytes));
}

std::size_t Wire::send(std::string_view bytes) {
  while (true) {
    if (ssl_ != nullptr) {
      std::size_t sent = 0;
      ERR_clear_error();
      const int result = SSL_write_ex(ssl_, bytes.data(), bytes.size(), &sent);
      if (result == 1) return sent;
      const int error = SSL_get_error(ssl_, result);
      if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)
        throw_broken("server closed the connection unexpectedly");
      connection_.await(error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT);
      continue;
    }
    const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) return static_cast<std::size_t>(sent);
    if (errno == EAGAIN) {
      connection_.await(POLLOUT);
    } else if (errno != EINTR) {
      throw_broken(std::strerror(errno));
    }
  }
}

void Wire::throw_broken(std::string_view why) const { throw broken_connection(why); }

}  // namespace pana
