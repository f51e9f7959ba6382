// A limit on how much several threads together do in a second.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <stop_token>

#include "base/guarded.h"
#include "base/sleep.h"

namespace pana {

// Safe from several threads.
class RateLimit {
 public:
  // 0: no limit.
  explicit RateLimit(std::uint64_t per_second) : per_second_(per_second) {}

  // Waits until so much may have been done; a stop request ends the wait. What was not used is not saved up.
  void take(std::uint64_t amount, const std::stop_token& stop) {
    if (per_second_ == 0) return;
    const auto cost = std::chrono::duration_cast<Clock::duration>(
        std::chrono::duration<double>(static_cast<double>(amount) / static_cast<double>(per_second_)));
    const Clock::time_point until = free_at_.with([cost](Clock::time_point& free_at) {
      free_at = std::max(free_at, Clock::now()) + cost;
      return free_at;
    });
    const auto wait = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now());
    if (wait.count() > 0) sleep_for(wait, stop);
  }

 private:
  using Clock = std::chrono::steady_clock;

  const std::uint64_t per_second_;
  Guarded<Clock::time_point> free_at_;
};

}  // namespace pana
