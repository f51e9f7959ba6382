// pana backup: one database at one moment, into one object.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/progress.h"
#include "command/backup_request.h"
#include "store/object_store.h"

namespace pana {

struct BackupReport {
  std::string key;
  std::uint64_t bytes = 0;       // of the object
  std::uint64_t text_bytes = 0;  // uncompressed
  std::uint64_t rows = 0;
  std::uint64_t tables = 0;
  std::uint64_t large_objects = 0;
  std::size_t workers = 0;  // connections that read rows
  double seconds = 0;
  std::string snapshot_time;
  std::vector<std::string> skipped;  // with skip_unreadable: "table public.orders"

  Json json() const;
};

// Complete or nothing: when this throws, no object is visible and what was uploaded is gone. An Obstacle undoes the
// attempt and begins another one, until several were undone and the first obstacle is `locks.give_up_after` ago.
BackupReport back_up(const BackupRequest& request, ObjectStore& store, Progress& progress, const std::stop_token& stop);

}  // namespace pana
