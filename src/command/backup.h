// pana backup: one database at one moment, into one object.
#pragma once

#include <chrono>
#include <cstdint>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/progress.h"
#include "format/compression.h"
#include "format/index.h"
#include "pg/snapshot.h"
#include "sql/table_filter.h"
#include "store/object_store.h"

namespace pana {

// What to say to a backup that may not read everything.
constexpr WayAround kWithoutUnreadable = {
    .relations =
        "leave them out of a backup: --exclude-table or --exclude-schema (exclude_schemas in a deployment), or "
        "whatever it is with --skip-unreadable",
    .large_objects = "leave them out of a backup: --skip-unreadable"};

struct BackupRequest {
  std::string url;       // as Connection takes it
  std::size_t jobs = 4;  // 0: by the machine's processors and the size of the database
  Compression compression;
  TableFilter filter;
  LockPolicy locks;
  bool skip_unreadable = false;  // leave out what the role may not read, and say so, instead of refusing
  bool split_tables = true;
  std::uint64_t max_bytes_per_second = 0;     // of rows, over all connections; 0: no limit
  std::chrono::seconds yield_to_waiters{0};   // give up when another session has waited so long for our locks; 0: never
  std::chrono::seconds longest_silence{600};  // of a server that was asked for something; 0: no limit
  std::string run;                            // names the run (IndexHeader::run); may be empty
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
  std::vector<std::string> skipped;  // with skip_unreadable: "table public.orders"

  Json json() const;
};

// Complete or nothing: when this throws, no object is visible and what was uploaded is gone. An Obstacle undoes the
// attempt and begins another one, until several were undone and the first obstacle is `locks.give_up_after` ago.
BackupReport back_up(const BackupRequest& request, ObjectStore& store, Progress& progress, const std::stop_token& stop);

}  // namespace pana
