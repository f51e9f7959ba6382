#include "cli/progress_line.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>

#include "base/log.h"
#include "base/mutex.h"

namespace pana {
namespace {

constexpr std::chrono::milliseconds kTerminalPeriod{200};
constexpr std::chrono::seconds kLogPeriod{10};
constexpr std::chrono::minutes kTextPeriod{5};  // a file, or a mail of cron's, which people read

// A longer line than the terminal is wide could not be replaced by the next one.
std::string cut_to_width(const std::string& text) {
  winsize size{};
  const bool known = ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20;
  return text.substr(0, known ? size.ws_col - 1U : 79U);
}

}  // namespace

ProgressLine::ProgressLine(std::string verb, Progress& progress)
    : verb_(std::move(verb)), progress_(progress), thread_([this](const std::stop_token& stop) {
        const auto started = std::chrono::steady_clock::now();
        const LogSettings log = log_settings();
        if (log.least > LogLevel::info) return;
        const bool is_text = log.format == LogFormat::text;
        const bool terminal = is_text && ::isatty(STDERR_FILENO) != 0;
        Mutex mutex;
        std::condition_variable_any wake;
        MutexLock lock(mutex);
        const auto period = terminal
                                ? kTerminalPeriod
                                : std::chrono::milliseconds(is_text ? std::chrono::seconds(kTextPeriod) : kLogPeriod);
        while (!wake.wait_for(lock, stop, period, [&stop] { return stop.stop_requested(); })) {
          const ProgressReading reading = read_progress(progress_, started);
          terminal ? show_status_line(cut_to_width(reading.text(verb_))) : log_progress(verb_, reading);
        }
        if (terminal) show_status_line("");
      }) {}

}  // namespace pana
