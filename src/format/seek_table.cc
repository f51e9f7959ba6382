#include "format/seek_table.h"

#include "base/error.h"

namespace pana {
namespace {

constexpr std::uint32_t kSkippableMagic = 0x184D2A5E;
constexpr std::uint32_t kSeekableMagic = 0x8F92EAB1;
constexpr std::uint8_t kChecksumFlag = 0x80;
constexpr std::uint64_t kHeaderBytes = 8;
constexpr std::uint64_t kEntryBytes = 12;

void put32(std::string& out, std::uint32_t value) {
  for (int shift = 0; shift < 32; shift += 8) out.push_back(static_cast<char>(value >> shift & 0xff));
}

std::uint32_t get32(std::string_view text, std::uint64_t offset) {
  std::uint32_t value = 0;
  for (std::uint64_t i = 4; i-- > 0;) value = value << 8 | static_cast<std::uint8_t>(text.at(offset + i));
  return value;
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
    throw Error(ErrorKind::damaged, "the file does not end with a seek table");
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

}  // namespace pana
