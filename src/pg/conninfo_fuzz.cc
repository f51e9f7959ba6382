// libFuzzer target: connection strings. What is shown of one must not hold its password.
#include <cstdint>
#include <cstdlib>

#include "base/error.h"
#include "pg/conninfo.h"

namespace {

bool shows(std::string_view text, const std::string& password) {
  constexpr std::size_t kTellingLength = 8;  // a shorter one may stand in a message by chance
  return password.size() >= kTellingLength && text.find(password) != std::string_view::npos;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string conninfo(reinterpret_cast<const char*>(data), size);
  try {
    std::string password;
    std::string others;
    for (const auto& [keyword, value] : pana::connection_parameters(conninfo)) {
      keyword == "password" ? password = value : others += value + "\n";
    }
    const std::string target = pana::describe_target(conninfo);
    if (shows(target, password) && !shows(others, password)) std::abort();
  } catch (const pana::Error& error) {
    const std::string said = std::string(error.what()) + error.hint();
    if (size >= 32 && said.find(conninfo) != std::string::npos) std::abort();
  }
  return 0;
}
