#include "base/log.h"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <climits>
#include <functional>
#include <optional>
#include <utility>

#include "base/guarded.h"
#include "base/time.h"
#include "base/unicode.h"

namespace pana {
namespace {

struct Log {
  LogSettings settings;
  std::string status_line;
  Json fields = Json::object();  // of every line
  std::string unwritten;
  bool is_writing = false;  // a thread is at it, and takes what comes meanwhile
  bool is_stalled = false;  // the reader does not read, or has not caught up since
};

Guarded<Log>& the_log() {
  static Guarded<Log> instance;
  return instance;
}

constexpr std::array<std::string_view, 4> kLevelNames = {"debug", "info", "warning", "error"};

// Writes a text that a pipe is sure to take at once when it has room. How much that was; nothing if there was none in
// time.
std::optional<std::size_t> write_some(std::string_view text, int patience_ms) {
  pollfd descriptor{.fd = STDERR_FILENO, .events = POLLOUT, .revents = 0};
  if (::poll(&descriptor, 1, patience_ms) == 0) return std::nullopt;
  const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
  if (written >= 0) return static_cast<std::size_t>(written);
  return errno == EINTR || errno == EAGAIN ? 0 : text.size();  // nowhere left to complain to
}

// Writes what is unwritten, for as long as there is something and somebody reads it. No lock is held for that.
void write_out() {
  constexpr int kPatienceMilliseconds = 500;
  for (bool goes_on = true; goes_on;) {
    const auto [piece, patience_ms] = the_log().with([](const Log& state) {
      return std::pair(state.unwritten.substr(0, PIPE_BUF), state.is_stalled ? 0 : kPatienceMilliseconds);
    });
    const std::optional<std::size_t> written = piece.empty() ? 0 : write_some(piece, patience_ms);
    goes_on = the_log().with([&written](Log& state) {
      state.unwritten.erase(0, written.value_or(0));
      state.is_stalled = !written || (state.is_stalled && !state.unwritten.empty());
      state.is_writing = written && !state.unwritten.empty();
      return state.is_writing;
    });
  }
}

// Writes what `line` makes of the log's state, unless so much is unwritten already that the reader must have gone.
void write(const std::function<std::string(Log&)>& line) {
  constexpr std::size_t kMostUnwritten = 1 << 20;
  const bool is_ours = the_log().with([&](Log& state) {
    if (state.unwritten.size() < kMostUnwritten) state.unwritten += line(state);
    return !std::exchange(state.is_writing, true);
  });
  if (is_ours) write_out();
}

constexpr std::string_view kClearLine = "\r\033[K";

std::string coloured(std::string_view text, std::string_view colour, const Log& state) {
  return state.settings.is_coloured ? fmt::format("\033[{}m{}\033[0m", colour, text) : std::string(text);
}

std::string text_line(const Log& state, LogLevel level, std::string_view message, const Json& fields) {
  std::string line(state.status_line.empty() ? "" : kClearLine);
  line += "pana: ";
  constexpr std::string_view kRed = "1;31";
  constexpr std::string_view kYellow = "1;33";
  constexpr std::string_view kBold = "1";
  if (level >= LogLevel::warning) {
    const std::string_view name = kLevelNames.at(static_cast<std::size_t>(level));
    line += coloured(fmt::format("{}:", name), level == LogLevel::error ? kRed : kYellow, state) + " ";
  }
  line.append(without_controls(message)).append("\n");
  if (fields.contains("hint"))
    line.append(coloured("HINT:", kBold, state))
        .append(" ")
        .append(without_controls(fields["hint"].get<std::string>()))
        .append("\n");
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

void configure_log(const LogSettings& settings) {
  the_log().with([&](Log& state) { state.settings = settings; });
}

LogSettings log_settings() {
  return the_log().with([](const Log& state) { return state.settings; });
}

void set_log_fields(Json fields) {
  the_log().with([&](Log& state) { state.fields = std::move(fields); });
}

void log(LogLevel level, std::string_view event, std::string_view message, const Json& fields) {
  if (level < log_settings().least) return;
  write([&](const Log& state) {
    return state.settings.format == LogFormat::text ? text_line(state, level, message, fields)
                                                    : json_line(state, level, event, message, fields);
  });
}

void show_status_line(std::string_view text) {
  write([text](Log& state) {
    if (text.empty() && state.status_line.empty()) return std::string();
    state.status_line = without_controls(text);
    return std::string(kClearLine).append(state.status_line);
  });
}

}  // namespace pana
