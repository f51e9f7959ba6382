// COPY in both directions over one connection, text format.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "pg/connection.h"
#include "pg/wire.h"

namespace pana {

// Reads the rows of one or several "COPY ... TO STDOUT" statements sent as one query: many small tables cost one round
// trip. Use it as two loops: while next_copy(), while next_row(). A COPY counts as read only when next_row() returned
// nothing, which it does after the server said that it had sent all.
class CopyOut {
 public:
  CopyOut(Connection& connection, const std::string& statements);

  // Goes to the rows of the next statement; false after the last.
  bool next_copy();

  // The next row with its newline, valid until the next call; nothing at the end of this statement's rows.
  std::optional<std::string_view> next_row() {
    const Wire::Message message = wire_.next();
    if (message.type == Wire::kCopyData) return message.body;
    expect_end(message);
    return std::nullopt;
  }

 private:
  void expect_end(const Wire::Message& message);

  Wire wire_;
};

// Sends the rows of one "COPY ... FROM STDIN". Destroyed before finish(), it makes the server forget them.
class CopyIn {
 public:
  CopyIn(Connection& connection, const std::string& statement);
  CopyIn(const CopyIn&) = delete;
  CopyIn& operator=(const CopyIn&) = delete;
  ~CopyIn();

  void add(std::string_view text);  // any piece of the rows' text
  std::uint64_t finish();           // how many rows the server stored

 private:
  void flush();
  void send_end(const char* error);

  Connection& connection_;
  std::string buffer_;
  bool ended_ = false;
};

}  // namespace pana
