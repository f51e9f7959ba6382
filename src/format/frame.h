// A frame: one complete SQL fragment that stands on its own, the unit in which a backup is written and loaded.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "format/digest.h"

namespace pana {

// The phases of a backup in file order; a phase starts when the one before it is complete.
enum class Phase { preamble, clean, pre_data, rows, sequences, post_data, postamble };

std::string_view phase_name(Phase phase);
std::optional<Phase> parse_phase(std::string_view name);

using TableId = std::uint32_t;

// The pseudo table under which the contents of large objects are counted.
constexpr TableId kLargeObjects = 0;
constexpr const char* kLargeObjectsName = "large objects";  // in place of a table's

// How many rows of a table stand in a frame, in the order of the frame's COPY sections.
struct FrameRows {
  TableId table = 0;
  std::uint64_t rows = 0;
  bool operator==(const FrameRows&) const = default;
};

// What the index says of a frame; lengths and checksums are of the uncompressed text.
struct FrameInfo {
  Phase phase = Phase::rows;
  std::uint64_t bytes = 0;
  std::uint64_t xxh64 = 0;
  std::vector<FrameRows> tables;
  bool operator==(const FrameInfo&) const = default;
};

// Counts and digests of several tables' rows.
using TableDigests = std::map<TableId, RowDigest>;

void merge(TableDigests& into, const TableDigests& from);

struct Frame {
  FrameInfo info;
  std::string encoded;
  TableDigests digests;
};

// The lines that frame a table's rows inside a frame.
constexpr std::string_view kCopyEnd = "\\.\n\n";

}  // namespace pana
