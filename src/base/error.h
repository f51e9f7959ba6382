// The one exception type of pana: what went wrong, what to do about it, and the exit status it leads to.
//
// Messages are one lower-case sentence without a full stop. The hint says what a person can do; it is printed on a
// line of its own after "HINT:". Neither may hold a password: whoever builds a message redacts it.
#pragma once

#include <stdexcept>
#include <string>

namespace pana {

// The kind of a failure is the exit status of the program (documented in the README).
enum class ErrorKind {
  failed = 1,       // the database, the network or the store did not do what was asked
  usage = 2,        // the command line makes no sense
  damaged = 3,      // a backup is unreadable: truncated, altered or not a backup
  different = 4,    // a backup and a database do not hold the same content
  refused = 5,      // a precondition is not met; nothing was changed
  interrupted = 6,  // stopped by a signal or a deadline
  partial = 7       // done, but without something that was left out because it could not be had
};

class Error : public std::runtime_error {
 public:
  explicit Error(ErrorKind kind, const std::string& message, std::string hint = {})
      : std::runtime_error(message), kind_(kind), hint_(std::move(hint)) {}

  ErrorKind kind() const { return kind_; }
  const std::string& hint() const { return hint_; }
  int exit_status() const { return static_cast<int>(kind_); }

 private:
  ErrorKind kind_;
  std::string hint_;
};

// The exception being handled, as an Error: for the outermost catch (...).
Error current_error();

}  // namespace pana
