#include "cli/roff.h"

#include <cctype>

namespace pana {

std::string roff(std::string_view text) {
  std::string escaped;
  for (const char letter : text) {
    if (letter == '\\')
      escaped += "\\e";
    else if (letter == '-')
      escaped += "\\-";
    else if (letter == '^')
      escaped += "\\(ha";
    else if (letter == '~')
      escaped += "\\(ti";
    else
      escaped += letter;
    if (letter == '\n') escaped += "\\&";
  }
  return escaped;
}

std::string capitals(std::string text) {
  for (char& letter : text) letter = static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
  return text;
}

}  // namespace pana
