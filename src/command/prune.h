// pana prune: which backups of a location may go, and why each other one stays.
#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "command/backup_list.h"

namespace pana {

struct PrunePolicy {
  std::optional<unsigned> keep_days;  // backups younger than that stay
  std::optional<unsigned> keep_last;  // so many of the newest complete backups stay
};

struct PruneDecision {
  std::string key;
  std::uint64_t bytes = 0;
  bool keep = false;
  std::string reason;
  std::string failure;  // why it could not be removed; it is still there
};

// A backup stays when any rule keeps it; the newest complete one always stays. Those of each series are counted for
// themselves: no backup stands for another database, nor one of parts for the whole. A damaged backup counts for no
// rule but that of days; one that does not tell whose it was can be of any of the databases. What could not be read, or
// is newer than this pana, or dated in the future, always stays, for it may be the good one, and counts for nothing,
// for it may be none: no other goes on its account. Oldest first, as `backups` are.
std::vector<PruneDecision> decide_pruning(const std::vector<BackupSummary>& backups, const PrunePolicy& policy,
                                          TimePoint now);

// Decides, and removes unless it is a dry run. One that cannot be removed does not keep the others from it.
std::vector<PruneDecision> prune(ObjectStore& store, const PrunePolicy& policy, bool dry_run,
                                 const std::stop_token& stop);

}  // namespace pana
