#include "base/setting.h"

#include <fmt/ranges.h>

#include <utility>
#include <vector>

namespace pana {
namespace {

std::map<Setting, std::string>& known_names() {
  static std::map<Setting, std::string> names;
  return names;
}

}  // namespace

void name_settings(std::map<Setting, std::string> names) { known_names() = std::move(names); }

std::string setting_name(Setting setting) {
  const auto found = known_names().find(setting);
  return found == known_names().end() ? std::string() : found->second;
}

std::string setting_names(std::initializer_list<Setting> settings) {
  std::vector<std::string> names;
  for (const Setting setting : settings) {
    if (std::string name = setting_name(setting); !name.empty()) names.push_back(std::move(name));
  }
  if (names.empty()) return {};
  const std::string last = std::exchange(names.back(), {});
  names.pop_back();
  return names.empty() ? last : fmt::format("{} or {}", fmt::join(names, ", "), last);
}

}  // namespace pana
