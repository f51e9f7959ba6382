#include "format/row_frame_reader.h"

#include <algorithm>

#include "base/error.h"

namespace pana {
namespace {

[[noreturn]] void damaged(const char* what) { throw Error(ErrorKind::damaged, what); }

// The only quotes in a COPY statement of ours are those around names; a quote inside a name is doubled.
bool inside_quotes(std::string_view text) { return std::count(text.begin(), text.end(), '"') % 2 != 0; }

}  // namespace

void RowFrameReader::feed(std::string_view text) {
  while (!text.empty()) {
    const std::size_t newline = text.find('\n');
    if (newline == std::string_view::npos) {
      unfinished_.append(text);
      return;
    }
    const std::string_view line = text.substr(0, newline + 1);
    text.remove_prefix(newline + 1);
    if (unfinished_.empty()) {
      take_line(line);
    } else {
      unfinished_.append(line);
      take_line(unfinished_);
      unfinished_.clear();
    }
  }
}

void RowFrameReader::take_line(std::string_view line) {
  if (in_copy_) {
    if (line == "\\.\n") {
      in_copy_ = false;
      handler_.end_copy();
    } else {
      handler_.row(line);
    }
    return;
  }
  if (statement_.empty() && line == "\n") return;
  if (statement_.empty() && line.starts_with("SELECT pg_catalog.lo_put(")) {
    handler_.large_object_line(line);
    return;
  }
  if (statement_.empty() && !line.starts_with("COPY ")) damaged("it holds something that is neither COPY nor a large object");
  statement_ += line;
  if (inside_quotes(statement_)) return;
  statement_.pop_back();
  if (!statement_.ends_with(" FROM stdin;")) damaged("its COPY statement is malformed");
  in_copy_ = true;
  handler_.begin_copy(statement_);
  statement_.clear();
}

void RowFrameReader::finish() const {
  if (in_copy_ || !unfinished_.empty() || !statement_.empty()) damaged("it ends in the middle of a statement");
}

}  // namespace pana
