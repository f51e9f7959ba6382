#include "deployment/deadline.h"

#include <algorithm>

#include "base/countdown.h"

namespace pana {
namespace {

constexpr std::chrono::milliseconds kReportPeriod{30'000};

}  // namespace

void run_watched(const Watch& watch, const Task& work, const std::stop_token& stop) {
  Countdown working(1);
  const Task guard = [&](const std::stop_token& stopped) {
    while (true) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(watch.deadline - kTimeToClose -
                                                                              std::chrono::system_clock::now());
      if (working.wait_for(stopped, std::min(left, kReportPeriod)) || stopped.stop_requested()) return;
      if (left <= kReportPeriod) throw watch.too_late();
      watch.report();
    }
  };
  bool ended_well = false;
  const Task watched = [&](const std::stop_token& stopped) {
    work(stopped);
    ended_well = true;
    working.count_down();
  };
  try {
    run_parallel({guard, watched}, stop);
  } catch (const Error&) {
    if (!ended_well) throw;
  }
}

}  // namespace pana
