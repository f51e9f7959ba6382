#include "base/time.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace pana {

std::string rfc3339(TimePoint time) {
  const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(std::chrono::system_clock::to_time_t(time)),
                     milliseconds % 1000);
}

std::string compact_time(TimePoint time) {
  return fmt::format("{:%Y%m%d_%H%M%S}", fmt::gmtime(std::chrono::system_clock::to_time_t(time)));
}

std::optional<TimePoint> parse_compact_time(std::string_view text) {
  const auto number = [text](std::size_t position, std::size_t digits) {
    unsigned value = 0;
    std::from_chars(text.data() + position, text.data() + position + digits, value);
    return value;
  };
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (text.size() != 15 || text[8] != '_' || !std::all_of(text.begin(), text.begin() + 8, is_digit) ||
      !std::all_of(text.begin() + 9, text.end(), is_digit)) {
    return std::nullopt;
  }
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(number(0, 4))),
                                         std::chrono::month(number(4, 2)), std::chrono::day(number(6, 2))};
  const unsigned hour = number(9, 2);
  const unsigned minute = number(11, 2);
  const unsigned second = number(13, 2);
  // A TimePoint counts nanoseconds, and ends in the year 2262.
  if (!date.ok() || date.year() < std::chrono::year(1970) || date.year() > std::chrono::year(2261)) return std::nullopt;
  if (hour > 23 || minute > 59 || second > 59) return std::nullopt;
  return std::chrono::sys_days(date) + std::chrono::hours(hour) + std::chrono::minutes(minute) +
         std::chrono::seconds(second);
}

std::optional<TimePoint> parse_rfc3339(std::string_view text) {
  if (text.size() < 20 || text.back() != 'Z' || text[10] != 'T') return std::nullopt;
  std::string compact(text.substr(0, 19));
  std::erase_if(compact, [](char c) { return c == '-' || c == ':'; });
  if (compact.size() != 15) return std::nullopt;
  compact[8] = '_';
  return parse_compact_time(compact);
}

}  // namespace pana
