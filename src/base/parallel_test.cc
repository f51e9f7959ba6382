#include "base/parallel.h"

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>

#include "base/error.h"
#include "base/work_list.h"

namespace pana {
namespace {

// Waits until it is told to stop, as a worker does that has nothing to read.
void wait_for_stop(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any changed;
  std::unique_lock lock(mutex);
  changed.wait(lock, stop, [] { return false; });
}

TEST(RunParallel, RethrowsTheFirstFailureAndStopsTheOthers) {
  const std::vector<Task> tasks = {[](const std::stop_token&) { throw Error(ErrorKind::failed, "first"); },
                                   [](const std::stop_token& stop) {
                                     wait_for_stop(stop);
                                     throw Error(ErrorKind::interrupted, "stopped");
                                   }};
  try {
    run_parallel(tasks, {});
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "first");
  }
}

TEST(RunParallel, PassesAStopOnAndSaysSo) {
  std::stop_source stop;
  const std::vector<Task> tasks = {wait_for_stop, [&stop](const std::stop_token&) { stop.request_stop(); }};
  EXPECT_THROW(run_parallel(tasks, stop.get_token()), Error);
}

TEST(WorkList, GivesEveryTaskToExactlyOneTaker) {
  std::vector<std::atomic<int>> taken(1000);
  WorkList<std::atomic<int>> list(taken);
  run_parallel(4,
               [&list](const std::stop_token&) {
                 while (std::atomic<int>* const task = list.next()) ++*task;
               },
               {});
  for (const std::atomic<int>& count : taken) EXPECT_EQ(count, 1);
}

}  // namespace
}  // namespace pana
