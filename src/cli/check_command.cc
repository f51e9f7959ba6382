#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "base/error.h"
#include "base/unicode.h"
#include "cli/commands.h"
#include "command/check.h"

namespace pana {
namespace {

struct CheckArguments {
  BackupRequest request;
  TableFilter::Patterns patterns;
  std::string location;
  bool json = false;
};

std::string_view state_name(CheckState state) {
  switch (state) {
    case CheckState::ok: return "ok";
    case CheckState::warning: return "warning";
    case CheckState::failed: return "failed";
  }
  return "";
}

void run(const CheckArguments& options, const CommandContext& context) {
  BackupRequest request = options.request;
  request.url = url_or_environment(request.url);
  request.filter = TableFilter(options.patterns);
  const std::vector<CheckResult> results = check(request, options.location, context.store, context.stop);
  Json json = {{"checks", Json::array()}};
  for (const CheckResult& result : results) {
    json["checks"].push_back({{"subject", result.subject},
                              {"state", state_name(result.state)},
                              {"message", result.message},
                              {"hint", result.hint}});
    if (options.json) continue;
    fmt::print("{:<8} {:<12} {}\n", state_name(result.state), result.subject, without_controls(result.message));
    if (!result.hint.empty()) fmt::print("{:<8} {:<12} HINT: {}\n", "", "", without_controls(result.hint));
  }
  if (options.json) print_json(json);
  const auto failed = std::count_if(results.begin(), results.end(),
                                    [](const CheckResult& result) { return result.state == CheckState::failed; });
  if (failed > 0) throw Error(ErrorKind::refused, fmt::format("{} of {} checks failed", failed, results.size()));
}

}  // namespace

void add_check_command(CLI::App& app, const CommandContext& context) {
  const auto options = std::make_shared<CheckArguments>();
  CLI::App* const command = app.add_subcommand("check", "check everything that a backup needs, without making one");
  command->add_option("URL", options->request.url, "the database; default: DATABASE_URL, then libpq's environment")
      ->check(not_empty());
  command->add_option("--to", options->location, "the location of the backups")
      ->envname("PANA_TO")
      ->type_name("LOCATION");
  add_check_options(*command, options->request);
  add_filter_options(*command, options->patterns, /*with_rows=*/true);
  command->add_flag("--json", options->json, "print the result as JSON");
  command->callback([options, &context] { run(*options, context); });
}

}  // namespace pana
