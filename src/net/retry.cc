#include "net/retry.h"

#include <algorithm>
#include <random>

namespace pana {
namespace {

constexpr std::chrono::milliseconds kFirstDelay{200};
constexpr std::chrono::milliseconds kLongestDelay{20'000};

}  // namespace

bool RetryBudget::take() {
  if (left_.fetch_sub(kRetryCost) >= kRetryCost) return true;
  left_.fetch_add(kRetryCost);
  return false;
}

void RetryBudget::refund() {
  if (left_.load() < kCapacity) left_.fetch_add(1);
}

bool Retry::may_go_on() {
  if (attempts_ >= attempts_at_most_ || !budget_.take()) return false;
  const auto longest = std::min(kFirstDelay * (1 << (attempts_ - 1)), kLongestDelay);
  thread_local std::minstd_rand random{std::random_device{}()};
  delay_ = std::chrono::milliseconds(std::uniform_int_distribution<std::int64_t>(0, longest.count())(random));
  ++attempts_;
  return true;
}

}  // namespace pana
