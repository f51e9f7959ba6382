// What the deployment's work cannot know of the place that it runs in, which is a function of AWS Lambda.
#pragma once

#include <functional>
#include <string>

#include "base/time.h"

namespace pana {

struct Host {
  std::string name;       // the metrics' dimension FunctionName
  std::string time_hint;  // what to do when the time was not enough
  // Paragraphs for a person about a run that failed: where its log is, and how to start another.
  std::function<std::string(const std::string& run_id)> next_steps;
};

// One run, as the host hands it over.
struct Run {
  std::string id;      // the same when the host starts it again
  TimePoint deadline;  // when the host ends the process
  std::string event;   // JSON, as whoever asked for the run sent it; not for the log
};

}  // namespace pana
