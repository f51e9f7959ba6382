// How often something is tried that an Obstacle ended.
#pragma once

#include <chrono>

#include "base/obstacle.h"

namespace pana {

// Whether another attempt is worth it. An attempt may take hours, or a moment: it is given up when there were several
// of them and the first obstacle is `at_least` ago.
class Attempts {
 public:
  explicit Attempts(std::chrono::milliseconds at_least) : at_least_(at_least) {}

  // Throws Error of the obstacle's kind when it is enough; returns the pause before the next attempt: half a second at
  // first, doubling up to sixteen.
  std::chrono::milliseconds note(const Obstacle& obstacle);

  int count() const { return count_; }

 private:
  const std::chrono::milliseconds at_least_;
  int count_ = 0;
  int names_ = 0;
  std::chrono::steady_clock::time_point first_;
};

}  // namespace pana
