#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <memory>

#include "base/error.h"
#include "base/unicode.h"
#include "cli/commands.h"
#include "command/check.h"

namespace pana {
namespace {

struct Options {
  CheckRequest request;
  TableFilter::Patterns patterns;
  std::int64_t stall_seconds = 600;
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

void run(const Options& options, const CommandContext& context) {
  CheckRequest request = options.request;
  request.url = url_or_environment(request.url);
  request.filter = TableFilter(options.patterns);
  request.longest_silence = std::chrono::seconds(options.stall_seconds);
  const std::vector<CheckResult> results = check(request, context.store, context.stop);
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
  const auto options = std::make_shared<Options>();
  CLI::App* const command = app.add_subcommand("check", "check everything that a backup needs, without making one");
  command->add_option("URL", options->request.url, "the database; default: DATABASE_URL, then libpq's environment")
      ->check(not_empty());
  command->add_option("--to", options->request.location, "the location of the backups")
      ->envname("PANA_TO")
      ->type_name("LOCATION");
  command->add_option("-j,--jobs", options->request.jobs, "connections that a backup would use")
      ->envname("PANA_JOBS")
      ->transform(jobs_or_auto())
      ->type_name("N")
      ->capture_default_str();
  add_filter_options(*command, options->patterns);
  add_row_filter_option(*command, options->patterns);
  command->add_flag("--skip-unreadable", options->request.skip_unreadable,
                    "only warn of what the role may not read, which backup --skip-unreadable leaves out");
  command
      ->add_option("--stall-timeout", options->stall_seconds,
                   "give up when the server says nothing for this long; 0: never")
      ->check(CLI::Range(0, 86400))
      ->type_name("SECONDS")
      ->capture_default_str();
  command->add_flag("--json", options->json, "print the result as JSON");
  command->callback([options, &context] { run(*options, context); });
}

}  // namespace pana
