#include <fmt/format.h>

#include <memory>

#include "base/human.h"
#include "base/log.h"
#include "base/unicode.h"
#include "cli/commands.h"
#include "command/catalogue.h"

namespace pana {
namespace {

struct Options {
  std::string location;
  bool json = false;
};

Json listing_json(const BackupListing& backup) {
  Json json = {{"key", backup.object.key},
               {"time", rfc3339(backup.time)},
               {"bytes", backup.object.bytes},
               {"complete", backup.index.has_value()}};
  if (backup.index) {
    json["database"] = backup.index->header.database;
    json["server"] = backup.index->header.server;
    json["tables"] = backup.index->table_count();
    json["rows"] = backup.index->rows();
    json["filters"] = backup.index->header.filters;
  } else {
    json["damage"] = backup.damage;
  }
  return json;
}

void print_line(const BackupListing& backup) {
  const std::string state = backup.index
                                ? fmt::format("{} rows of {}{}", human_count(backup.index->rows()),
                                              without_controls(backup.index->header.database),
                                              backup.index->header.filters.empty() ? "" : ", filtered")
                                : "DAMAGED: " + without_controls(backup.damage);
  fmt::print("{:<32}  {:>10}  {}\n", backup.object.key, human_bytes(backup.object.bytes), state);
}

void run(const Options& options, const CommandContext& context) {
  const std::vector<BackupListing> backups = list_backups(*open_store(options.location, context.store));
  if (!options.json) {
    for (const BackupListing& backup : backups) print_line(backup);
    if (backups.empty()) log(LogLevel::info, "no_backups", fmt::format("{} holds no backups", options.location));
    return;
  }
  Json json = {{"backups", Json::array()}};
  for (const BackupListing& backup : backups) json["backups"].push_back(listing_json(backup));
  print_json(json);
}

}  // namespace

void add_list_command(CLI::App& app, const CommandContext& context) {
  const auto options = std::make_shared<Options>();
  CLI::App* const command = app.add_subcommand("list", "list the backups of a location, oldest first");
  command->add_option("LOCATION", options->location, "a directory or s3://bucket/prefix")->required();
  command->add_flag("--json", options->json, "print the result as JSON");
  command->callback([options, &context] { run(*options, context); });
}

}  // namespace pana
