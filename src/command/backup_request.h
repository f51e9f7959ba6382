// What a backup is asked for.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "format/compression.h"
#include "pg/snapshot.h"
#include "sql/table_filter.h"

namespace pana {

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

}  // namespace pana
