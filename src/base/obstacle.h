// What others do that stands in the way of a whole attempt: thrown where it is known what it is, never guessed further
// out.
//
// On its way out the attempt undoes all that it did, so that another one may begin; whether it does is for whoever made
// the attempt to decide. Every other Error stays: trying again would give the same.
#pragma once

#include <string>

#include "base/error.h"

namespace pana {

class Obstacle : public Error {
 public:
  enum class Cause {
    lock,            // somebody holds, or waits for, a lock that excludes ours
    schema_changed,  // what was listed has been changed, renamed or dropped since
    name_taken       // another object has the name; nothing was overwritten
  };

  Obstacle(Cause cause, ErrorKind kind, const std::string& message, std::string hint)
      : Error(kind, message, std::move(hint)), cause_(cause) {}

  Cause cause() const { return cause_; }

 private:
  Cause cause_;
};

}  // namespace pana
