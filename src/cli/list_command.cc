#include <fmt/format.h>

#include <memory>

#include "base/human.h"
#include "base/log.h"
#include "base/unicode.h"
#include "cli/commands.h"
#include "command/backup_list.h"

namespace pana {
namespace {

struct ListArguments {
  std::string location;
  bool json = false;
};

Json summary_json(const BackupSummary& backup) {
  Json json = {{"key", backup.key},
               {"time", rfc3339(backup.time)},
               {"bytes", backup.bytes},
               {"state", state_name(backup.state)},
               {"complete", backup.complete()}};
  if (backup.complete()) {
    json["database"] = backup.header.database;
    json["system_identifier"] = backup.header.system_identifier;
    json["server"] = backup.header.server;
    json["tables"] = backup.totals.tables;
    json["rows"] = backup.totals.rows;
    json["text_bytes"] = backup.totals.text_bytes;
    json["filters"] = backup.header.filters;
  } else {
    json["why"] = backup.why;
    json["hint"] = backup.hint;
  }
  return json;
}

std::string content_of(const BackupSummary& backup, const DatabaseNames& databases) {
  switch (backup.state) {
    case BackupState::complete:
      return fmt::format("{} of {}{}", counted(backup.totals.rows, "row"),
                         without_controls(databases.of(backup.header.series())),
                         backup.header.filters.empty() ? "" : ", filtered");
    case BackupState::damaged: return "DAMAGED: " + without_controls(backup.why);
    case BackupState::unreadable: return "UNREADABLE: " + without_controls(backup.why);
    case BackupState::newer: return "NEWER: " + without_controls(backup.why);
  }
  return "";
}

void run(const ListArguments& options, const CommandContext& context) {
  const std::unique_ptr<ObjectStore> store = open_store(options.location, context.store);
  const std::vector<BackupSummary> backups = list_backups(*store, context.stop);
  if (!options.json) {
    const DatabaseNames databases(backups);
    if (!backups.empty()) fmt::print("{:<32}  {:>10}  holds\n", "backup", "size");
    for (const BackupSummary& backup : backups) {
      fmt::print("{:<32}  {:>10}  {}\n", backup.key, human_bytes(backup.bytes), content_of(backup, databases));
    }
    if (backups.empty()) log(LogLevel::info, "no_backups", fmt::format("{} holds no backups", options.location));
    return;
  }
  Json json = {{"backups", Json::array()}};
  for (const BackupSummary& backup : backups) json["backups"].push_back(summary_json(backup));
  print_json(json);
}

}  // namespace

void add_list_command(CLI::App& app, const CommandContext& context) {
  const auto options = std::make_shared<ListArguments>();
  CLI::App* const command = app.add_subcommand("list", "list the backups of a location, oldest first");
  command->add_option("LOCATION", options->location, "a directory or s3://bucket/prefix")->required();
  command->add_flag("--json", options->json, "print the result as JSON");
  command->callback([options, &context] { run(*options, context); });
}

}  // namespace pana
