#include "cli/arguments.h"

#include <algorithm>
#include <cstring>
#include <string_view>

namespace pana {
namespace {

void blot(char* begin, const char* end) { std::fill(begin, begin + (end - begin), '*'); }

// postgresql://user:PASSWORD@host
void blot_url_password(char* text) {
  char* const url = std::strstr(text, "postgres");
  char* const scheme = url == nullptr ? nullptr : std::strstr(url, "://");
  if (scheme == nullptr) return;
  char* const at = std::strrchr(scheme, '@');
  char* const colon = at == nullptr ? nullptr : std::find(scheme + 3, at, ':');
  if (colon != nullptr && colon != at) blot(colon + 1, at);
}

// password=PASSWORD in a keyword string or behind a URL's question mark, up to the next blank or ampersand.
void blot_keyword_password(char* text) {
  for (char* found = std::strstr(text, "password="); found != nullptr; found = std::strstr(found, "password=")) {
    found += std::strlen("password=");
    const char* const end = *found == '\'' ? found + std::strlen(found) : found + std::strcspn(found, " &");
    blot(found, end);
  }
}

}  // namespace

void blot_passwords(char* text) {
  blot_url_password(text);
  blot_keyword_password(text);
}

std::vector<std::string> take_arguments(int argc, char** argv) {
  std::vector<std::string> arguments(argv + 1, argv + argc);
  std::for_each(argv + 1, argv + argc, blot_passwords);
  return arguments;
}

}  // namespace pana
