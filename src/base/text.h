// Small things that are done to text.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

namespace pana {

// Without the blanks, tabs and line ends around it.
std::string_view trimmed(std::string_view text);

// Two digits for each byte, lower case.
std::string hex(std::string_view bytes);

// The first that is not empty; empty when all are.
std::string first_of(std::initializer_list<std::string> values);

}  // namespace pana
