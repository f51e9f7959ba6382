// Bytes and text: what of it is ASCII, what a terminal may see, and bytes without a meaning as Unicode and back.
#pragma once

#include <string>
#include <string_view>

namespace pana {

bool is_ascii(std::string_view text);

// Names out of a database may hold anything; a terminal must not take them for commands, nor a line for two.
std::string without_controls(std::string_view text);

// A SQL_ASCII database has bytes that need not be text in any encoding: each becomes the code point of the same number,
// in UTF-8.
std::string bytes_as_code_points(std::string_view bytes);

// The inverse; code points above U+00FF stay as they are.
std::string code_points_as_bytes(std::string_view text);

}  // namespace pana
