// A sleep that a stop request ends.
#pragma once

#include <chrono>
#include <condition_variable>
#include <stop_token>

#include "base/mutex.h"

namespace pana {

inline void sleep_for(std::chrono::milliseconds time, const std::stop_token& stop) {
  Mutex mutex;
  std::condition_variable_any never;
  MutexLock lock(mutex);
  never.wait_for(lock, stop, time, [] { return false; });
}

}  // namespace pana
