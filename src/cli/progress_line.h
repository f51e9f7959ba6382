// Shows a command's progress while it runs: one changing line on a terminal, a JSON line now and then elsewhere.
#pragma once

#include <string>
#include <thread>

#include "base/progress.h"

namespace pana {

class ProgressLine {
 public:
  // `verb` says what is done: "backing up". Shows until destroyed.
  ProgressLine(std::string verb, Progress& progress);

 private:
  std::string verb_;
  Progress& progress_;
  std::jthread thread_;  // last: it uses the others
};

}  // namespace pana
