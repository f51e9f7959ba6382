// Work that must end before the host ends the process: nothing of ours runs after that.
#pragma once

#include <chrono>
#include <functional>
#include <stop_token>

#include "base/error.h"
#include "base/parallel.h"
#include "base/time.h"

namespace pana {

// What is kept of the time for taking back what was begun, and for saying so.
constexpr std::chrono::seconds kTimeToClose{30};

struct Watch {
  TimePoint deadline;
  std::function<void()> report;     // now and then, while the work goes on
  std::function<Error()> too_late;  // what is thrown when the time is over
};

// Runs `work` on a thread of its own. It is stopped kTimeToClose before the deadline; when it has ended, the error that
// was made then is thrown. Work that ended well in the last moment has ended well.
void run_watched(const Watch& watch, const Task& work, const std::stop_token& stop);

}  // namespace pana
