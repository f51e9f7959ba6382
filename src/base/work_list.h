// A fixed list of tasks that several threads take from the front.
//
// The whole list is known before the first worker starts, so there is no producer, no capacity and nothing to wait
// for: next() never blocks. The list must outlive its users and not change.
#pragma once

#include <atomic>
#include <span>

namespace pana {

template <typename T>
class WorkList {
 public:
  explicit WorkList(std::span<T> tasks) : tasks_(tasks) {}

  // The next task nobody has taken, or nullptr when all are taken. Safe from several threads.
  T* next() {
    const std::size_t position = next_.fetch_add(1, std::memory_order_relaxed);
    return position < tasks_.size() ? &tasks_[position] : nullptr;
  }

 private:
  std::span<T> tasks_;
  std::atomic<std::size_t> next_{0};
};

}  // namespace pana
