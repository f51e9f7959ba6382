// Writes the byte stream of one backup: frames from many threads, back to back, cut into equal parts, the index last.
//
// append() may be called from several threads. Frames of one phase go in as they come; a frame of a later phase waits
// until begin_phase() opens its phase, so that the row workers can start while the schema is still being read.
// The thread whose frame fills a part uploads it: a slow store slows the readers down, and memory stays bounded. Beside
// the frame itself append() holds at most one part, the one that it completes; the writer holds one that is begun.
// Nothing is visible in the store before finish() returned and the upload was completed by its owner.
#pragma once

#include <condition_variable>
#include <stop_token>
#include <vector>

#include "base/mutex.h"
#include "base/object_io.h"
#include "format/compression.h"
#include "format/frame.h"
#include "format/index.h"
#include "format/seek_table.h"

namespace pana {

class BackupWriter {
 public:
  // `upload` must outlive the writer.
  BackupWriter(ObjectUpload& upload, Compression compression);

  // Opens a phase; the ones before it must be complete. Phase::preamble is open from the start.
  void begin_phase(Phase phase);

  // Places a frame and uploads the parts it fills. Waits for the frame's phase to be open, and for the store; throws
  // Error(interrupted) when stopped meanwhile.
  void append(const Frame& frame, const std::stop_token& stop);

  // Writes the index (the contents of its tables and its frames are filled in), the seek table, and the last part. Call
  // once, when every append() has returned. Returns the index as written.
  Index finish(Index index, const std::stop_token& stop);

  // Bytes of the object placed so far. Safe to call at any time.
  std::uint64_t stored_bytes() const;

 private:
  // The parts that some bytes filled, in order.
  struct FullParts {
    std::uint32_t first = 1;  // its number
    std::string completed;    // one that had been begun before; empty when there was none, or it is not full yet
    std::string_view whole;   // those that stand in the bytes themselves
  };

  // Puts `bytes` at the end of the stream.
  FullParts place(std::string_view bytes) PANA_REQUIRES(mutex_);
  void upload(const FullParts& full, bool ends_with_last, const std::stop_token& stop);
  void note(const FrameInfo& info, std::uint64_t encoded_bytes, std::uint64_t encoded_checksum) PANA_REQUIRES(mutex_);

  ObjectUpload& upload_;
  const Compression compression_;

  mutable Mutex mutex_;
  std::condition_variable_any phase_opened_;
  Phase phase_ PANA_GUARDED_BY(mutex_) = Phase::preamble;
  std::uint64_t stored_bytes_ PANA_GUARDED_BY(mutex_) = 0;
  std::uint32_t parts_ PANA_GUARDED_BY(mutex_) = 0;  // placed whole
  std::string begun_ PANA_GUARDED_BY(mutex_);        // the beginning of the next one
  std::vector<FrameInfo> frames_ PANA_GUARDED_BY(mutex_);
  std::vector<SeekEntry> seek_entries_ PANA_GUARDED_BY(mutex_);
  std::vector<std::uint64_t> stored_checksums_ PANA_GUARDED_BY(mutex_);
  TableDigests contents_ PANA_GUARDED_BY(mutex_);
};

}  // namespace pana
