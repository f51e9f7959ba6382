#include "cli/progress_line.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <mutex>

#include "base/human.h"
#include "base/log.h"

namespace pana {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kTerminalPeriod{200};
constexpr std::chrono::seconds kLogPeriod{10};

struct Reading {
  double seconds = 0;
  std::uint64_t total = 0;
  std::uint64_t done = 0;
  std::uint64_t bytes = 0;
  std::uint64_t rows = 0;
  std::string activity;

  double rate() const { return seconds > 0 ? static_cast<double>(bytes) / seconds : 0; }
  double fraction() const { return total == 0 ? 0 : static_cast<double>(done) / static_cast<double>(total); }
  double seconds_left() const { return fraction() > 0.01 ? seconds * (1 - fraction()) / fraction() : 0; }
};

Reading read(Progress& progress, Clock::time_point started) {
  return {.seconds = std::chrono::duration<double>(Clock::now() - started).count(),
          .total = progress.total,
          .done = progress.done,
          .bytes = progress.bytes,
          .rows = progress.rows,
          .activity = progress.activity.with([](const std::string& text) { return text; })};
}

// A longer line than the terminal is wide could not be replaced by the next one.
std::string cut_to_width(const std::string& text) {
  winsize size{};
  const bool known = ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20;
  return text.substr(0, known ? size.ws_col - 1U : 79U);
}

std::string describe(const std::string& verb, const Reading& reading) {
  std::string line = verb;
  if (reading.total > 0) line += fmt::format(" {:3.0f} %", 100 * reading.fraction());
  line += fmt::format("  {} rows  {}  {}/s", human_count(reading.rows), human_bytes(reading.bytes),
                      human_bytes(static_cast<std::uint64_t>(reading.rate())));
  if (reading.seconds_left() > 0) line += fmt::format("  {} left", human_seconds(reading.seconds_left()));
  return line + "  " + reading.activity;
}

void write_log(const std::string& verb, const Reading& reading) {
  log(LogLevel::info, "progress", describe(verb, reading),
      {{"fraction", reading.fraction()},
       {"rows", reading.rows},
       {"bytes", reading.bytes},
       {"bytes_per_second", static_cast<std::uint64_t>(reading.rate())},
       {"seconds", reading.seconds},
       {"seconds_left", reading.seconds_left()},
       {"activity", reading.activity}});
}

}  // namespace

ProgressLine::ProgressLine(std::string verb, Progress& progress)
    : verb_(std::move(verb)), progress_(progress), thread_([this](const std::stop_token& stop) {
        const auto started = Clock::now();
        const bool terminal = log_format() == LogFormat::text && ::isatty(STDERR_FILENO) != 0;
        std::mutex mutex;
        std::condition_variable_any wake;
        std::unique_lock lock(mutex);
        const auto period = terminal ? std::chrono::milliseconds(kTerminalPeriod) : std::chrono::milliseconds(kLogPeriod);
        while (!wake.wait_for(lock, stop, period, [&stop] { return stop.stop_requested(); })) {
          const Reading reading = read(progress_, started);
          terminal ? show_status_line(cut_to_width(describe(verb_, reading))) : write_log(verb_, reading);
        }
        if (terminal) show_status_line("");
      }) {}

}  // namespace pana
