#include "base/parallel.h"

#include <exception>
#include <thread>

#include "base/error.h"
#include "base/guarded.h"

namespace pana {

void run_parallel(const std::vector<Task>& tasks, const std::stop_token& outer) {
  std::stop_source stop;
  const std::stop_callback forward(outer, [&stop] { stop.request_stop(); });
  Guarded<std::exception_ptr> first_failure;
  {
    std::vector<std::jthread> threads;
    threads.reserve(tasks.size());
    const auto start = [&](const Task& task) {
      threads.emplace_back([&task, &stop, &first_failure] {
        try {
          task(stop.get_token());
        } catch (...) {
          // The first failure is the cause; those that follow it are the others being stopped.
          first_failure.with([](std::exception_ptr& first) {
            if (!first) first = std::current_exception();
          });
          stop.request_stop();
        }
      });
    };
    try {
      for (const Task& task : tasks) start(task);
    } catch (...) {  // no thread to be had: those that run already shall not go on without it
      stop.request_stop();
      throw;
    }
  }
  if (const std::exception_ptr failure = first_failure.with([](std::exception_ptr& first) { return first; })) {
    std::rethrow_exception(failure);
  }
  if (outer.stop_requested()) throw Error(ErrorKind::interrupted, "stopped on request");
}

void run_parallel(std::size_t count, const Task& task, const std::stop_token& outer) {
  run_parallel(std::vector<Task>(count, task), outer);
}

}  // namespace pana
