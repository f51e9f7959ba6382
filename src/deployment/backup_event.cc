#include "deployment/backup_event.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/json.h"
#include "command/backup_options.h"

namespace pana {
namespace {

constexpr const char* kHint = "{} is enough; docs/deploy.md lists what else an event may say";

[[noreturn]] void refuse(const std::string& what) { throw Error(ErrorKind::usage, "the event " + what, kHint); }

// As a command line would say it.
std::string value_of(const Json& value, const BackupOption& option) {
  const bool is_flag = *option.type_name == '\0';
  if (is_flag && value.is_boolean()) return value.get<bool>() ? "true" : "false";
  if (!is_flag && value.is_number_unsigned()) return std::to_string(value.get<std::uint64_t>());
  if (!is_flag && value.is_string()) return value.get<std::string>();
  refuse(fmt::format("must give {} as {}", is_flag ? "true or false" : "a number or text", option.member));
}

std::vector<std::string> patterns_of(const Json& value, const char* member) {
  std::vector<std::string> patterns;
  if (!value.is_array()) refuse(fmt::format("must give an array of patterns as {}", member));
  for (const Json& pattern : value) {
    if (!pattern.is_string()) refuse(fmt::format("must give an array of patterns as {}", member));
    patterns.push_back(pattern.get<std::string>());
  }
  return patterns;
}

void apply(const std::string& name, const Json& value, BackupRequest& request, TableFilter::Patterns& patterns) {
  for (const TableFilter::PatternOption& option : TableFilter::options()) {
    if (name != option.member) continue;
    patterns.*option.patterns = patterns_of(value, option.member);
    return;
  }
  const auto option = std::ranges::find_if(
      backup_options(), [&](const BackupOption& candidate) { return !name.empty() && name == candidate.member; });
  if (option == backup_options().end()) refuse("has a member that is not known");
  const std::string text = value_of(value, *option);
  try {
    option->apply(request, text);
  } catch (const Error& error) {
    refuse(fmt::format("gives as {} what is {}", name, error.what()));
  }
}

}  // namespace

BackupRequest parse_backup_event(const std::string& event, const std::string& request_id, BackupRequest defaults) {
  Json json = event.empty() ? Json::object() : Json::parse(event, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) refuse("is no JSON object");
  defaults.run = request_id;
  // https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html
  if (json.contains("detail-type")) {
    if (json.contains("id") && json["id"].is_string()) defaults.run = json["id"].get<std::string>();
    json = json.contains("detail") && json["detail"].is_object() ? Json(json["detail"]) : Json::object();
  }
  TableFilter::Patterns patterns = defaults.filter.patterns();
  for (const auto& [name, value] : json.items()) apply(name, value, defaults, patterns);
  defaults.filter = TableFilter(patterns);
  return defaults;
}

}  // namespace pana
