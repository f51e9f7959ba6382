// pana verify: proves that a backup is whole.
#pragma once

#include <stop_token>

#include "base/progress.h"
#include "format/backup_reader.h"

namespace pana {

// Re-reads every byte of the backup: every frame's length and checksum, its rows' counts and digests against the index.
// Throws Error(damaged) naming all that is wrong (the first few when there is much).
void verify_backup(const BackupReader& backup, std::size_t jobs, Progress& progress, const std::stop_token& stop);

}  // namespace pana
