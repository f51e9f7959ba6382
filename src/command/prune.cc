#include "command/prune.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>

namespace pana {
namespace {

PruneDecision decide(const BackupSummary& backup, const std::string& series, std::size_t newer_complete,
                     const PrunePolicy& policy, TimePoint now) {
  const auto days = std::chrono::duration_cast<std::chrono::days>(now - backup.time).count();
  PruneDecision decision{.key = backup.key, .bytes = backup.bytes, .keep = true};
  if (backup.state == BackupState::unreadable || backup.state == BackupState::newer) {
    decision.reason = fmt::format("{}, and may be a good backup: {}", state_name(backup.state), backup.why);
  } else if (backup.is_of_the_future(now)) {
    decision.reason = "dated in the future, so that nobody knows how old it is";
  } else if (backup.complete() && newer_complete == 0) {
    decision.reason = "the newest complete backup of " + series;
  } else if (backup.complete() && policy.keep_last && newer_complete < *policy.keep_last) {
    decision.reason = fmt::format("one of the newest {} of {}", *policy.keep_last, series);
  } else if (policy.keep_days && now - backup.time < std::chrono::days(*policy.keep_days)) {
    decision.reason = fmt::format("{} days old, younger than {} days", days, *policy.keep_days);
  } else if (newer_complete == 0) {
    decision.reason = "damaged, but no complete backup is newer";
  } else {
    decision.keep = false;
    decision.reason = fmt::format("{} days old{}", days, backup.complete() ? "" : ", damaged");
  }
  return decision;
}

std::string describe(const BackupSeries& series, const DatabaseNames& databases) {
  return databases.of(series) +
         (series.filters.empty() ? "" : fmt::format(", parts of it, {}", fmt::join(series.filters, " ")));
}

// How many complete backups are newer, as one goes through them from the newest on.
class NewerComplete {
 public:
  explicit NewerComplete(const std::vector<BackupSummary>& backups) {
    for (const BackupSummary& backup : backups) {
      if (backup.complete()) seen_[backup.header.series()] = 0;
    }
  }

  void add(const BackupSummary& backup) {
    if (backup.complete()) ++seen_[backup.header.series()];
  }

  // What was damaged before it could tell whose it was has as many newer ones as that database which has the fewest.
  std::size_t than(const BackupSummary& backup) const {
    if (!backup.header.database.empty()) {
      const auto seen = seen_.find(backup.header.series());
      return seen == seen_.end() ? 0 : seen->second;
    }
    std::optional<std::size_t> fewest;
    for (const auto& [series, count] : seen_) {
      if (series.filters.empty()) fewest = std::min(fewest.value_or(count), count);
    }
    return fewest.value_or(0);
  }

 private:
  std::map<BackupSeries, std::size_t> seen_;
};

}  // namespace

std::vector<PruneDecision> decide_pruning(const std::vector<BackupSummary>& backups, const PrunePolicy& policy,
                                          TimePoint now) {
  std::vector<PruneDecision> decisions(backups.size());
  const DatabaseNames databases(backups);
  NewerComplete newer(backups);
  for (std::size_t i = backups.size(); i-- > 0;) {
    decisions[i] =
        decide(backups[i], describe(backups[i].header.series(), databases), newer.than(backups[i]), policy, now);
    if (!backups[i].is_of_the_future(now)) newer.add(backups[i]);
  }
  return decisions;
}

namespace {

// Others go on account of those that stay: the whole index of each of these is read, of which a summary sees the
// beginning only. One that proves damaged counts for nothing, and it is decided anew.
std::vector<PruneDecision> decide_by_whole_indexes(ObjectStore& store, const PrunePolicy& policy,
                                                   const std::stop_token& stop) {
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

std::vector<PruneDecision> prune(ObjectStore& store, const PrunePolicy& policy, bool dry_run,
                                 const std::stop_token& stop) {
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
