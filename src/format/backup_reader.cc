#include "format/backup_reader.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <memory>
#include <new>
#include <utility>

#include "base/error.h"
#include "format/compression.h"
#include "format/index_place.h"

namespace pana {
namespace {

// Frames are read in one piece, unless a giant row made one much larger than a frame should be.
constexpr std::uint64_t kReadBytes = 16 << 20;

// A summary reads so much of an index, and keeps so much of what that becomes: enough for any header with its roles.
constexpr std::uint64_t kHeadBytes = 64 << 10;
constexpr std::uint64_t kHeadTextBytes = 256 << 10;

constexpr std::uint64_t kHarmlessBytes = 256 << 20;

// Text that is kept as a whole (the index, the schema) may be so long, or so many times what it takes in the file: a
// crafted file of some KB must not make us hold gigabytes.
void check_expansion(std::uint64_t text_bytes, std::uint64_t stored_bytes) {
  constexpr std::uint64_t kMaximumRatio = 256;
  if (text_bytes <= kHarmlessBytes || text_bytes / kMaximumRatio <= stored_bytes) return;
  throw Error(ErrorKind::damaged, fmt::format("{} bytes of it would become {} in memory", stored_bytes, text_bytes));
}

IndexSummary summary_of(const Index& index) { return {.header = index.header, .totals = index.totals()}; }

class Checksum {
 public:
  Checksum() : state_(XXH64_createState()) {
    if (!state_) throw std::bad_alloc();
    XXH64_reset(state_.get(), 0);
  }
  void add(std::string_view text) { XXH64_update(state_.get(), text.data(), text.size()); }
  std::uint64_t value() const { return XXH64_digest(state_.get()); }

 private:
  struct Free {
    void operator()(XXH64_state_t* state) const { XXH64_freeState(state); }
  };
  std::unique_ptr<XXH64_state_t, Free> state_;
};

}  // namespace

BackupReader::BackupReader(const ObjectReader& object, std::stop_token stop) : object_(object), stop_(std::move(stop)) {
  const IndexPlace place =
      find_index(object.size(), [this](std::uint64_t offset, std::uint64_t bytes) { return read(offset, bytes); });
  compressed_ = place.compressed;
  compressed_ ? open_compressed(place) : open_plain(place);
}

void BackupReader::open_plain(const IndexPlace& place) {
  index_ = parse_index(read(place.offset, place.bytes));
  std::uint64_t position = 0;
  for (const FrameInfo& frame : index_.frames) {
    places_.push_back({.offset = position, .bytes = frame.bytes});
    position += frame.bytes;
  }
}

void BackupReader::open_compressed(const IndexPlace& place) {
  const std::vector<SeekEntry>& entries = place.entries;
  std::uint64_t position = 0;
  for (const SeekEntry& entry : entries) {
    places_.push_back({.offset = position, .bytes = entry.compressed_bytes});
    position += entry.compressed_bytes;
  }
  const std::vector<std::uint64_t> checksums = parse_checksum_frame(read(places_.back().offset, places_.back().bytes));
  places_.pop_back();
  for (std::size_t i = 0; i < places_.size(); ++i) places_[i].checksum = checksums[i];
  index_ = read_compressed_index(places_.back(), entries[entries.size() - 2]);
  places_.pop_back();

  bool agree = index_.frames.size() == places_.size();
  for (std::size_t i = 0; agree && i < places_.size(); ++i) {
    agree = entries[i].bytes == index_.frames[i].bytes &&
            entries[i].checksum == static_cast<std::uint32_t>(index_.frames[i].xxh64);
  }
  if (!agree) throw Error(ErrorKind::damaged, "the seek table and the index do not agree");
}

Index BackupReader::read_compressed_index(const Place& place, const SeekEntry& entry) const {
  check_expansion(entry.bytes, place.bytes);
  const std::string encoded = read(place.offset, place.bytes);
  if (XXH64(encoded.data(), encoded.size(), 0) != place.checksum) {
    throw Error(ErrorKind::damaged, "the index was altered");
  }
  std::string text;
  FrameDecoder decoder;
  decoder.decode(encoded, entry.bytes, [&text](std::string_view piece) { text += piece; });
  decoder.expect_end();
  if (text.size() != entry.bytes || static_cast<std::uint32_t>(XXH64(text.data(), text.size(), 0)) != entry.checksum) {
    throw Error(ErrorKind::damaged, "the seek table and the index do not agree");
  }
  return parse_index(text);
}

std::string BackupReader::read(std::uint64_t offset, std::uint64_t bytes) const {
  std::string buffer;
  read(offset, bytes, buffer, stop_);
  return buffer;
}

std::string_view BackupReader::read(std::uint64_t offset, std::uint64_t bytes, std::string& buffer,
                                    const std::stop_token& stop) const {
  if (buffer.size() < bytes) buffer.resize(bytes);
  object_.read(offset, std::span(buffer).first(bytes), stop);
  read_bytes_ += bytes;
  return std::string_view(buffer).substr(0, bytes);
}

void BackupReader::read_frame(std::size_t frame, const Sink& sink, Memory& memory, const std::stop_token& stop) const
    try {
  const FrameInfo& info = index_.frames.at(frame);
  const Place& place = places_.at(frame);
  Checksum checksum;
  Checksum stored;
  FrameDecoder& decoder = memory.decoder;
  decoder.begin_frame();
  const auto take = [&](std::string_view text) {
    checksum.add(text);
    sink(text);
  };
  for (std::uint64_t done = 0; done < place.bytes;) {
    const std::string_view encoded =
        read(place.offset + done, std::min(kReadBytes, place.bytes - done), memory.encoded, stop);
    done += encoded.size();
    if (compressed_) {
      stored.add(encoded);
      decoder.decode(encoded, info.bytes, take);
    } else {
      take(encoded);
    }
  }
  if (compressed_) {
    decoder.expect_end();
    if (decoder.decoded_bytes() != info.bytes) {
      throw Error(ErrorKind::damaged, "its length is not what the index says");
    }
    if (stored.value() != place.checksum) throw Error(ErrorKind::damaged, "its stored bytes were altered");
  }
  if (checksum.value() != info.xxh64) throw Error(ErrorKind::damaged, "its checksum is not what the index says");
} catch (const Error& error) {
  if (error.kind() != ErrorKind::damaged) throw;
  throw Error(ErrorKind::damaged,
              fmt::format("frame {} of {} at byte {} ({}) is damaged: {}", frame + 1, places_.size(),
                          places_[frame].offset, content_of(frame), error.what()),
              error.hint());
}

std::string BackupReader::content_of(std::size_t frame) const {
  constexpr std::size_t kNamesShown = 3;
  const FrameInfo& info = index_.frames[frame];
  if (info.phase != Phase::rows) return std::string(phase_name(info.phase));
  std::string text = "rows of ";
  for (std::size_t i = 0; i < std::min(info.tables.size(), kNamesShown); ++i) {
    const TableInfo* const table = index_.table(info.tables[i].table);
    if (i > 0) text += ", ";
    text += table->id == kLargeObjects ? table->name : table->schema + "." + table->name;
  }
  if (info.tables.size() > kNamesShown) text += fmt::format(" and {} more", info.tables.size() - kNamesShown);
  return text;
}

void BackupReader::read_phase(Phase phase, const Sink& sink, const std::function<void()>& behind_frame,
                              const std::stop_token& stop) const {
  std::uint64_t text_bytes = 0;
  std::uint64_t stored_bytes = 0;
  for (std::size_t i = 0; i < index_.frames.size(); ++i) {
    if (index_.frames[i].phase != phase) continue;
    text_bytes += index_.frames[i].bytes;
    stored_bytes += places_[i].bytes;
  }
  check_expansion(text_bytes, stored_bytes);
  Memory memory;
  for (std::size_t i = 0; i < index_.frames.size(); ++i) {
    if (index_.frames[i].phase != phase) continue;
    read_frame(i, sink, memory, stop);
    behind_frame();
  }
}

std::string BackupReader::read_phase(Phase phase) const {
  std::string text;
  read_phase(
      phase, [&text](std::string_view piece) { text += piece; }, [] {}, stop_);
  return text;
}

std::optional<IndexSummary> read_summary(const ObjectReader& object, const std::stop_token& stop) {
  const auto read = [&](std::uint64_t offset, std::uint64_t bytes) {
    std::string buffer(bytes, '\0');
    object.read(offset, buffer, stop);
    return buffer;
  };
  const IndexPlace place = find_index(object.size(), read);
  if (place.bytes <= kHeadBytes) return summary_of(BackupReader(object, stop).index());
  std::string head = read(place.offset, kHeadBytes);
  if (place.compressed) {
    std::string text;
    FrameDecoder().decode(head, kHarmlessBytes, [&text](std::string_view piece) {
      if (text.size() < kHeadTextBytes) text += piece;
    });
    head = std::move(text);
  }
  std::optional<IndexSummary> summary = parse_index_head(head);
  if (summary && summary->totals.text_bytes != place.text_bytes) {
    throw Error(ErrorKind::damaged, "the index is damaged: its totals are not those of the file");
  }
  return summary;
}

}  // namespace pana
