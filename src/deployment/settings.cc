#include "deployment/settings.h"

#include <fmt/format.h>

#include <charconv>

#include "base/environment.h"
#include "base/error.h"
#include "base/json.h"

namespace pana {

std::string required_setting(const char* name) {
  std::string value = environment_value(name);
  if (value.empty()) throw Error(ErrorKind::usage, fmt::format("the environment variable {} is not set", name));
  return value;
}

std::size_t number_setting(const char* name, std::size_t least, std::size_t most, std::size_t by_default) {
  const std::string text = environment_value(name);
  if (text.empty()) return by_default;
  std::size_t number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec == std::errc() && parsed.ptr == text.data() + text.size() && number >= least && number <= most)
    return number;
  throw Error(ErrorKind::usage, fmt::format("{} is no number from {} to {}", name, least, most));
}

std::vector<std::string> excluded_schemas() {
  constexpr const char* kName = "PANA_EXCLUDE_SCHEMAS";
  const std::string text = environment_value(kName);
  if (text.empty()) return {};
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  std::vector<std::string> patterns;
  if (!json.is_array()) throw Error(ErrorKind::usage, fmt::format("{} is no JSON array", kName));
  for (const Json& pattern : json) {
    if (!pattern.is_string()) throw Error(ErrorKind::usage, fmt::format("{} holds something that is no text", kName));
    patterns.push_back(pattern.get<std::string>());
  }
  return patterns;
}

}  // namespace pana
