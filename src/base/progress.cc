#include "base/progress.h"

#include <fmt/format.h>

#include "base/human.h"
#include "base/log.h"

namespace pana {

void Progress::set_activity(std::string text) {
  log(LogLevel::debug, "activity", text);
  activity.with([&text](std::string& current) { current = std::move(text); });
}

std::string ProgressReading::text(const std::string& verb) const {
  std::string line = verb;
  if (total > 0) line += fmt::format(" {:3.0f} %", 100 * fraction());
  line += fmt::format("  {} rows  {}  {}/s", human_count(rows), human_bytes(bytes),
                      human_bytes(static_cast<std::uint64_t>(bytes_per_second())));
  if (seconds_left() > 0) line += fmt::format("  {} left", human_seconds(seconds_left()));
  return line + "  " + activity;
}

ProgressReading read_progress(Progress& progress, std::chrono::steady_clock::time_point started) {
  return {.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count(),
          .total = progress.total,
          .done = progress.done,
          .bytes = progress.bytes,
          .rows = progress.rows,
          .activity = progress.activity.with([](const std::string& text) { return text; })};
}

void log_progress(const std::string& verb, const ProgressReading& reading) {
  log(LogLevel::info, "progress", reading.text(verb),
      {{"fraction", reading.fraction()},
       {"rows", reading.rows},
       {"bytes", reading.bytes},
       {"bytes_per_second", static_cast<std::uint64_t>(reading.bytes_per_second())},
       {"seconds", reading.seconds},
       {"seconds_left", reading.seconds_left()},
       {"activity", reading.activity}});
}

}  // namespace pana
