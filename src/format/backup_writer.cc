#include "format/backup_writer.h"

#include <xxhash.h>

#include <limits>
#include <utility>

#include "base/error.h"
#include "base/require.h"
#include "base/setting.h"

namespace pana {
namespace {

std::uint64_t stored_checksum_of(std::string_view bytes) { return XXH64(bytes.data(), bytes.size(), 0); }

}  // namespace

BackupWriter::BackupWriter(ObjectUpload& upload, Compression compression)
    : upload_(upload), compression_(compression) {}

void BackupWriter::begin_phase(Phase phase) {
  const MutexLock lock(mutex_);
  require(phase >= phase_, "phases are opened in their order");
  phase_ = phase;
  phase_opened_.notify_all();
}

void BackupWriter::append(const Frame& frame, const std::stop_token& stop) {
  const std::uint64_t stored_checksum = stored_checksum_of(frame.encoded);
  FullParts full;
  {
    MutexLock lock(mutex_);
    if (!phase_opened_.wait(lock, stop, [&] {
          mutex_.assert_held();
          return phase_ >= frame.info.phase;
        })) {
      throw Error(ErrorKind::interrupted, "stopped on request");
    }
    require(phase_ == frame.info.phase, "a frame comes before the next phase is opened");
    note(frame.info, frame.encoded.size(), stored_checksum);
    merge(contents_, frame.digests);
    full = place(frame.encoded);
  }
  upload(full, /*ends_with_last=*/false, stop);
}

void BackupWriter::note(const FrameInfo& info, std::uint64_t encoded_bytes, std::uint64_t encoded_checksum) {
  constexpr std::uint64_t kLargest = std::numeric_limits<std::uint32_t>::max();
  if (compression_.enabled() && (info.bytes > kLargest || encoded_bytes > kLargest)) {
    throw Error(ErrorKind::failed, "a single row is larger than a compressed backup can hold",
                advice("back up with {} none", Setting::compression));
  }
  frames_.push_back(info);
  stored_checksums_.push_back(encoded_checksum);
  seek_entries_.push_back({.compressed_bytes = static_cast<std::uint32_t>(encoded_bytes),
                           .bytes = static_cast<std::uint32_t>(info.bytes),
                           .checksum = static_cast<std::uint32_t>(info.xxh64)});
}

BackupWriter::FullParts BackupWriter::place(std::string_view bytes) {
  const std::uint64_t part_bytes = upload_.part_bytes();
  stored_bytes_ += bytes.size();
  FullParts full{.first = parts_ + 1, .completed = {}, .whole = {}};
  if (!begun_.empty()) {
    const std::string_view head = bytes.substr(0, part_bytes - begun_.size());
    begun_ += head;
    bytes.remove_prefix(head.size());
    if (begun_.size() == part_bytes) {
      full.completed = std::exchange(begun_, {});
      ++parts_;
    }
  }
  const std::uint64_t whole_parts = bytes.size() / part_bytes;
  full.whole = bytes.substr(0, whole_parts * part_bytes);
  parts_ += static_cast<std::uint32_t>(whole_parts);
  begun_ += bytes.substr(full.whole.size());
  return full;
}

void BackupWriter::upload(const FullParts& full, bool ends_with_last, const std::stop_token& stop) {
  const std::uint64_t part_bytes = upload_.part_bytes();
  std::uint32_t number = full.first;
  const auto put = [&](std::string_view bytes, bool is_last) {
    upload_.put({.number = number, .offset = (number - 1) * part_bytes, .bytes = bytes, .is_last = is_last}, stop);
    ++number;
  };
  if (!full.completed.empty()) put(full.completed, ends_with_last && full.whole.empty());
  for (std::string_view rest = full.whole; !rest.empty(); rest.remove_prefix(part_bytes)) {
    put(rest.substr(0, part_bytes), ends_with_last && rest.size() == part_bytes);
  }
}

Index BackupWriter::finish(Index index, const std::stop_token& stop) {
  MutexLock lock(mutex_);
  for (TableInfo& table : index.tables) table.content = contents_[table.id];
  index.frames = std::move(frames_);
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
  const FullParts full = place(encoded);
  const FullParts last{.first = parts_ + 1, .completed = std::exchange(begun_, {}), .whole = {}};
  lock.unlock();
  upload(full, /*ends_with_last=*/last.completed.empty(), stop);
  upload(last, /*ends_with_last=*/true, stop);
  return index;
}

std::uint64_t BackupWriter::stored_bytes() const {
  const MutexLock lock(mutex_);
  return stored_bytes_;
}

}  // namespace pana
