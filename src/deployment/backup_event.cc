#include "deployment/backup_event.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/json.h"

namespace pana {
namespace {

constexpr const char* kHint = "{} is enough; docs/deploy.md lists what else an event may say";

[[noreturn]] void refuse(const std::string& what) { throw Error(ErrorKind::usage, "the event " + what, kHint); }

std::size_t number_of(const Json& event, const char* name, std::size_t least, std::size_t most) {
  const Json& value = event[name];
  if (!value.is_number_unsigned() || value.get<std::size_t>() < least || value.get<std::size_t>() > most) {
    refuse(fmt::format("must give a number from {} to {} as {}", least, most, name));
  }
  return value.get<std::size_t>();
}

std::vector<std::string> patterns_of(const Json& event, const char* name) {
  std::vector<std::string> patterns;
  if (!event[name].is_array()) refuse(fmt::format("must give an array of patterns as {}", name));
  for (const Json& pattern : event[name]) {
    if (!pattern.is_string()) refuse(fmt::format("must give an array of patterns as {}", name));
    patterns.push_back(pattern.get<std::string>());
  }
  return patterns;
}

void apply(const Json& event, const std::string& name, BackupRequest& request, TableFilter::Patterns& patterns) {
  if (name == "jobs") {
    request.jobs = number_of(event, "jobs", 1, 64);
  } else if (name == "compression") {
    if (!event["compression"].is_string()) refuse("must give text as compression");
    request.compression = parse_compression(event["compression"].get<std::string>());
  } else if (name == "lock_wait_seconds") {
    request.locks.give_up_after = std::chrono::seconds(number_of(event, "lock_wait_seconds", 0, 900));
  } else if (name == "schemas") {
    patterns.schemas = patterns_of(event, "schemas");
  } else if (name == "exclude_schemas") {
    patterns.exclude_schemas = patterns_of(event, "exclude_schemas");
  } else if (name == "tables") {
    patterns.tables = patterns_of(event, "tables");
  } else if (name == "exclude_tables") {
    patterns.exclude_tables = patterns_of(event, "exclude_tables");
  } else if (name == "exclude_table_data") {
    patterns.exclude_table_data = patterns_of(event, "exclude_table_data");
  } else {
    refuse("has a member that is not known");
  }
}

}  // namespace

BackupRequest parse_backup_event(const std::string& event, const std::string& request_id, BackupRequest defaults,
                                 TableFilter::Patterns patterns) {
  Json json = event.empty() ? Json::object() : Json::parse(event, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) refuse("is no JSON object");
  defaults.run = request_id;
  if (json.contains(
          "detail-type")) {  // https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html
    if (json.contains("id") && json["id"].is_string()) defaults.run = json["id"].get<std::string>();
    json = json.contains("detail") && json["detail"].is_object() ? Json(json["detail"]) : Json::object();
  }
  for (const auto& [name, value] : json.items()) apply(json, name, defaults, patterns);
  defaults.filter = TableFilter(patterns);
  return defaults;
}

}  // namespace pana
