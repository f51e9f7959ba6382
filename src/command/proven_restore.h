// pana restore --verify: a restore, and the proof of it in the same breath.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>

#include "base/progress.h"
#include "command/compare.h"
#include "command/restore.h"
#include "command/restore_request.h"
#include "format/backup_reader.h"

namespace pana {

struct ProvenRestoreRequest {
  RestoreRequest restore;
  bool prove = true;  // compare every row's digest with the backup afterwards
  std::chrono::seconds longest_silence_of_proof{600};
};

struct ProvenRestore {
  RestoreReport restored;
  std::optional<ComparisonReport> comparison;  // when a proof was asked for

  // Throws Error(failed) when an object could not be restored, Error(different) when the proof failed.
  void require_success() const;
};

// How a step is shown: runs `step` with the progress that it is to write. `verb` says what is done: "restoring".
using ShowStep = std::function<void(const std::string& verb, const std::function<void(Progress& progress)>& step)>;

// Throws as restore() and compare() do; a hint says what the target may hold when the restore did not come to its end.
ProvenRestore restore_and_prove(const ProvenRestoreRequest& request, const BackupReader& backup, const ShowStep& show,
                                const std::stop_token& stop);

}  // namespace pana
