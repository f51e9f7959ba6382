// The one place that makes threads.
//
// Runs every task on a thread of its own and returns when all have ended. The first task that throws stops the
// others through their stop token, and its exception is rethrown here: for the caller this is one ordinary call that
// succeeds or throws. A stop of the outer token reaches the tasks as well; when they end because of it, the call
// throws Error(interrupted).
#pragma once

#include <functional>
#include <stop_token>
#include <vector>

namespace pana {

using Task = std::function<void(std::stop_token)>;

void run_parallel(const std::vector<Task>& tasks, const std::stop_token& outer);

// The same task on `count` threads.
void run_parallel(std::size_t count, const Task& task, const std::stop_token& outer);

}  // namespace pana
