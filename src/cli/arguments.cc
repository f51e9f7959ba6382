#include "cli/arguments.h"

#include <algorithm>
#include <cstring>
#include <string_view>

namespace pana {
namespace {

void blot(char* begin, const char* end) { std::fill(begin, begin + (end - begin), '*'); }

// postgresql://user:PASSWORD@host
void blot_url_password(char* argument) {
  char* const scheme = std::strstr(argument, "://");
  if (scheme == nullptr || std::strncmp(argument, "postgres", 8) != 0) return;
  char* const at = std::strrchr(scheme, '@');
  char* const colon = at == nullptr ? nullptr : std::find(scheme + 3, at, ':');
  if (colon != nullptr && colon != at) blot(colon + 1, at);
}

// password=PASSWORD in a keyword string or behind a URL's question mark, up to the next blank or ampersand.
void blot_keyword_password(char* argument) {
  for (char* found = std::strstr(argument, "password="); found != nullptr; found = std::strstr(found, "password=")) {
    found += std::strlen("password=");
    const char* const end = *found == '\'' ? found + std::strlen(found) : found + std::strcspn(found, " &");
    blot(found, end);
  }
}

}  // namespace

std::vector<std::string> take_arguments(int argc, char** argv) {
  std::vector<std::string> arguments(argv + 1, argv + argc);
  for (char* const* argument = argv + 1; argument < argv + argc; ++argument) {
    // "--against=URL" holds one, too.
    char* const value = std::strstr(*argument, "=postgres");
    blot_url_password(value == nullptr ? *argument : value + 1);
    blot_keyword_password(*argument);
  }
  return arguments;
}

}  // namespace pana
