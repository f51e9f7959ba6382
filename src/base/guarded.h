// A value that can only be reached while its mutex is held.
//
// Hold the lock for a move or a copy, never for I/O.
#pragma once

#include <mutex>
#include <utility>

namespace pana {

template <typename T>
class Guarded {
 public:
  Guarded() = default;
  explicit Guarded(T value) : value_(std::move(value)) {}

  // Calls use(value) under the lock and returns what it returns.
  template <typename Use>
  auto with(Use&& use) {
    const std::lock_guard lock(mutex_);
    return std::forward<Use>(use)(value_);
  }

 private:
  std::mutex mutex_;
  T value_{};
};

}  // namespace pana
