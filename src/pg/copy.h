// COPY in both directions over one connection, text format.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/require.h"
#include "pg/connection.h"
#include "pg/wire.h"

namespace pana {

// A row's text, or a piece of a row of more than 1 MiB. The last piece ends with the row's newline.
struct RowPiece {
  std::string_view text;  // valid until the next call of what gave it
  std::size_t more = 0;   // bytes of the row that are still to come

  bool ends_row() const { return more == 0; }
};

// Reads the rows of the "COPY ... TO STDOUT" statements among those sent as one query: many small tables cost one round
// trip. Use it as two loops: while next_copy(), while next_piece(). A COPY counts as read only when next_piece()
// returned nothing, which it does after the server said that it had sent all.
class CopyOut {
 public:
  CopyOut(Connection& connection, const std::string& statements);

  // Goes to the rows of the next COPY, past statements that give none; false after the last.
  bool next_copy();

  // The next row or piece of one; nothing at the end of this COPY's rows.
  std::optional<RowPiece> next_piece() {
    const Wire::Message message = wire_.next();
    if (message.type == Wire::kCopyData) return RowPiece{.text = message.body, .more = message.more};
    expect_end(message);
    return std::nullopt;
  }

  // The same where no row is longer than 1 MiB.
  std::optional<std::string_view> next_row() {
    const std::optional<RowPiece> piece = next_piece();
    if (!piece) return std::nullopt;
    require(piece->ends_row(), "a row is longer than it can be");
    return piece->text;
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
