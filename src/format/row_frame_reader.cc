#include "format/row_frame_reader.h"

#include <algorithm>

#include "base/error.h"

namespace pana {
namespace {

[[noreturn]] void damaged(const char* what) { throw Error(ErrorKind::damaged, what); }

// PostgreSQL sends no row of more than 1 GiB, and a statement is shorter.
constexpr std::size_t kLongestLine = 1 << 30;

constexpr std::string_view kCopyBegin = "COPY ";
constexpr std::string_view kCopyFrom = " FROM stdin;";
constexpr std::string_view kLargeObjectBegin = "SELECT pg_catalog.lo_put(";
constexpr std::string_view kLargeObjectEnd = "');\n";

// "COPY schema.table (column, ...) FROM stdin;": outside of quotes, names and what separates them.
bool is_copy_statement(std::string_view text) {
  text.remove_prefix(kCopyBegin.size());
  if (!text.ends_with(kCopyFrom)) return false;
  text.remove_suffix(kCopyFrom.size());
  bool quoted = false;
  for (const char c : text) {
    if (c == '"') quoted = !quoted;
    const bool is_of_name = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
    if (!quoted && c != '"' && !is_of_name && std::string_view("., ()").find(c) == std::string_view::npos) return false;
  }
  return !quoted;
}

// "SELECT pg_catalog.lo_put(OID, OFFSET, '\xHEX');"
bool is_large_object_line(std::string_view line) {
  const auto skip_digits = [&line](bool (*is_digit)(unsigned char)) {
    const auto end = std::ranges::find_if_not(line, is_digit);
    const bool some = end != line.begin();
    line.remove_prefix(static_cast<std::size_t>(end - line.begin()));
    return some;
  };
  const auto skip = [&line](std::string_view text) {
    if (!line.starts_with(text)) return false;
    line.remove_prefix(text.size());
    return true;
  };
  const auto is_decimal = [](unsigned char c) { return c >= '0' && c <= '9'; };
  const auto is_hex = [](unsigned char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  return skip(kLargeObjectBegin) && skip_digits(is_decimal) && skip(", ") && skip_digits(is_decimal) &&
         skip(", '\\x") && skip_digits(is_hex) && line == kLargeObjectEnd;
}

}  // namespace

void RowFrameReader::feed(std::string_view text) {
  while (!text.empty()) {
    const std::size_t newline = text.find('\n');
    if (newline == std::string_view::npos) {
      return keep(text);
    }
    const std::string_view line = text.substr(0, newline + 1);
    text.remove_prefix(newline + 1);
    if (unfinished_.empty()) {
      take_line(line);
    } else {
      keep(line);
      take_line(unfinished_);
      unfinished_.clear();
    }
  }
}

// A crafted frame of gigabytes without a line end must not take all memory.
void RowFrameReader::keep(std::string_view text) {
  if (unfinished_.size() + text.size() > kLongestLine) damaged("a line of it is longer than PostgreSQL can have sent");
  unfinished_.append(text);
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
  if (statement_.empty() && is_large_object_line(line)) {
    handler_.large_object_line(line);
    return;
  }
  if (statement_.empty() && !line.starts_with(kCopyBegin))
    damaged("it holds something that is neither COPY nor a large object");
  if (statement_.size() + line.size() > kLongestLine) damaged("its COPY statement is malformed");
  statement_ += line;
  // The only quotes in a COPY statement of ours are those around names; a quote inside a name is doubled.
  if (std::ranges::count(line, '"') % 2 != 0) in_name_ = !in_name_;
  if (in_name_) return;
  statement_.pop_back();
  if (!is_copy_statement(statement_)) damaged("its COPY statement is malformed");
  in_copy_ = true;
  handler_.begin_copy(statement_);
  statement_.clear();
}

void RowFrameReader::finish() const {
  if (in_copy_ || !unfinished_.empty() || !statement_.empty()) damaged("it ends in the middle of a statement");
}

}  // namespace pana
