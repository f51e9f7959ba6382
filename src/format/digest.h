// The order-independent digest of a set of rows: how many there are, and the sum of their XXH3-128 hashes modulo 2^128.
//
// Neither the order of the rows nor how they are cut into frames changes it, so it can be kept per frame, added up per
// table, and compared with another database's. A row is its COPY text without the newline. (A sum, not an exclusive
// or: two equal rows must not cancel out.)
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace pana {

struct RowDigest {
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;  // of the rows' text, newlines included
  std::uint64_t low = 0;
  std::uint64_t high = 0;

  void add(std::string_view row);
  void merge(const RowDigest& other);
  std::string hex() const;  // 32 digits, the high half first
  bool operator==(const RowDigest&) const = default;
};

// The rows of one table as they come: whole, or those of many megabytes in pieces. Used by one thread.
class RowDigester {
 public:
  // A row's text, or a piece of it of which `more` bytes are still to come; the last piece ends with the row's newline.
  void add(RowDigest& digest, std::string_view piece, std::size_t more = 0) {
    if (more > 0 || state_ != nullptr) return add_piece(digest, piece, more);
    digest.add(piece.substr(0, piece.size() - 1));
  }

 private:
  void add_piece(RowDigest& digest, std::string_view piece, std::size_t more);

  struct Free {
    void operator()(void* state) const;
  };
  std::unique_ptr<void, Free> state_;  // XXH3's, of the row that has begun
  std::uint64_t bytes_ = 0;            // of that row
};

// The two halves of a digest from its 32 digits; nothing when the text is not of that form.
std::optional<RowDigest> parse_digest(std::string_view hex);

// 16 lower-case hexadecimal digits, and back.
std::string hex64(std::uint64_t value);
std::optional<std::uint64_t> parse_hex64(std::string_view text);

}  // namespace pana
