#include "command/frame_texts.h"

#include <utility>

namespace pana {
namespace {

constexpr std::uint64_t kBytesAtMost = 32 << 20;

}  // namespace

FrameTexts::FrameTexts(const BackupReader& backup, std::span<const LoadStage> stages) : backup_(backup) {
  kept_.with([&stages](Kept& kept) {
    for (const LoadStage& stage : stages) {
      for (const LoadUnit& unit : stage) {
        for (const std::size_t frame : unit.frames) ++kept.times[frame];
      }
    }
    std::erase_if(kept.times, [](const auto& frame) { return frame.second == 1; });
  });
}

void FrameTexts::read(std::size_t frame, const BackupReader::Sink& sink, BackupReader::Memory& memory,
                      const std::stop_token& stop) {
  const std::uint64_t bytes = backup_.index().frames[frame].bytes;
  std::optional<std::string> text;
  bool is_needed_again = false;
  kept_.with([&](Kept& kept) {
    if (auto known = kept.texts.extract(frame)) {
      text = std::move(known.mapped());
      kept.bytes -= bytes;
    }
    const auto times = kept.times.find(frame);
    if (times == kept.times.end()) return;
    is_needed_again = kept.bytes + bytes <= kBytesAtMost;
    if (--times->second == 1) kept.times.erase(times);
  });
  if (text) {
    sink(*text);
  } else {
    text.emplace();
    backup_.read_frame(
        frame,
        [&](std::string_view piece) {
          if (is_needed_again) text->append(piece);
          sink(piece);
        },
        memory, stop);
  }
  if (!is_needed_again) return;
  kept_.with([&](Kept& kept) {
    if (kept.bytes + bytes <= kBytesAtMost && kept.texts.emplace(frame, std::move(*text)).second) kept.bytes += bytes;
  });
}

}  // namespace pana
