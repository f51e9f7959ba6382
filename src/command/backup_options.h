// What can be said of a backup, once for every face: the command line's options (and with them its manual pages and
// completions), those of pana check, what a deployment's environment says, and the members of the function's event are
// made of these. Which tables it is of stands in sql/table_filter.h.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "command/backup_request.h"

namespace pana {

struct BackupOption {
  const char* option;     // of the command line: "-j,--jobs"
  const char* member;     // of an event: "jobs"; empty: an event cannot say it
  const char* variable;   // of the environment; empty: none
  const char* type_name;  // of its value; empty: a flag, whose value is "true"
  const char* by_default;
  const char* help;
  const char* help_of_check;  // empty: no option of pana check
  // Throws Error(usage) that says, behind the value and "is", what is wrong with it: "neither auto nor ...".
  void (*apply)(BackupRequest& request, const std::string& value);
};

std::span<const BackupOption> backup_options();

}  // namespace pana
