#include "format/index_place.h"

#include <algorithm>
#include <string_view>

#include "base/error.h"
#include "format/index.h"

namespace pana {
namespace {

constexpr std::uint32_t kChecksumOfNothing = 0x51D8E999;  // the low 32 bits of XXH64

IndexPlace find_in_plain(std::uint64_t size, std::string_view end_line) {
  const std::uint64_t offset = parse_end_line(end_line);
  if (offset > size - kEndLineBytes || size - offset > kMaximumIndexBytes) {
    throw Error(ErrorKind::damaged, "the last line points outside of the file");
  }
  return {.offset = offset, .bytes = size - offset, .text_bytes = offset};
}

IndexPlace find_in_compressed(std::uint64_t size, std::string_view table) {
  IndexPlace place{.compressed = true, .entries = parse_seek_table(table)};
  // The last two entries are the index's and the checksum frame's.
  const std::size_t frames = place.entries.size() < 2 ? 0 : place.entries.size() - 2;
  std::uint64_t stored = 0;
  for (std::size_t i = 0; i < place.entries.size(); ++i) {
    if (i == frames) place.offset = stored;
    if (i < frames) place.text_bytes += place.entries[i].bytes;
    stored += place.entries[i].compressed_bytes;
  }
  if (place.entries.size() < 2 || stored != size - table.size() ||
      place.entries.back().compressed_bytes != checksum_frame_bytes(frames + 1) || place.entries.back().bytes != 0 ||
      place.entries.back().checksum != kChecksumOfNothing) {
    throw Error(ErrorKind::damaged, "the seek table does not add up to the file's size");
  }
  place.bytes = place.entries[frames].compressed_bytes;
  if (place.entries[frames].bytes > kMaximumIndexBytes) throw Error(ErrorKind::damaged, "the index is impossibly long");
  return place;
}

}  // namespace

IndexPlace find_index(std::uint64_t object_bytes,
                      const std::function<std::string(std::uint64_t, std::uint64_t)>& read) {
  const std::uint64_t tail_bytes = std::min(object_bytes, kEndLineBytes);
  const std::string tail = read(object_bytes - tail_bytes, tail_bytes);
  if (tail.size() == kEndLineBytes && tail.starts_with("-- pana:end ")) return find_in_plain(object_bytes, tail);
  try {
    const std::uint64_t table_bytes =
        seek_table_bytes(std::string_view(tail).substr(tail.size() - std::min(tail.size(), kSeekFooterBytes)));
    if (table_bytes > object_bytes) throw Error(ErrorKind::damaged, "the seek table is longer than the file");
    return find_in_compressed(object_bytes, read(object_bytes - table_bytes, table_bytes));
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::damaged) throw;
    throw Error(
        ErrorKind::damaged, error.what(),
        "it is not a backup of pana, or it was cut short or altered; if another program compressed it, decompress it");
  }
}

}  // namespace pana
