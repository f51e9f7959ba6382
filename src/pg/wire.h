// PostgreSQL's protocol on a connection that libpq has opened, between two of libpq's own queries.
//
// libpq allocates and copies every row of a COPY by itself, which costs more than all else that is done with a small
// one. Here rows are read where the socket's bytes were put. It follows "Frontend/Backend Protocol" of PostgreSQL's
// manual, version 3; under TLS it reads and writes through libpq's own SSL object. As soon as the server is ready for
// the next query, nothing is left over in between, and libpq may go on with the connection: it never knows.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "pg/connection.h"

namespace pana {

// Used by the thread that uses the connection, while no query of libpq's is under way on it.
class Wire {
 public:
  // Throws Error(refused) when the connection is encrypted by GSSAPI.
  explicit Wire(Connection& connection);

  // Sends a simple query.
  void send_query(std::string_view sql);

  struct Message {
    char type = 0;
    std::string_view body;  // valid until the next call
    std::size_t more = 0;   // bytes of it that the next messages bring: only a CopyData over 1 MiB comes in pieces
  };

  // The next message that is part of the query's answer, up to and with ReadyForQuery ('Z'); notices are passed over.
  // An error of the server is thrown, once the rest of the answer has been passed over.
  Message next() {
    while (true) {
      const Message message = read_message();
      if (message.type == kCopyData || is_part_of_the_answer(message)) return message;
    }
  }

  // The next message, whatever it is. An error of the server is put into `error` as well: when the connection breaks
  // after it, that is why.
  Message next_of_any_kind(std::optional<DatabaseError>& error);

  static constexpr char kCopyData = 'd';
  static constexpr char kCopyDone = 'c';
  static constexpr char kCopyOutResponse = 'H';
  static constexpr char kCommandComplete = 'C';
  static constexpr char kReadyForQuery = 'Z';

 private:
  static constexpr std::size_t kHeaderBytes = 5;  // type, and the length of all but the type

  Message read_message() {
    if (rest_ > 0) return read_piece();
    while (true) {
      const std::size_t bytes = end_ - begin_;
      if (bytes < kHeaderBytes) {
        read_more(kHeaderBytes);
        continue;
      }
      const std::size_t length = message_bytes();
      if (bytes < length) {
        if (is_in_pieces(length)) return begin_pieces(length);
        read_more(length);
        continue;
      }
      const Message message{.type = buffer_[begin_], .body = {&buffer_[begin_ + kHeaderBytes], length - kHeaderBytes}};
      begin_ += length;
      return message;
    }
  }
  std::size_t message_bytes() const;
  bool is_in_pieces(std::size_t message_bytes) const;
  Message begin_pieces(std::size_t message_bytes);
  Message read_piece();
  bool is_part_of_the_answer(const Message& message);
  void end_query();
  [[noreturn]] void throw_error(std::string_view fields);
  void read_more(std::size_t message_bytes);
  std::size_t receive(char* into, std::size_t at_most);
  void await_much();
  void wake_up_for(int bytes);
  std::size_t send(std::string_view bytes);
  [[noreturn]] void throw_broken(std::string_view why) const;

  Connection& connection_;
  const int socket_;
  SSL* const ssl_;  // libpq's; nullptr without TLS
  std::unique_ptr<char[]> buffer_;
  std::size_t capacity_;
  std::size_t begin_ = 0;  // of what has been read and not been returned
  std::size_t end_ = 0;
  std::size_t rest_ = 0;     // of the CopyData that comes in pieces
  bool is_in_flow_ = false;  // rows come so fast that it is enough to be woken up for many of them
};

}  // namespace pana
