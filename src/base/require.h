// What only a mistake in pana itself can break, checked in every build: a wrong backup is worse than none.
#pragma once

#include <string>

#include "base/error.h"

namespace pana {

// Throws Error(failed) unless the condition holds. `what` says what must hold: "a phase never comes back".
inline void require(bool condition, const char* what) {
  if (condition) return;
  throw Error(ErrorKind::failed, std::string("pana has a fault of its own: ") + what + " (and here it is not so)",
              "please report it, with what the log says before");
}

}  // namespace pana
