#include "command/prune.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>

namespace pana {
namespace {

PruneDecision decide(const BackupListing& backup, std::size_t newer_complete, const PrunePolicy& policy, TimePoint now) {
  const auto days = std::chrono::duration_cast<std::chrono::days>(now - backup.time).count();
  PruneDecision decision{.key = backup.object.key, .bytes = backup.object.bytes, .keep = true, .reason = {}};
  const bool complete = backup.index.has_value();
  const std::string parts = complete && !backup.index->header.filters.empty()
                                ? fmt::format(" of parts, {}", fmt::join(backup.index->header.filters, " ")) : "";
  if (complete && newer_complete == 0) {
    decision.reason = "the newest complete backup" + parts;
  } else if (complete && policy.keep_last && newer_complete < *policy.keep_last) {
    decision.reason = fmt::format("one of the newest {}{}", *policy.keep_last, parts);
  } else if (policy.keep_days && now - backup.time < std::chrono::days(*policy.keep_days)) {
    decision.reason = fmt::format("{} days old, {} are kept", days, *policy.keep_days);
  } else {
    decision.keep = false;
    decision.reason = fmt::format("{} days old{}", days, complete ? "" : ", damaged");
  }
  return decision;
}

}  // namespace

std::vector<PruneDecision> decide_pruning(const std::vector<BackupListing>& backups, const PrunePolicy& policy,
                                          TimePoint now) {
  std::vector<PruneDecision> decisions(backups.size());
  std::map<std::vector<std::string>, std::size_t> newer_complete;  // by what was chosen
  for (std::size_t i = backups.size(); i-- > 0;) {
    std::size_t unreadable = 0;
    std::size_t& newer = backups[i].index ? newer_complete[backups[i].index->header.filters] : unreadable;
    decisions[i] = decide(backups[i], newer, policy, now);
    ++newer;
  }
  return decisions;
}

}  // namespace pana
