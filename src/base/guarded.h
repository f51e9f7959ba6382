// A value that can only be reached while its mutex is held.
//
// Hold the lock for a move or a copy, never for I/O.
#pragma once

#include <utility>

#include "base/mutex.h"

namespace pana {

template <typename T>
class Guarded {
 public:
  Guarded() = default;
  explicit Guarded(T value) : value_(std::move(value)) {}

  // Calls use(value) under the lock and returns what it returns.
  template <typename Use>
  auto with(Use&& use) {
    const MutexLock lock(mutex_);
    return std::forward<Use>(use)(value_);
  }

 private:
  Mutex mutex_;
  T value_ PANA_GUARDED_BY(mutex_){};
};

}  // namespace pana
