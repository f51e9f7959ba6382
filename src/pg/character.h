// Characters of a server's encodings, in which the server counts.
#pragma once

#include <cstddef>
#include <string>

namespace pana {

// Where the character, counted from 1, begins in the text. `encoding` is one of PostgreSQL's names.
std::size_t byte_of_character(const std::string& text, std::size_t character, const std::string& encoding);

}  // namespace pana
