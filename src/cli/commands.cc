#include "cli/commands.h"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>

#include "base/error.h"

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

CLI::Validator jobs_or_auto() {
  return CLI::Validator(
      [](std::string& text) {
        if (text == "auto") {
          text = "0";
          return std::string();
        }
        const bool is_number = CLI::Range(1, 64)(text).empty();
        return is_number ? std::string() : fmt::format("{} is neither auto nor a number from 1 to 64", text);
      },
      "");
}

CLI::Validator size_in_bytes() {
  return CLI::Validator(
      [](std::string& text) {
        const std::string given = text;
        try {
          if (given.starts_with('-')) throw CLI::ValidationError(given);
          return CLI::AsSizeValue(/*kb_is_1000=*/false)(text);
        } catch (const CLI::ValidationError&) {  // its message lists all units, in all spellings
          return fmt::format("{} is not a size such as 20MiB", given);
        }
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

void add_filter_options(CLI::App& command, TableFilter::Patterns& patterns) {
  command.add_option("-n,--schema", patterns.schemas, "only schemas matching PATTERN")
      ->check(not_empty())
      ->type_name("PATTERN")
      ->allow_extra_args(false);
  command.add_option("-N,--exclude-schema", patterns.exclude_schemas, "no schemas matching PATTERN")
      ->check(not_empty())
      ->type_name("PATTERN")
      ->allow_extra_args(false);
  command.add_option("-t,--table", patterns.tables, "only tables matching PATTERN")
      ->check(not_empty())
      ->type_name("PATTERN")
      ->allow_extra_args(false);
  command.add_option("-T,--exclude-table", patterns.exclude_tables, "no tables matching PATTERN")
      ->check(not_empty())
      ->type_name("PATTERN")
      ->allow_extra_args(false);
}

void add_row_filter_option(CLI::App& command, TableFilter::Patterns& patterns) {
  command
      .add_option("--exclude-table-data", patterns.exclude_table_data,
                  "the definition but not the rows of tables matching PATTERN")
      ->type_name("PATTERN")
      ->allow_extra_args(false);
}

}  // namespace pana
