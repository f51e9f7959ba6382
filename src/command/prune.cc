#include "command/prune.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>
#include <set>

namespace pana {
namespace {

PruneDecision decide(const BackupSummary& backup, std::size_t newer_complete, const PrunePolicy& policy, TimePoint now) {
  const auto days = std::chrono::duration_cast<std::chrono::days>(now - backup.time).count();
  PruneDecision decision{.key = backup.key, .bytes = backup.bytes, .keep = true};
  const std::string parts =
      backup.header.filters.empty() ? "" : fmt::format(" of parts, {}", fmt::join(backup.header.filters, " "));
  if (backup.state == BackupState::unreadable || backup.state == BackupState::newer) {
    decision.reason = fmt::format("{}, nobody knows what it is worth: {}", state_name(backup.state), backup.why);
  } else if (backup.complete() && newer_complete == 0) {
    decision.reason = "the newest complete backup" + parts;
  } else if (backup.complete() && policy.keep_last && newer_complete < *policy.keep_last) {
    decision.reason = fmt::format("one of the newest {}{}", *policy.keep_last, parts);
  } else if (policy.keep_days && now - backup.time < std::chrono::days(*policy.keep_days)) {
    decision.reason = fmt::format("{} days old, {} are kept", days, *policy.keep_days);
  } else if (newer_complete == 0) {
    decision.reason = "damaged, but no complete backup is newer";
  } else {
    decision.keep = false;
    decision.reason = fmt::format("{} days old{}", days, backup.complete() ? "" : ", damaged");
  }
  return decision;
}

}  // namespace

std::vector<PruneDecision> decide_pruning(const std::vector<BackupSummary>& backups, const PrunePolicy& policy,
                                          TimePoint now) {
  std::vector<PruneDecision> decisions(backups.size());
  std::map<std::vector<std::string>, std::size_t> newer_complete;  // by what was chosen
  for (std::size_t i = backups.size(); i-- > 0;) {
    std::size_t& newer = newer_complete[backups[i].header.filters];
    decisions[i] = decide(backups[i], newer, policy, now);
    if (backups[i].complete()) ++newer;
  }
  return decisions;
}

namespace {

// Others go on account of those that stay: the whole index of each of these is read, of which a summary sees the beginning
// only. One that proves damaged counts for nothing, and it is decided anew.
std::vector<PruneDecision> decide_by_whole_indexes(ObjectStore& store, const PrunePolicy& policy, const std::stop_token& stop) {
  std::vector<BackupSummary> backups = list_backups(store, stop);
  const TimePoint now = std::chrono::system_clock::now();
  std::set<std::string> proven;
  while (true) {
    std::vector<PruneDecision> decisions = decide_pruning(backups, policy, now);
    std::set<std::string> kept;
    for (const PruneDecision& decision : decisions) {
      if (decision.keep) kept.insert(decision.key);
    }
    if (kept.size() == decisions.size()) return decisions;
    bool is_another = false;
    for (BackupSummary& backup : backups) {
      if (!backup.complete() || !kept.contains(backup.key) || !proven.insert(backup.key).second) continue;
      read_whole_index(store, backup, stop);
      is_another = is_another || !backup.complete();
    }
    if (!is_another) return decisions;
  }
}

}  // namespace

std::vector<PruneDecision> prune(ObjectStore& store, const PrunePolicy& policy, bool dry_run, const std::stop_token& stop) {
  std::vector<PruneDecision> decisions = decide_by_whole_indexes(store, policy, stop);
  for (PruneDecision& decision : decisions) {
    if (decision.keep || dry_run) continue;
    try {
      store.remove(decision.key);
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::interrupted) throw;
      decision.failure = error.what();
    }
  }
  return decisions;
}

}  // namespace pana
