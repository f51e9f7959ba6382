// pana backup: one database at one moment, into one object.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>

#include "base/json.h"
#include "base/progress.h"
#include "format/compression.h"
#include "format/index.h"
#include "pg/snapshot.h"
#include "pg/table_filter.h"
#include "store/object_store.h"

namespace pana {

struct BackupRequest {
  std::string url;  // as Connection takes it
  std::size_t jobs = 4;
  Compression compression;
  TableFilter filter;
  LockPolicy locks;
  std::string run;  // names the run (IndexHeader::run); may be empty
};

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

  Json json() const;
};

// Complete or nothing: when this throws, no object is visible and what was uploaded is gone.
BackupReport back_up(const BackupRequest& request, ObjectStore& store, Progress& progress, const std::stop_token& stop);

}  // namespace pana
