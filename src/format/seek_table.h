// The seek table at the end of a compressed backup, as in zstd's "seekable format" 0.1.0 (zstd's repository,
// contrib/seekable_format/zstd_seekable_compression_format.md): a skippable frame that lists the sizes of all frames
// before it, so that any tool that knows the format can jump into the file and every zstd skips over it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pana {

struct SeekEntry {
  std::uint32_t compressed_bytes = 0;
  std::uint32_t bytes = 0;
  std::uint32_t checksum = 0;  // the low 32 bits of the text's XXH64
  bool operator==(const SeekEntry&) const = default;
};

constexpr std::uint64_t kSeekFooterBytes = 9;

std::string write_seek_table(std::span<const SeekEntry> entries);

// The size of the whole seek table, from its last kSeekFooterBytes bytes; throws Error(damaged) when they are no
// footer.
std::uint64_t seek_table_bytes(std::string_view footer);

// The entries of a whole seek table; throws Error(damaged) unless every byte of it is as write_seek_table() writes it.
std::vector<SeekEntry> parse_seek_table(std::string_view table);

// The checksum frame stands before the seek table: a skippable frame (magic 0x184D2A5D) with the XXH64 of every frame's
// stored bytes, and of that list itself. zstd leaves some bits of a frame without a meaning, so a frame can be altered
// and still decode to the same text; a backup that has been altered shall not pass for whole all the same.
std::string write_checksum_frame(std::span<const std::uint64_t> checksums);
std::uint64_t checksum_frame_bytes(std::size_t frames);

// Throws Error(damaged) unless every byte of it is as write_checksum_frame() writes it.
std::vector<std::uint64_t> parse_checksum_frame(std::string_view frame);

}  // namespace pana
