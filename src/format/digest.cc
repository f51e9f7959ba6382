#include "format/digest.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <charconv>
#include <new>
#include <utility>

namespace pana {

void RowDigest::add(std::string_view row) {
  const XXH128_hash_t hash = XXH3_128bits(row.data(), row.size());
  merge({.rows = 1, .bytes = row.size() + 1, .low = hash.low64, .high = hash.high64});
}

void RowDigest::merge(const RowDigest& other) {
  rows += other.rows;
  bytes += other.bytes;
  low += other.low;
  high += other.high + (low < other.low ? 1 : 0);
}

void RowDigester::Free::operator()(void* state) const { XXH3_freeState(static_cast<XXH3_state_t*>(state)); }

void RowDigester::add_piece(RowDigest& digest, std::string_view piece, std::size_t more) {
  if (state_ == nullptr) {
    state_.reset(XXH3_createState());
    if (state_ == nullptr) throw std::bad_alloc();
    XXH3_128bits_reset(static_cast<XXH3_state_t*>(state_.get()));
  }
  auto* const state = static_cast<XXH3_state_t*>(state_.get());
  bytes_ += piece.size();
  if (more == 0) piece.remove_suffix(1);  // the newline
  XXH3_128bits_update(state, piece.data(), piece.size());
  if (more > 0) return;
  const XXH128_hash_t hash = XXH3_128bits_digest(state);
  digest.merge({.rows = 1, .bytes = std::exchange(bytes_, 0), .low = hash.low64, .high = hash.high64});
  state_.reset();
}

std::string RowDigest::hex() const { return hex64(high) + hex64(low); }

std::optional<RowDigest> parse_digest(std::string_view hex) {
  if (hex.size() != 32) return std::nullopt;
  const auto high = parse_hex64(hex.substr(0, 16));
  const auto low = parse_hex64(hex.substr(16));
  if (!high || !low) return std::nullopt;
  return RowDigest{.low = *low, .high = *high};
}

std::string hex64(std::uint64_t value) { return fmt::format("{:016x}", value); }

std::optional<std::uint64_t> parse_hex64(std::string_view text) {
  const auto is_digit = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  if (text.size() != 16 || !std::all_of(text.begin(), text.end(), is_digit)) return std::nullopt;
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value, 16);
  return value;
}

}  // namespace pana
