// What goes wrong in a restore: thrown at once, or collected when it is told to keep going.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/guarded.h"
#include "base/log.h"
#include "pg/connection.h"

namespace pana {

constexpr std::string_view kInsufficientPrivilege = "42501";
constexpr std::string_view kForeignKeyViolation = "23503";

// Whether the target lacks what a definition names: undefined_object, undefined_function, undefined_table,
// undefined_column, invalid_schema_name; invalid_parameter_value, which default_table_access_method is refused with.
inline bool is_of_something_missing(const DatabaseError& error) {
  constexpr std::array kMissing = {"42704", "42883", "42P01", "42703", "3F000", "22023"};
  return std::ranges::find(kMissing, error.sqlstate()) != kMissing.end();
}

// An error of the server whose subject has been put in front.
class RestoreError : public DatabaseError {
  using DatabaseError::DatabaseError;
};

class RestoreErrors {
 public:
  // `way_on`: options with which another restore would go on where this one fails; empty where there are none that cost
  // nothing. `has_keys`: the foreign keys are there before the rows. `leaves_out`: what names something that the target
  // lacks, an extension's, is left out and no error.
  RestoreErrors(bool keep_going, std::string way_on, bool has_keys, bool leaves_out)
      : keep_going_(keep_going), way_on_(std::move(way_on)), has_keys_(has_keys), leaves_out_(leaves_out) {}

  bool keep_going() const { return keep_going_; }

  // Whether a definition that is refused with it stops nothing.
  bool collects(const DatabaseError& error) const {
    return keep_going_ || (leaves_out_ && is_of_something_missing(error));
  }

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
      if (!connection.is_alive()) throw_with(subject, error);
      take(subject, error);
      return false;
    }
  }

  // Throws the error with its subject, or collects it.
  void take(const std::string& subject, const DatabaseError& error) {
    if (!keep_going_) throw_with(subject, error);
    collect(fmt::format("cannot restore {}: {}", subject, error.what()));
  }

  // The same for a definition, which may be one that is left out.
  void take_definition(const std::string& subject, const DatabaseError& error) {
    if (leaves_out_ && is_of_something_missing(error)) return leave_out(subject, error.what());
    take(subject, error);
  }

  // What belongs to something that was refused, and so cannot be had either.
  void take_consequence(const std::string& subject, const std::string& why) {
    if (leaves_out_ && !keep_going_) return leave_out(subject, why);
    take(subject, DatabaseError(why, ""));
  }

  // What the backup has lost, when it is told to keep going.
  void take_damage(const std::string& what) { collect(what); }

  // A right that the server only warned of.
  void take_right(std::string what) {
    log(LogLevel::warning, "rights", what,
        {{"hint", "only the owner, or a role that has the privilege WITH GRANT OPTION, can grant and revoke it"}});
    rights_.with([&what](std::vector<std::string>& rights) { rights.push_back(std::move(what)); });
  }

  std::vector<std::string> all() {
    return errors_.with([](const std::vector<std::string>& errors) { return errors; });
  }
  std::vector<std::string> left_out() {
    return left_out_.with([](const std::vector<std::string>& left_out) { return left_out; });
  }
  std::vector<std::string> rights() {
    return rights_.with([](const std::vector<std::string>& rights) { return rights; });
  }

 private:
  [[noreturn]] void throw_with(const std::string& subject, const DatabaseError& error) {
    constexpr std::string_view kOfExtension =
        "--exclude-extension NAME leaves out an extension, with the rows of its own tables";
    throw RestoreError(fmt::format("cannot restore {}: {}", subject, error.what()), error.sqlstate(),
                       subject.starts_with("EXTENSION ") ? std::string(kOfExtension) : hint_for(error));
  }

  std::string hint_for(const DatabaseError& error) const {
    constexpr std::string_view kDiskFull = "53100";
    if (error.sqlstate() == kForeignKeyViolation) {
      constexpr std::string_view kWhy =
          "rows refer to rows that neither the target nor the restored parts have: it was so in the source, or "
          "you did not choose all tables";
      return fmt::format("{}{}{}", kWhy,
                         has_keys_ ? "; --disable-triggers loads them without checking foreign keys" : "",
                         way_on_.empty() ? "" : fmt::format("; {} restores the rest", way_on_));
    }
    if (is_of_an_empty_search_path(error)) {
      return "a restore runs with an empty search_path, as psql does with this file, and something relies on "
             "search_path: "
             "give --search-path for "
             "this restore, or use ALTER FUNCTION ... SET search_path in the source for good";
    }
    if (error.sqlstate() == kDiskFull) return "the target's server needs more space";
    if (!error.hint().empty()) return error.hint();
    return way_on_.empty() ? "the target may hold a part of the backup now, beside what was there: look at both before "
                             "you restore again"
                           : fmt::format("{} restores what can be restored", way_on_);
  }

  // undefined_function, undefined_table, undefined_object of a name without a schema: pg_dump writes all names with
  // theirs.
  static bool is_of_an_empty_search_path(const DatabaseError& error) {
    const std::string& state = error.sqlstate();
    if (state != "42883" && state != "42P01" && state != "42704") return false;
    const std::string_view message = error.what();
    const std::string_view subject = message.substr(0, message.find('(', message.find(' ')));
    const bool is_of_a_kind =
        message.starts_with("function ") || message.starts_with("relation ") || message.starts_with("type ");
    return is_of_a_kind && subject.substr(0, subject.find(" does not exist")).find('.') == std::string_view::npos;
  }

  void leave_out(const std::string& subject, const std::string& why) {
    std::string message = fmt::format("{} is left out: {}", subject, why);
    log(LogLevel::warning, "left_out", message);
    left_out_.with([&message](std::vector<std::string>& all) { all.push_back(std::move(message)); });
  }

  void collect(const std::string& message) {
    log(LogLevel::warning, "restore_error", message);
    errors_.with([&message](std::vector<std::string>& errors) { errors.push_back(message); });
  }

  const bool keep_going_;
  const std::string way_on_;
  const bool has_keys_;
  const bool leaves_out_;
  Guarded<std::vector<std::string>> errors_;
  Guarded<std::vector<std::string>> left_out_;
  Guarded<std::vector<std::string>> rights_;
};

}  // namespace pana
