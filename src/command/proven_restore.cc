#include "command/proven_restore.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/human.h"

namespace pana {
namespace {

RestoreReport restore_or_hint(const RestoreRequest& request, const BackupReader& backup, Progress& progress,
                              const std::stop_token& stop) try {
  return restore(request, backup, progress, stop);
} catch (const Error& error) {
  const bool is_damaged = error.kind() == ErrorKind::damaged;
  if ((error.kind() != ErrorKind::interrupted && !is_damaged) || !error.hint().empty()) throw;
  if (request.allow_non_empty || request.reconcile)
    throw Error(
        error.kind(), error.what(),
        "the target may hold a part of the backup now, beside what was there: look at both before you restore again");
  throw Error(error.kind(), error.what(),
              is_damaged ? "the target may hold a part of the backup now: restore another backup with --clean, or this "
                           "one with --clean --keep-going, without what is damaged"
                         : "the target may hold a part of the backup now: restore again with --clean");
}

// Refused is what changes nothing, and its hint is for a command that compares alone.
ComparisonReport compare_or_hint(const CompareRequest& request, const BackupReader& backup, Progress& progress,
                                 const std::stop_token& stop) try {
  return compare(request, backup, progress, stop);
} catch (const Error& error) {
  if (error.kind() != ErrorKind::refused) throw;
  throw Error(ErrorKind::failed, fmt::format("the backup is restored, but could not be compared: {}", error.what()),
              "compare it by pana verify --against, as a role that may read all of it");
}

}  // namespace

void ProvenRestore::require_success() const {
  if (!restored.errors.empty()) {
    throw Error(ErrorKind::failed, fmt::format("{} could not be restored", counted(restored.errors.size(), "object")));
  }
  if (comparison && !comparison->equal()) {
    throw Error(ErrorKind::different, "the database does not hold the content of the backup");
  }
  if (const std::size_t changed = restored.adapted.size() + restored.left_out.size(); changed > 0) {
    throw Error(ErrorKind::partial,
                fmt::format("{} of the backup could not be had as in the source without the missing extensions",
                            counted(changed, "part")),
                "the result lists what differs; to have it, install the extensions on the target's server");
  }
}

ProvenRestore restore_and_prove(const ProvenRestoreRequest& request, const BackupReader& backup, const ShowStep& show,
                                const std::stop_token& stop) {
  ProvenRestore proven;
  show("restoring",
       [&](Progress& progress) { proven.restored = restore_or_hint(request.restore, backup, progress, stop); });
  // A view, or a partitioned table without its partitions: to refuse it now would be too late.
  const bool has_no_rows = proven.restored.tables == 0 && !request.restore.filter.includes_everything();
  if (!request.prove || has_no_rows) return proven;
  show("comparing", [&](Progress& progress) {
    proven.comparison = compare_or_hint({.url = request.restore.url,
                                         .jobs = request.restore.jobs,
                                         .filter = request.restore.filter,
                                         .without_tables = proven.restored.left_out_tables,
                                         .without_sequences = proven.restored.left_out_sequences,
                                         .longest_silence = request.longest_silence_of_proof},
                                        backup, progress, stop);
  });
  if (request.restore.allow_non_empty || request.restore.reconcile)
    proven.comparison->leave_extra_out();  // it was there, and is no concern of the backup's
  return proven;
}

}  // namespace pana
