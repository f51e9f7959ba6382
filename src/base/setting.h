// What a person can set, as hints speak of it. How it is called is the matter of the face that shows the hint: an
// option of the command line, or a variable of the deployment.
#pragma once

#include <fmt/format.h>

#include <initializer_list>
#include <map>
#include <string>

namespace pana {

enum class Setting {
  compression,
  exclude_schema,
  exclude_table,
  exclude_table_data,
  jobs,
  kms_key,
  memory,  // of the place that the program runs in
  part_size,
  profile,
  region,
  skip_unreadable,
  stall_timeout,
  yield_to_waiters
};

// How they are called here; what is missing cannot be set here. Called before a thread asks; until then none can.
void name_settings(std::map<Setting, std::string> names);

// Empty when it cannot be set here.
std::string setting_name(Setting setting);

// "a, b or c" of those that can be set here.
std::string setting_names(std::initializer_list<Setting> settings);

// The text with the setting's name in it, and behind that what more it takes, for a hint; empty when it cannot be set
// here.
template <typename... More>
std::string advice(fmt::format_string<const std::string&, const More&...> text, Setting setting, const More&... more) {
  const std::string name = setting_name(setting);
  return name.empty() ? std::string() : fmt::format(text, name, more...);
}

}  // namespace pana
