#include "deployment/settings.h"

#include <fmt/format.h>

#include "base/environment.h"
#include "base/error.h"
#include "base/json.h"

namespace pana {

std::string required_setting(const char* name) {
  std::string value = environment_value(name);
  if (value.empty()) throw Error(ErrorKind::usage, fmt::format("the environment variable {} is not set", name));
  return value;
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
