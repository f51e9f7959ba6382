// pana prune: which backups of a location may go, and why each other one stays.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "command/catalogue.h"

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
};

// A backup stays when any rule keeps it; the newest complete one always stays. Backups of parts (with filters) do not
// stand for whole ones: those of each choice are counted for themselves. A damaged backup counts for no rule but that
// of days. Oldest first, as `backups` are.
std::vector<PruneDecision> decide_pruning(const std::vector<BackupListing>& backups, const PrunePolicy& policy,
                                          TimePoint now);

}  // namespace pana
