// Text for roff, the language of manual pages.
#pragma once

#include <string>
#include <string_view>

namespace pana {

// Text that roff takes for text: no escapes, no requests, hyphens and signs that can be searched for and copied.
std::string roff(std::string_view text);

// For headings. ASCII alone is changed; before roff(), whose escapes are lower-case.
std::string capitals(std::string text);

}  // namespace pana
