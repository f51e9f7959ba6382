// The log: what pana says while it works, on standard error.
//
// Lines for people ("pana: ..."), or one JSON object a line with "timestamp" (RFC 3339, UTC), "level", "event" and the
// event's own fields. The log is the only global of the program. Safe from several threads.
//
// Nobody waits for long for a reader of standard error that does not read: what it says is kept until there is room,
// and when that is too much, or the program ends first, lost.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"

namespace pana {

enum class LogFormat { text, json };
enum class LogLevel { debug, info, warning, error };

struct LogSettings {
  LogFormat format = LogFormat::json;
  LogLevel least = LogLevel::info;  // what is less is not logged
  bool is_coloured = false;         // the text form, by the escapes of terminals (ECMA-48)
};

void configure_log(const LogSettings& settings);
LogSettings log_settings();

// `event` is a short stable word ("retry", "worker_lost"); `message` is the sentence for a person; `fields` is a JSON
// object whose members are added to the JSON form; a "hint" stands on a line of its own in the text form. None may hold
// a secret.
void log(LogLevel level, std::string_view event, std::string_view message, const Json& fields = Json::object());

// Members of every line of the JSON form from now on: what is being worked for.
void set_log_fields(Json fields);

// Shows `text` as the last line of the terminal that standard error must be, replaced by the next one and kept below
// log lines; empty clears it.
void show_status_line(std::string_view text);

}  // namespace pana
