// The texts of frames that are read more than once, because their tables are loaded in several stages.
//
// Thousands of small tables with foreign keys share frames: from a store, each reading would be a request. Safe to call
// from several threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <stop_token>
#include <string>

#include "base/guarded.h"
#include "command/load_plan.h"
#include "format/backup_reader.h"

namespace pana {

class FrameTexts {
 public:
  // `backup` must outlive this.
  FrameTexts(const BackupReader& backup, std::span<const LoadStage> stages);

  // As BackupReader::read_frame(). Keeps the text until the last stage that needs it, as far as there is room.
  void read(std::size_t frame, const BackupReader::Sink& sink, BackupReader::Memory& memory,
            const std::stop_token& stop);

 private:
  struct Kept {
    std::map<std::size_t, std::size_t> times;  // that a frame is still to be read, if more than once
    std::map<std::size_t, std::string> texts;
    std::uint64_t bytes = 0;
  };

  const BackupReader& backup_;
  Guarded<Kept> kept_;
};

}  // namespace pana
