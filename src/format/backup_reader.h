// Reads a backup by its index: the tail first, then any frame by itself.
//
// One reader serves plain and compressed backups: the index speaks of the uncompressed text, and a compressed backup's
// seek table says where each frame's encoded form stands. Everything read is checked against the index. Safe from
// several threads. Opening reads the index and little else: two to four reads.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/object_io.h"
#include "format/compression.h"
#include "format/index.h"
#include "format/index_place.h"

namespace pana {

class BackupReader {
 public:
  // `object` must outlive the reader; `stop` ends the reads of opening and of read_phase(). Throws Error(damaged) when
  // the object is not a whole backup.
  BackupReader(const ObjectReader& object, std::stop_token stop);

  const Index& index() const { return index_; }
  bool compressed() const { return compressed_; }
  std::uint64_t stored_bytes() const { return object_.size(); }
  std::uint64_t read_bytes() const { return read_bytes_; }  // so far, of the object

  using Sink = std::function<void(std::string_view text)>;

  // What a thread that reads many frames keeps from one to the next: memory that comes fresh from the kernel for each
  // frame costs as much as decoding it.
  struct Memory {
    FrameDecoder decoder;
    std::string encoded;
  };

  // Decodes one frame and hands its text to `sink` in pieces, in order. Throws Error(damaged), naming the frame, when
  // its length or checksum is not what the index says: only after it returns may what it gave be trusted.
  void read_frame(std::size_t frame, const Sink& sink, Memory& memory, const std::stop_token& stop) const;

  // What a frame holds, for messages: "rows of public.orders" or the name of its phase.
  std::string content_of(std::size_t frame) const;

  // Hands the text of all frames of a phase to the sink, and calls `behind_frame` when the checksum of one was right:
  // what became of its text may be believed then. For phases of which much may be kept: throws Error(damaged) when
  // their text is out of all proportion.
  void read_phase(Phase phase, const Sink& sink, const std::function<void()>& behind_frame,
                  const std::stop_token& stop) const;

  // The same text as a whole: for the small phases.
  std::string read_phase(Phase phase) const;

 private:
  struct Place {
    std::uint64_t offset = 0;
    std::uint64_t bytes = 0;
    std::uint64_t checksum = 0;  // of the encoded form, where that is not the text itself
  };

  void open_plain(const IndexPlace& place);
  void open_compressed(const IndexPlace& place);
  Index read_compressed_index(const Place& place, const SeekEntry& entry) const;
  std::string read(std::uint64_t offset, std::uint64_t bytes) const;
  // Into `buffer`, which grows to what was ever needed; returns the part that was read.
  std::string_view read(std::uint64_t offset, std::uint64_t bytes, std::string& buffer,
                        const std::stop_token& stop) const;

  const ObjectReader& object_;
  const std::stop_token stop_;
  bool compressed_ = false;
  Index index_;
  std::vector<Place> places_;  // of the frames' encoded forms
  mutable std::atomic<std::uint64_t> read_bytes_{0};
};

// What a backup holds, from the few bytes at its end that tell it. Checked are the lengths of all there is against the
// object's size, and the header against its checksum; of an index of up to 64 KiB all that BackupReader checks. Nothing
// when it takes the whole index: older backups have no totals in it. Throws as BackupReader does.
std::optional<IndexSummary> read_summary(const ObjectReader& object, const std::stop_token& stop);

}  // namespace pana
