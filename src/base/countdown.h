// A number of workers that are still at work, and a way to wait until none is.
#pragma once

#include <chrono>
#include <condition_variable>
#include <stop_token>

#include "base/mutex.h"

namespace pana {

class Countdown {
 public:
  explicit Countdown(std::size_t count) : count_(count) {}

  void count_down() {
    const MutexLock lock(mutex_);
    --count_;
    changed_.notify_all();
  }

  // Waits at most that long; true when the count is zero. Throws nothing when stopped: the caller looks at its token.
  bool wait_for(const std::stop_token& stop, std::chrono::milliseconds time) {
    MutexLock lock(mutex_);
    return changed_.wait_for(lock, stop, time, [this] {
      mutex_.assert_held();
      return count_ == 0;
    });
  }

 private:
  Mutex mutex_;
  std::condition_variable_any changed_;
  std::size_t count_ PANA_GUARDED_BY(mutex_);
};

}  // namespace pana
