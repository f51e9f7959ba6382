#include <fmt/format.h>

#include <memory>

#include "base/error.h"
#include "base/human.h"
#include "cli/commands.h"
#include "cli/comparison_output.h"
#include "cli/progress_line.h"
#include "command/compare.h"
#include "command/locations.h"
#include "command/verify.h"

namespace pana {
namespace {

struct VerifyArguments {
  std::string backup;
  std::string url;
  TableFilter::Patterns patterns;
  std::size_t jobs = 4;
  std::int64_t stall_seconds = 600;
  bool json = false;
};

// The reader knows frames, not the name of the backup they are of.
void verify_named(const OpenBackup& backup, std::size_t jobs, Progress& progress, const std::stop_token& stop) try {
  const ProgressLine line("verifying", progress);
  verify_backup(*backup.reader, jobs, progress, stop);
} catch (const Error& error) {
  throw Error(error.kind(), fmt::format("{}: {}", backup.name, error.what()), error.hint());
}

// Who names a location asks for its newest backup: that an older one is good is no answer to that.
void require_newest(const OpenBackup& backup) {
  if (backup.passed_over.empty()) return;
  const BackupSummary& newest = backup.passed_over.front();
  throw Error(newest.failure_kind(),
              fmt::format("{} is older than {}, which is {}: {}", backup.name, newest.key, state_name(newest.state),
                          newest.why),
              newest.hint);
}

void run(const VerifyArguments& options, const CommandContext& context) {
  if (options.url.empty() && !TableFilter(options.patterns).is_empty()) {
    throw Error(ErrorKind::usage, "parts can only be compared: a backup is verified as a whole", "add --against URL");
  }
  const OpenBackup backup = find_backup(options.backup, context.store);
  Progress progress;
  if (options.url.empty()) {
    verify_named(backup, options.jobs, progress, context.stop);
    const Index& index = backup.reader->index();
    if (options.json) {
      print_json({{"backup", backup.name},
                  {"passed_over", passed_over_json(backup)},
                  {"whole", true},
                  {"bytes", backup.reader->stored_bytes()},
                  {"frames", index.frames.size()},
                  {"rows", index.rows()}});
      return require_newest(backup);
    }
    fmt::print("{} is whole: {}, {}\n", backup.name, counted(index.frames.size(), "frame"),
               counted(index.rows(), "row"));
    return require_newest(backup);
  }
  ComparisonReport report;
  {
    const ProgressLine line("comparing", progress);
    report = compare({.url = options.url,
                      .jobs = options.jobs,
                      .filter = TableFilter(options.patterns),
                      .longest_silence = std::chrono::seconds(options.stall_seconds)},
                     *backup.reader, progress, context.stop);
  }
  if (options.json) {
    Json json = comparison_json(report, backup.name);
    json["passed_over"] = passed_over_json(backup);
    print_json(json);
  } else {
    const bool is_whole = TableFilter(options.patterns).is_empty() && backup.reader->index().header.filters.empty();
    print_comparison(report, backup.name, is_whole ? "the database" : "the part that was compared");
  }
  if (!report.equal()) throw Error(ErrorKind::different, "the database does not hold the content of the backup");
  require_newest(backup);
}

}  // namespace

void add_verify_command(CLI::App& app, const CommandContext& context) {
  const auto options = std::make_shared<VerifyArguments>();
  CLI::App* const command = app.add_subcommand("verify", "prove that a backup is whole, or equal to a database");
  command->add_option("BACKUP", options->backup, "a file or object, or a location: its newest complete backup")
      ->required();
  command->add_option("--against", options->url, "compare with this database instead of re-reading the backup")
      ->check(not_empty())
      ->type_name("URL");
  add_filter_options(*command, options->patterns);
  command->add_option("-j,--jobs", options->jobs, "threads, or with --against connections")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  command
      ->add_option("--stall-timeout", options->stall_seconds,
                   "with --against, give up when the server says nothing for this long; 0: never")
      ->check(CLI::Range(0, 86400))
      ->type_name("SECONDS")
      ->capture_default_str();
  command->add_flag("--json", options->json, "print the result as JSON");
  command->callback([options, &context] { run(*options, context); });
}

}  // namespace pana
