// Takes the text of a row frame apart again: COPY statements, rows, and the lines that restore large objects.
//
// The text arrives in pieces of any size; memory is bounded by the longest line. The inverse of FrameBuilder, and
// strict: what comes out can be nothing but rows for a table and pieces of large objects, whoever wrote the text.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace pana {

struct RowFrameHandler {
  std::function<void(std::string_view statement)> begin_copy;  // "COPY t (a) FROM stdin;"
  std::function<void(std::string_view row)> row;               // one row's COPY text with its newline
  std::function<void()> end_copy;
  std::function<void(std::string_view line)> large_object_line;  // one line of SQL with its newline
};

class RowFrameReader {
 public:
  explicit RowFrameReader(const RowFrameHandler& handler) : handler_(handler) {}

  // Throws Error(damaged) on text that FrameBuilder would not have written.
  void feed(std::string_view text);
  void finish() const;

 private:
  void take_line(std::string_view line);
  void keep(std::string_view text);

  const RowFrameHandler& handler_;
  std::string unfinished_;  // the beginning of a line whose end has not arrived
  std::string statement_;   // a COPY statement whose quoted names hold newlines
  bool in_name_ = false;    // it ends inside of such a name
  bool in_copy_ = false;
};

}  // namespace pana
