// libFuzzer target: connection strings. No password of one that libpq takes is left in what is shown of it.
#include <libpq-fe.h>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "pg/conninfo.h"
#include "pg/database_address.h"

namespace {

using Options = std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)>;

Options parsed(const std::string& text) { return {PQconninfoParse(text.c_str(), nullptr), &PQconninfoFree}; }

void check(bool condition) {
  if (!condition) std::abort();
}

// libpq itself says what is secret in a text. It finds only asterisks in what is shown, and the secret is nowhere in it.
void check_redaction(const std::string& text) {
  const Options options = parsed(text);
  if (!options) return;
  const std::string shown = pana::redacted(text);
  const Options left = parsed(shown);
  for (const PQconninfoOption* option = left.get(); option != nullptr && option->keyword != nullptr; ++option) {
    const bool is_secret = std::string_view(option->dispchar) == "*";
    check(!is_secret || option->val == nullptr || *option->val == '\0' || std::string_view(option->val).find("***") != std::string_view::npos);
  }
  bool has_secret = false;
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
    const bool is_secret = std::string_view(option->dispchar) == "*" && option->val != nullptr && *option->val != '\0';
    if (!is_secret) continue;
    has_secret = true;
    // Short ones stand in other words by chance; one that is written in another way in the text cannot be looked for.
    constexpr std::size_t kTelling = 4;
    const std::string_view secret = option->val;
    const std::size_t first = text.find(secret);
    if (secret.size() < kTelling || first == std::string::npos || text.find(secret, first + 1) != std::string::npos) continue;
    check(shown.find(secret) == std::string::npos);
  }
  check(!has_secret || shown != text);
  check(!has_secret || pana::is_connection_string(text));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text = std::string(reinterpret_cast<const char*>(data), size).c_str();  // up to the first zero byte
  check_redaction(text);
  try {
    const pana::DatabaseAddress address(text);
    check(pana::redacted(address.description()) == address.description());
  } catch (const pana::Error& error) {
    const std::string_view said = error.what();  // nothing of what could not be parsed
    check(said == "the database URL cannot be parsed" || said == "the connection string cannot be parsed");
  }
  return 0;
}
