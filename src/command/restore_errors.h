// What goes wrong in a restore: thrown at once, or collected when it is told to keep going.
#pragma once

#include <fmt/format.h>

#include <string>
#include <vector>

#include "base/error.h"
#include "base/guarded.h"
#include "base/log.h"
#include "pg/connection.h"

namespace pana {

// An error of the server whose subject has been put in front.
class RestoreError : public DatabaseError {
  using DatabaseError::DatabaseError;
};

class RestoreErrors {
 public:
  explicit RestoreErrors(bool keep_going) : keep_going_(keep_going) {}

  bool keep_going() const { return keep_going_; }

  // Runs `action`; an error of the server gets its subject ("TABLE public.orders") put in front. Returns whether it
  // went well. A broken connection is never collected: nothing more would work.
  template <typename Action>
  bool attempt(const std::string& subject, const Connection& connection, Action&& action) {
    try {
      action();
      return true;
    } catch (const RestoreError&) {
      throw;
    } catch (const DatabaseError& error) {
      const std::string message = fmt::format("cannot restore {}: {}", subject, error.what());
      if (!keep_going_ || !connection.is_alive()) {
        throw RestoreError(message, error.sqlstate(), hint_for(error));
      }
      log(LogLevel::warning, "restore_error", message);
      errors_.with([&message](std::vector<std::string>& errors) { errors.push_back(message); });
      return false;
    }
  }

  static std::string hint_for(const DatabaseError& error) {
    constexpr std::string_view kForeignKeyViolation = "23503";
    if (error.sqlstate() == kForeignKeyViolation) {
      return "rows are loaded in no particular order: restore the definitions, too, or say --disable-triggers";
    }
    return error.hint().empty() ? "--keep-going restores what can be restored" : error.hint();
  }

  std::vector<std::string> all() {
    return errors_.with([](const std::vector<std::string>& errors) { return errors; });
  }

 private:
  const bool keep_going_;
  Guarded<std::vector<std::string>> errors_;
};

}  // namespace pana
