// The heart of a backup: rows from the server's socket into frames of the backup.
#pragma once

#include <atomic>
#include <cstdint>
#include <stop_token>
#include <vector>

#include "base/guarded.h"
#include "base/progress.h"
#include "base/rate_limit.h"
#include "base/work_list.h"
#include "command/plan.h"
#include "format/backup_writer.h"
#include "format/frame_builder.h"
#include "pg/connection.h"

namespace pana {

// What all workers of a backup share. Everything in it is safe from several threads.
struct RowWork {
  WorkList<WorkItem>& items;
  BackupWriter& backup;
  Progress& progress;
  RateLimit& rate;
  std::uint64_t frame_bytes = 0;
  Compression compression;
  // Items whose tables a worker could not lock: a session that waits for an exclusive lock stands in between. The
  // control connection, which holds its locks already, reads them in the end.
  Guarded<std::vector<WorkItem>> left_over;
};

// Takes items until there are none, over one connection that has imported the snapshot.
void read_items(Connection& connection, RowWork& work, const std::stop_token& stop);

// Reads the left-over items over the control connection.
void read_left_over(Connection& control, RowWork& work, const std::stop_token& stop);

}  // namespace pana
