#include "base/log.h"

#include <unistd.h>

#include <array>
#include <cstdio>

#include "base/guarded.h"
#include "base/time.h"
#include "base/unicode.h"

namespace pana {
namespace {

struct Log {
  LogFormat format = LogFormat::json;
  LogLevel least = LogLevel::info;
  std::string status_line;
  Json fields = Json::object();  // of every line
};

Guarded<Log>& the_log() {
  static Guarded<Log> instance;
  return instance;
}

constexpr std::array<std::string_view, 4> kLevelNames = {"debug", "info", "warning", "error"};

void write_all(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
    if (written <= 0) return;  // nowhere left to complain to
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

constexpr std::string_view kClearLine = "\r\033[K";

std::string text_line(const Log& state, LogLevel level, std::string_view message, const Json& fields) {
  std::string line(state.status_line.empty() ? "" : kClearLine);
  line += "pana: ";
  if (level >= LogLevel::warning) line.append(kLevelNames.at(static_cast<std::size_t>(level))).append(": ");
  line.append(without_controls(message)).append("\n");
  if (fields.contains("hint")) line.append("HINT: ").append(without_controls(fields["hint"].get<std::string>())).append("\n");
  return line + state.status_line;
}

std::string json_line(const Log& state, LogLevel level, std::string_view event, std::string_view message,
                      const Json& fields) {
  Json line = {{"timestamp", rfc3339(std::chrono::system_clock::now())},
                                 {"level", kLevelNames.at(static_cast<std::size_t>(level))},
                                 {"event", event},
                                 {"message", message}};
  line.update(state.fields);
  line.update(fields);
  // Names from a database need not be UTF-8; a log line must not fail for it.
  return line.dump(-1, ' ', true, Json::error_handler_t::replace) + "\n";
}

}  // namespace

void configure_log(LogFormat format, LogLevel least) {
  the_log().with([&](Log& state) {
    state.format = format;
    state.least = least;
  });
}

LogFormat log_format() {
  return the_log().with([](Log& state) { return state.format; });
}

void set_log_fields(Json fields) {
  the_log().with([&](Log& state) { state.fields = std::move(fields); });
}

void log(LogLevel level, std::string_view event, std::string_view message, const Json& fields) {
  the_log().with([&](Log& state) {
    if (level < state.least) return;
    write_all(state.format == LogFormat::text ? text_line(state, level, message, fields)
                                              : json_line(state, level, event, message, fields));
  });
}

void show_status_line(std::string_view text) {
  the_log().with([&](Log& state) {
    if (text.empty() && state.status_line.empty()) return;
    state.status_line = without_controls(text);
    write_all(std::string(kClearLine).append(state.status_line));
  });
}

}  // namespace pana
