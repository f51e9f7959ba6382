// How messages of PostgreSQL's protocol are written in bytes: a type, the length of all but the type, the body. See
// "Message Formats" of PostgreSQL's manual, version 3.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace pana {

// The number in four bytes.
inline std::uint32_t big_endian(const char* bytes) {
  std::uint32_t value = 0;
  for (int i = 0; i < 4; ++i) value = value << 8 | static_cast<std::uint8_t>(bytes[i]);
  return value;
}

inline void append_message(std::string& to, char type, std::string_view body) {
  const auto length = static_cast<std::uint32_t>(body.size() + 4);  // with itself
  to.push_back(type);
  for (int shift = 24; shift >= 0; shift -= 8) to.push_back(static_cast<char>(length >> shift & 0xff));
  to += body;
}

}  // namespace pana
