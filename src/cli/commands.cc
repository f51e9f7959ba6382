#include "cli/commands.h"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>

#include "base/error.h"
#include "base/human.h"
#include "command/backup_options.h"

namespace pana {

std::string url_or_environment(const std::string& url) {
  if (!url.empty()) return url;
  const char* const from_environment = std::getenv("DATABASE_URL");
  if (from_environment == nullptr) return {};
  if (*from_environment == '\0')
    throw Error(ErrorKind::usage, "DATABASE_URL is set, but empty", "unset it, or name a database");
  return from_environment;
}

CLI::Validator not_empty() {
  return CLI::Validator(
      [](std::string& text) { return text.empty() ? "is empty: is a variable not set?" : std::string(); }, "");
}

CLI::Validator size_in_bytes() {
  return CLI::Validator(
      [](std::string& text) {
        const std::optional<std::uint64_t> bytes = parse_bytes(text);
        if (!bytes) return fmt::format("{} is not a size such as 20MiB", text);
        text = std::to_string(*bytes);
        return std::string();
      },
      "");
}

void print_json(const Json& json) {
  const std::string text = json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
  std::fwrite(text.data(), 1, text.size(), stdout);
}

Json passed_over_json(const OpenBackup& backup) {
  Json json = Json::array();
  for (const BackupSummary& newer : backup.passed_over)
    json.push_back({{"key", newer.key}, {"state", state_name(newer.state)}, {"why", newer.why}});
  return json;
}

namespace {

void add_option(CLI::App& command, const BackupOption& option, const char* help, BackupRequest& request) {
  const auto apply = [&option, &request](const std::string& value) {
    try {
      option.apply(request, value);
    } catch (const Error& error) {
      const std::string_view names = option.option;
      throw CLI::ValidationError(std::string(names.substr(names.find("--"))),
                                 fmt::format("{} is {}", value, error.what()));
    }
  };
  if (*option.type_name == '\0') {
    command.add_flag_callback(
        option.option, [apply] { apply("true"); }, help);
    return;
  }
  command.add_option_function<std::string>(option.option, apply, help)
      ->envname(option.variable)
      ->type_name(option.type_name)
      ->default_str(option.by_default);
}

}  // namespace

void add_backup_options(CLI::App& command, BackupRequest& request) {
  for (const BackupOption& option : backup_options()) add_option(command, option, option.help, request);
}

void add_check_options(CLI::App& command, BackupRequest& request) {
  for (const BackupOption& option : backup_options()) {
    if (*option.help_of_check != '\0') add_option(command, option, option.help_of_check, request);
  }
}

void add_filter_options(CLI::App& command, TableFilter::Patterns& patterns, bool with_rows) {
  for (const TableFilter::PatternOption& option : TableFilter::options()) {
    if (option.patterns == &TableFilter::Patterns::exclude_table_data && !with_rows) continue;
    command.add_option(option.option, patterns.*option.patterns, option.help)
        ->check(not_empty())
        ->type_name("PATTERN")
        ->allow_extra_args(false);
  }
}

}  // namespace pana
