#include <fmt/format.h>
#include <fmt/ranges.h>

#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/human.h"
#include "base/unicode.h"
#include "cli/commands.h"
#include "command/prune.h"

namespace pana {
namespace {

struct PruneArguments {
  std::string location;
  PrunePolicy policy;
  bool dry_run = false;
  bool json = false;
};

const char* verb_of(const PruneDecision& decision, bool dry_run) {
  if (decision.keep) return "keep";
  if (dry_run) return "would remove";
  return decision.failure.empty() ? "removed" : "not removed";
}

void run(const PruneArguments& options, const CommandContext& context) {
  if (!options.policy.keep_days && !options.policy.keep_last) {
    throw Error(ErrorKind::usage, "prune must know what to keep", "give --keep-days, --keep-last, or both");
  }
  const std::unique_ptr<ObjectStore> store = open_store(options.location, context.store);
  const std::vector<PruneDecision> decisions = prune(*store, options.policy, options.dry_run, context.stop);
  Json json = {{"dry_run", options.dry_run}, {"backups", Json::array()}};
  std::vector<std::string> failures;
  for (const PruneDecision& decision : decisions) {
    if (!decision.failure.empty()) failures.push_back(decision.failure);
    json["backups"].push_back({{"key", decision.key},
                               {"bytes", decision.bytes},
                               {"keep", decision.keep},
                               {"reason", decision.reason},
                               {"failure", decision.failure}});
    if (options.json) continue;
    fmt::print("{:<12}  {:<32}  {:>10}  {}\n", verb_of(decision, options.dry_run), decision.key,
               human_bytes(decision.bytes), without_controls(decision.reason));
  }
  if (options.json) print_json(json);
  if (!failures.empty()) throw Error(ErrorKind::failed, fmt::format("{}", fmt::join(failures, "; ")));
}

}  // namespace

void add_prune_command(CLI::App& app, const CommandContext& context) {
  const auto options = std::make_shared<PruneArguments>();
  CLI::App* const command = app.add_subcommand("prune", "remove old backups, never the newest complete one");
  command->add_option("LOCATION", options->location, "a directory or s3://bucket/prefix")->required();
  command->add_option("--keep-days", options->policy.keep_days, "keep backups younger than N days")->type_name("N");
  command->add_option("--keep-last", options->policy.keep_last, "keep the newest N complete backups")->type_name("N");
  command->add_flag("--dry-run", options->dry_run, "only say what would be removed");
  command->add_flag("--json", options->json, "print the result as JSON");
  command->callback([options, &context] { run(*options, context); });
}

}  // namespace pana
