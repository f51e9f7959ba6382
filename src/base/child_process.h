// A child process with its output and its error stream read through pipes.
//
// The child gets an empty input and a process group of its own, dies with the thread that made it, and is killed and
// reaped by the destructor.
#pragma once

#include <sys/types.h>

#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/file_descriptor.h"

namespace pana {

class ChildProcess {
 public:
  // Starts the program argv[0] (a path) with exactly the environment given: secrets go there, never into argv.
  ChildProcess(const std::vector<std::string>& argv,
               const std::vector<std::pair<std::string, std::string>>& environment);
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;
  ~ChildProcess();

  // What is done with what comes from the child; only the first two must be there.
  struct Talk {
    std::function<void(std::string_view)> standard_output;
    std::function<void(std::string_view)> standard_error;
    std::function<int()> descriptor;  // of another way by which the child asks for things, -1 for none
    std::function<void()> ready;      // it can be read
    std::function<void()>
        meanwhile;  // called now and then, ten times a second at least unless one of these takes longer
  };

  // Hands over everything the child prints until it has closed both streams and ended; returns its wait status.
  // Throws Error(interrupted) when stopped.
  int run(const Talk& talk, const std::stop_token& stop);

 private:
  pid_t id_ = -1;
  FileDescriptor output_;
  FileDescriptor error_;
};

// "exit status 1" or "signal 9 (Killed)".
std::string describe_wait_status(int status);

}  // namespace pana
