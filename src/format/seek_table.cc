#include "format/seek_table.h"

#include <xxhash.h>

#include "base/error.h"

namespace pana {
namespace {

constexpr std::uint32_t kSkippableMagic = 0x184D2A5E;
constexpr std::uint32_t kChecksumMagic = 0x184D2A5D;
constexpr std::uint32_t kSeekableMagic = 0x8F92EAB1;
constexpr std::uint8_t kChecksumFlag = 0x80;
constexpr std::uint64_t kHeaderBytes = 8;
constexpr std::uint64_t kEntryBytes = 12;
constexpr std::uint64_t kChecksumBytes = 8;

void put32(std::string& out, std::uint32_t value) {
  for (int shift = 0; shift < 32; shift += 8) out.push_back(static_cast<char>(value >> shift & 0xff));
}

std::uint32_t get32(std::string_view text, std::uint64_t offset) {
  std::uint32_t value = 0;
  for (std::uint64_t i = 4; i-- > 0;) value = value << 8 | static_cast<std::uint8_t>(text.at(offset + i));
  return value;
}

void put64(std::string& out, std::uint64_t value) {
  put32(out, static_cast<std::uint32_t>(value));
  put32(out, static_cast<std::uint32_t>(value >> 32));
}

std::uint64_t get64(std::string_view text, std::uint64_t offset) {
  return get32(text, offset) | std::uint64_t{get32(text, offset + 4)} << 32;
}

}  // namespace

std::string write_seek_table(std::span<const SeekEntry> entries) {
  std::string table;
  put32(table, kSkippableMagic);
  put32(table, static_cast<std::uint32_t>(entries.size() * kEntryBytes + kSeekFooterBytes));
  for (const SeekEntry& entry : entries) {
    put32(table, entry.compressed_bytes);
    put32(table, entry.bytes);
    put32(table, entry.checksum);
  }
  put32(table, static_cast<std::uint32_t>(entries.size()));
  table.push_back(static_cast<char>(kChecksumFlag));
  put32(table, kSeekableMagic);
  return table;
}

std::uint64_t seek_table_bytes(std::string_view footer) {
  if (footer.size() != kSeekFooterBytes || get32(footer, 5) != kSeekableMagic ||
      static_cast<std::uint8_t>(footer[4]) != kChecksumFlag) {
    throw Error(ErrorKind::damaged, "the file does not end as a backup does");
  }
  return kHeaderBytes + get32(footer, 0) * kEntryBytes + kSeekFooterBytes;
}

std::vector<SeekEntry> parse_seek_table(std::string_view table) {
  if (table.size() < kHeaderBytes + kSeekFooterBytes ||
      table.size() != seek_table_bytes(table.substr(table.size() - kSeekFooterBytes)) ||
      get32(table, 0) != kSkippableMagic || get32(table, 4) != table.size() - kHeaderBytes) {
    throw Error(ErrorKind::damaged, "the seek table is damaged");
  }
  std::vector<SeekEntry> entries((table.size() - kHeaderBytes - kSeekFooterBytes) / kEntryBytes);
  std::uint64_t offset = kHeaderBytes;
  for (SeekEntry& entry : entries) {
    entry = {get32(table, offset), get32(table, offset + 4), get32(table, offset + 8)};
    offset += kEntryBytes;
  }
  return entries;
}

std::uint64_t checksum_frame_bytes(std::size_t frames) { return kHeaderBytes + (frames + 1) * kChecksumBytes; }

std::string write_checksum_frame(std::span<const std::uint64_t> checksums) {
  std::string list;
  for (const std::uint64_t checksum : checksums) put64(list, checksum);
  put64(list, XXH64(list.data(), list.size(), 0));
  std::string frame;
  put32(frame, kChecksumMagic);
  put32(frame, static_cast<std::uint32_t>(list.size()));
  return frame + list;
}

std::vector<std::uint64_t> parse_checksum_frame(std::string_view frame) {
  if (frame.size() < checksum_frame_bytes(0) || get32(frame, 0) != kChecksumMagic ||
      get32(frame, 4) != frame.size() - kHeaderBytes || frame.size() % kChecksumBytes != 0) {
    throw Error(ErrorKind::damaged, "the checksum frame is damaged");
  }
  const std::string_view list = frame.substr(kHeaderBytes, frame.size() - kHeaderBytes - kChecksumBytes);
  if (XXH64(list.data(), list.size(), 0) != get64(frame, frame.size() - kChecksumBytes)) {
    throw Error(ErrorKind::damaged, "the checksum frame is damaged");
  }
  std::vector<std::uint64_t> checksums(list.size() / kChecksumBytes);
  for (std::size_t i = 0; i < checksums.size(); ++i) checksums[i] = get64(list, i * kChecksumBytes);
  return checksums;
}

}  // namespace pana
