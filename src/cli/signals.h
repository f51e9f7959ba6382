// SIGINT, SIGTERM and SIGHUP as a stop token: the first one asks the command to stop and clean up after itself.
#pragma once

#include <stop_token>
#include <thread>

namespace pana {

class Signals {
 public:
  // Make it before any other thread: they inherit the blocked signals.
  Signals();

  std::stop_token token() const { return stop_.get_token(); }

 private:
  std::stop_source stop_;
  std::jthread thread_;
};

}  // namespace pana
