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

struct Options {
  std::string url;
  std::string location;
  std::size_t jobs = 4;
  std::string compression = "none";
  TableFilter::Patterns patterns;
  std::int64_t lock_wait_seconds = 300;
  bool skip_unreadable = false;
  bool no_split = false;
  std::uint64_t max_rate = 0;
  std::int64_t yield_seconds = 0;
  std::int64_t stall_seconds = 600;
  bool json = false;
};

void print(const BackupReport& report, const std::string& name) {
  fmt::print("{}\n{} of {} as of {}: {} of SQL in {}, stored as {}\n", name, counted(report.rows, "row"),
             counted(report.tables, "table"), report.snapshot_time, human_bytes(report.text_bytes),
             human_seconds(report.seconds), human_bytes(report.bytes));
}

// A number without its unit: locks and snapshot would be held for days.
void refuse_trickle(std::uint64_t max_rate) {
  constexpr std::uint64_t kLeast = 64 << 10;
  if (max_rate == 0 || max_rate >= kLeast) return;
  throw Error(ErrorKind::usage, fmt::format("--max-rate of {} a second is less than 64 KiB", human_bytes(max_rate)),
              "give it a unit: 20MiB");
}

void run(const Options& options, const CommandContext& context) {
  refuse_trickle(options.max_rate);
  const BackupRequest request{.url = url_or_environment(options.url),
                              .jobs = options.jobs,
                              .compression = parse_compression(options.compression),
                              .filter = TableFilter(options.patterns),
                              .locks = {.give_up_after = std::chrono::seconds(options.lock_wait_seconds)},
                              .skip_unreadable = options.skip_unreadable,
                              .split_tables = !options.no_split,
                              .max_bytes_per_second = options.max_rate,
                              .yield_to_waiters = std::chrono::seconds(options.yield_seconds),
                              .longest_silence = std::chrono::seconds(options.stall_seconds)};
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
  const auto options = std::make_shared<Options>();
  CLI::App* const command = app.add_subcommand("backup", "back up a database to a location");
  command->add_option("URL", options->url, "the database; default: DATABASE_URL, then libpq's environment")
      ->check(not_empty());
  command->add_option("--to", options->location, "a directory or s3://bucket/prefix")
      ->envname("PANA_TO")
      ->required()
      ->type_name("LOCATION");
  command->add_option("-j,--jobs", options->jobs, "connections that read rows, 1 to 64; auto: by processors and size")
      ->envname("PANA_JOBS")
      ->transform(jobs_or_auto())
      ->type_name("N")
      ->capture_default_str();
  command->add_option("-Z,--compression", options->compression, "none, zstd or zstd:LEVEL")
      ->envname("PANA_COMPRESSION")
      ->capture_default_str();
  add_filter_options(*command, options->patterns);
  add_row_filter_option(*command, options->patterns);
  command
      ->add_option("--lock-wait", options->lock_wait_seconds,
                   "give up when the tables cannot be locked within this time")
      ->check(CLI::Range(0, 86400))
      ->type_name("SECONDS")
      ->capture_default_str();
  command->add_flag("--skip-unreadable", options->skip_unreadable,
                    "leave out what the role may not read, say so, and end with status 7");
  command
      ->add_option("--yield-to-waiters", options->yield_seconds,
                   "give up when another session has waited this long for a lock that the backup holds; 0: never")
      ->check(CLI::Range(0, 86400))
      ->type_name("SECONDS")
      ->capture_default_str();
  command
      ->add_option("--max-rate", options->max_rate,
                   "read at most this many bytes of rows a second, over all connections, such as 20MiB; 0: no limit")
      ->transform(size_in_bytes())
      ->type_name("SIZE");
  command->add_flag("--no-split", options->no_split,
                    "read each table over one connection, which spares the server's cache");
  command
      ->add_option("--stall-timeout", options->stall_seconds,
                   "give up when the server, or pg_dump, says nothing for this long; 0: never")
      ->check(CLI::Range(0, 86400))
      ->type_name("SECONDS")
      ->capture_default_str();
  command->add_flag("--json", options->json, "print the result as JSON");
  command->callback([options, &context] { run(*options, context); });
}

}  // namespace pana
