// The heart of a backup: rows from the server's socket into frames of the backup.
#pragma once

#include <cstdint>
#include <stop_token>

#include "command/row_reading.h"
#include "format/backup_writer.h"
#include "format/frame_builder.h"

namespace pana {

// Where the rows go, for all sessions that read them.
struct RowTarget {
  BackupWriter& backup;
  Compression compression;
  std::uint64_t frame_bytes = 0;  // of text, that a frame should hold
};

// Takes items until there are none, over a session that has imported the snapshot.
void back_up_rows(Connection& connection, RowReading& reading, const RowTarget& target, const std::stop_token& stop);

// Reads what was left over, in the session that has the locks.
void back_up_left_over(Connection& control, RowReading& reading, const RowTarget& target, const std::stop_token& stop);

}  // namespace pana
