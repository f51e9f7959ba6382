// libFuzzer target: connection strings. No password of one that libpq takes is left in what is shown of it.
#include <libpq-fe.h>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "pg/conninfo.h"
#include "pg/database_address.h"

namespace {

using Options = std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)>;

Options parsed(const std::string& text) { return {PQconninfoParse(text.c_str(), nullptr), &PQconninfoFree}; }

void check(bool condition) {
  if (!condition) std::abort();
}

bool is_secret(const PQconninfoOption& option) {
  return std::string_view(option.dispchar) == "*" && option.val != nullptr && *option.val != '\0';
}

// The secrets of a text that can be looked for: short ones stand in other words by chance, and what is written in
// another way, or twice, may be meant as something else.
std::vector<std::string> telling_secrets(const std::string& text) {
  constexpr std::size_t kTelling = 4;
  std::vector<std::string> secrets;
  const Options options = parsed(text);
  for (const PQconninfoOption* option = options.get(); option != nullptr && option->keyword != nullptr; ++option) {
    if (!is_secret(*option)) continue;
    const std::string secret = option->val;
    const std::size_t first = text.find(secret);
    if (secret.size() >= kTelling && first != std::string::npos && text.find(secret, first + 1) == std::string::npos)
      secrets.push_back(secret);
  }
  return secrets;
}

// libpq itself says what is secret in a text, and finds only asterisks in what is shown of it.
void check_redaction(const std::string& text) {
  const std::string shown = pana::redacted(text);
  for (const std::string& secret : telling_secrets(text)) check(shown.find(secret) == std::string::npos);
  const Options options = parsed(text);
  for (const PQconninfoOption* option = options.get(); option != nullptr && option->keyword != nullptr; ++option) {
    if (is_secret(*option)) check(shown != text && pana::is_connection_string(text));
  }
  const Options left = options ? parsed(shown) : Options(nullptr, &PQconninfoFree);
  for (const PQconninfoOption* option = left.get(); option != nullptr && option->keyword != nullptr; ++option) {
    if (is_secret(*option)) check(std::string_view(option->val).find("***") != std::string_view::npos);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text = std::string(reinterpret_cast<const char*>(data), size).c_str();  // up to the first zero byte
  check_redaction(text);
  try {
    const pana::DatabaseAddress address(text);
    for (const std::string& secret : telling_secrets(text))
      check(address.description().find(secret) == std::string::npos);
  } catch (const pana::Error& error) {
    const std::string_view said = error.what();  // nothing of what could not be parsed
    check(said == "the database URL cannot be parsed" || said == "the connection string cannot be parsed");
  }
  return 0;
}
