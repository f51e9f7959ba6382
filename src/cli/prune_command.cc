#include <fmt/format.h>

#include <memory>
#include <optional>

#include "base/error.h"
#include "base/human.h"
#include "cli/commands.h"
#include "command/prune.h"

namespace pana {
namespace {

struct Options {
  std::string location;
  PrunePolicy policy;
  bool dry_run = false;
  bool json = false;
};

void run(const Options& options, const CommandContext& context) {
  if (!options.policy.keep_days && !options.policy.keep_last) {
    throw Error(ErrorKind::usage, "nothing says what to keep", "give --keep-days, --keep-last, or both");
  }
  const std::unique_ptr<ObjectStore> store = open_store(options.location, context.store);
  const std::vector<PruneDecision> decisions =
      decide_pruning(list_backups(*store), options.policy, std::chrono::system_clock::now());
  Json json = {{"dry_run", options.dry_run}, {"backups", Json::array()}};
  for (const PruneDecision& decision : decisions) {
    if (!decision.keep && !options.dry_run) store->remove(decision.key);
    json["backups"].push_back({{"key", decision.key}, {"bytes", decision.bytes}, {"keep", decision.keep},
                               {"reason", decision.reason}});
    if (options.json) continue;
    const char* const verb = decision.keep ? "keep" : options.dry_run ? "would remove" : "removed";
    fmt::print("{:<12}  {:<32}  {:>10}  {}\n", verb, decision.key, human_bytes(decision.bytes), decision.reason);
  }
  if (options.json) print_json(json);
}

}  // namespace

void add_prune_command(CLI::App& app, const CommandContext& context) {
  const auto options = std::make_shared<Options>();
  CLI::App* const command = app.add_subcommand("prune", "remove old backups, never the newest complete one");
  command->add_option("LOCATION", options->location, "a directory or s3://bucket/prefix")->required();
  command->add_option("--keep-days", options->policy.keep_days, "keep backups younger than N days")->type_name("N");
  command->add_option("--keep-last", options->policy.keep_last, "keep the newest N complete backups")->type_name("N");
  command->add_flag("--dry-run", options->dry_run, "only say what would be removed");
  command->add_flag("--json", options->json, "print the result as JSON");
  command->callback([options, &context] { run(*options, context); });
}

}  // namespace pana
