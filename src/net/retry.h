// When a request is tried again: exponential back-off with full jitter, and a budget that all requests share.
//
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html (its standard mode; the budget's figures,
// too): a service that fails everything is not asked ten times as much.
#pragma once

#include <atomic>
#include <chrono>
#include <stop_token>

namespace pana {

// Shared by all requests to one service. Safe from several threads.
class RetryBudget {
 public:
  bool take();    // for one retry; false when there is none left
  void refund();  // for a request that succeeded

 private:
  static constexpr int kCapacity = 500;
  static constexpr int kRetryCost = 5;
  std::atomic<int> left_ = kCapacity;
};

// The attempts of one request.
class Retry {
 public:
  static constexpr int kAttempts = 10;

  explicit Retry(RetryBudget& budget, int attempts_at_most = kAttempts)
      : budget_(budget), attempts_at_most_(attempts_at_most) {}

  // Whether another attempt may follow the one that failed, and how long to wait before it.
  bool may_go_on();
  std::chrono::milliseconds delay() const { return delay_; }
  int attempts() const { return attempts_; }

 private:
  RetryBudget& budget_;
  const int attempts_at_most_;
  int attempts_ = 1;
  std::chrono::milliseconds delay_{0};
};

}  // namespace pana
