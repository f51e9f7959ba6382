#include "base/attempts.h"

#include <fmt/format.h>

#include <algorithm>

namespace pana {

std::chrono::milliseconds Attempts::note(const Obstacle& obstacle) {
  constexpr int kAttempts = 5;
  constexpr int kNames = 3;  // a name holds for a second only
  const auto now = std::chrono::steady_clock::now();
  if (count_++ == 0) first_ = now;
  const bool is_name = obstacle.cause() == Obstacle::Cause::name_taken;
  names_ += is_name ? 1 : 0;
  if (names_ >= kNames || (!is_name && count_ >= kAttempts && now - first_ >= at_least_)) {
    throw Error(obstacle.kind(), fmt::format("gave up after {} attempts: {}", count_, obstacle.what()),
                obstacle.hint());
  }
  return std::chrono::milliseconds(500 << std::min(count_ - 1, 5));
}

}  // namespace pana
