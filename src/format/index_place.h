// Where the index of a backup stands, found from the end of its object.
//
// A plain backup's last line tells it, a compressed one's seek table. All lengths are checked against the object's
// size: a backup that was cut short, or that lacks something in its middle, has no place for an index.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "format/seek_table.h"

namespace pana {

struct IndexPlace {
  std::uint64_t offset = 0;      // in the object
  std::uint64_t bytes = 0;       // of the stored form
  std::uint64_t text_bytes = 0;  // before the index
  bool compressed = false;
  std::vector<SeekEntry> entries;  // of a compressed backup: all frames', the index's and the checksum frame's
};

// `read(offset, bytes)` gives bytes of the object, whose size is `object_bytes`. Throws Error(damaged) when it is not a
// whole backup.
IndexPlace find_index(std::uint64_t object_bytes, const std::function<std::string(std::uint64_t, std::uint64_t)>& read);

// No index is longer: some 100 bytes for each of at most a few hundred thousand frames and tables.
constexpr std::uint64_t kMaximumIndexBytes = 1 << 30;

}  // namespace pana
