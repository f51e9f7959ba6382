#include <fmt/format.h>
#include <fmt/ranges.h>

#include <memory>

#include "base/error.h"
#include "base/human.h"
#include "cli/commands.h"
#include "cli/progress_line.h"
#include "command/backup.h"
#include "command/locations.h"

namespace pana {
namespace {

struct BackupArguments {
  BackupRequest request;
  TableFilter::Patterns patterns;
  std::string location;
  bool json = false;
};

void print(const BackupReport& report, const std::string& name) {
  fmt::print("{}\n{} of {} as of {}: {} of SQL in {}, stored as {}\n", name, counted(report.rows, "row"),
             counted(report.tables, "table"), report.snapshot_time, human_bytes(report.text_bytes),
             human_seconds(report.seconds), human_bytes(report.bytes));
}

void run(const BackupArguments& options, const CommandContext& context) {
  BackupRequest request = options.request;
  request.url = url_or_environment(request.url);
  request.filter = TableFilter(options.patterns);
  const std::unique_ptr<ObjectStore> store = open_store(options.location, context.store);
  Progress progress;
  BackupReport report;
  {
    const ProgressLine line("backing up", progress);
    report = back_up(request, *store, progress, context.stop);
  }
  const std::string name = store->describe(report.key);
  if (options.json) {
    Json result = {{"backup", name}};
    result.update(report.json());
    print_json(result);
  } else {
    print(report, name);
  }
  if (report.skipped.empty()) return;
  throw Error(ErrorKind::partial, fmt::format("the backup is stored, but lacks what the role may not read: {}",
                                              fmt::join(report.skipped, ", ")));
}

}  // namespace

void add_backup_command(CLI::App& app, const CommandContext& context) {
  const auto options = std::make_shared<BackupArguments>();
  CLI::App* const command = app.add_subcommand("backup", "back up a database to a location");
  command->add_option("URL", options->request.url, "the database; default: DATABASE_URL, then libpq's environment")
      ->check(not_empty());
  command->add_option("--to", options->location, "a directory or s3://bucket/prefix")
      ->envname("PANA_TO")
      ->required()
      ->type_name("LOCATION");
  add_backup_options(*command, options->request);
  add_filter_options(*command, options->patterns, /*with_rows=*/true);
  command->add_flag("--json", options->json, "print the result as JSON");
  command->callback([options, &context] { run(*options, context); });
}

}  // namespace pana
