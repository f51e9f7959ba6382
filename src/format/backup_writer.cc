#include "format/backup_writer.h"

#include <xxhash.h>

#include <cassert>
#include <limits>
#include <utility>

#include "base/error.h"

namespace pana {
namespace {

std::uint64_t stored_checksum_of(std::string_view bytes) { return XXH64(bytes.data(), bytes.size(), 0); }

}  // namespace

BackupWriter::BackupWriter(ObjectUpload& upload, Compression compression)
    : upload_(upload), compression_(compression) {}

void BackupWriter::begin_phase(Phase phase) {
  const std::lock_guard lock(mutex_);
  assert(phase >= phase_);
  phase_ = phase;
  phase_opened_.notify_all();
}

void BackupWriter::append(const Frame& frame, const std::stop_token& stop) {
  const std::uint64_t stored_checksum = stored_checksum_of(frame.encoded);
  std::vector<Part> full_parts;
  {
    std::unique_lock lock(mutex_);
    if (!phase_opened_.wait(lock, stop, [&] { return phase_ >= frame.info.phase; })) {
      throw Error(ErrorKind::interrupted, "stopped on request");
    }
    assert(phase_ == frame.info.phase);
    note(frame.info, frame.encoded.size(), stored_checksum);
    merge(contents_, frame.digests);
    full_parts = place(frame.encoded);
  }
  for (Part& part : full_parts) upload_.put(std::move(part));
}

void BackupWriter::note(const FrameInfo& info, std::uint64_t encoded_bytes, std::uint64_t encoded_checksum) {
  constexpr std::uint64_t kLargest = std::numeric_limits<std::uint32_t>::max();
  if (compression_.enabled() && (info.bytes > kLargest || encoded_bytes > kLargest)) {
    throw Error(ErrorKind::failed, "a single row is larger than a compressed backup can hold",
                "back up with --compression none");
  }
  frames_.push_back(info);
  stored_checksums_.push_back(encoded_checksum);
  seek_entries_.push_back({.compressed_bytes = static_cast<std::uint32_t>(encoded_bytes),
                           .bytes = static_cast<std::uint32_t>(info.bytes),
                           .checksum = static_cast<std::uint32_t>(info.xxh64)});
}

std::vector<Part> BackupWriter::place(std::string_view bytes) {
  const std::uint64_t part_bytes = upload_.part_bytes();
  stored_bytes_ += bytes.size();
  std::vector<Part> full_parts;
  while (!bytes.empty()) {
    const std::string_view piece = bytes.substr(0, part_bytes - part_.bytes.size());
    if (part_.bytes.capacity() == 0) part_.bytes.reserve(part_bytes);
    part_.bytes.append(piece);
    bytes.remove_prefix(piece.size());
    if (part_.bytes.size() < part_bytes) break;
    Part next{.number = part_.number + 1, .offset = part_.offset + part_bytes, .bytes = {}};
    full_parts.push_back(std::exchange(part_, std::move(next)));
  }
  return full_parts;
}

Index BackupWriter::finish(IndexHeader header, std::vector<TableInfo> tables) {
  const std::lock_guard lock(mutex_);
  for (TableInfo& table : tables) table.content = contents_[table.id];
  Index index{.header = std::move(header), .tables = std::move(tables), .frames = std::move(frames_)};
  const std::string text = write_index(index);

  std::string encoded;
  FrameEncoder encoder(compression_);
  encoder.append(text, encoded);
  const std::uint64_t xxh64 = encoder.end_frame(encoded);
  if (compression_.enabled()) {
    note({.bytes = text.size(), .xxh64 = xxh64}, encoded.size(), stored_checksum_of(encoded));
    const std::string checksums = write_checksum_frame(stored_checksums_);
    seek_entries_.push_back({.compressed_bytes = static_cast<std::uint32_t>(checksums.size()),
                             .checksum = static_cast<std::uint32_t>(stored_checksum_of({}))});
    encoded += checksums + write_seek_table(seek_entries_);
  }
  for (Part& part : place(encoded)) upload_.put(std::move(part));
  if (!part_.bytes.empty()) upload_.put(std::move(part_));
  return index;
}

std::uint64_t BackupWriter::stored_bytes() const {
  const std::lock_guard lock(mutex_);
  return stored_bytes_;
}

}  // namespace pana
