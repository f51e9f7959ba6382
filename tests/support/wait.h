// Waiting for something that only shows when one looks.
#pragma once

#include <unistd.h>

#include <chrono>

namespace pana::test {

// Looks again and again until the condition holds; says whether it did within the time.
template <typename Condition>
bool becomes_true(Condition&& condition, std::chrono::seconds within = std::chrono::seconds(60)) {
  const auto end = std::chrono::steady_clock::now() + within;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    ::usleep(5'000);
  }
  return true;
}

}  // namespace pana::test
