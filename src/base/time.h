// Points in time as text, always UTC.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace pana {

using TimePoint = std::chrono::system_clock::time_point;

// "2026-01-31T23:59:59.123Z" (RFC 3339).
std::string rfc3339(TimePoint time);

// "20260131_235959", the time in the name of a backup.
std::string compact_time(TimePoint time);

// The inverse of compact_time; nothing when the text is not exactly of that form.
std::optional<TimePoint> parse_compact_time(std::string_view text);

// "2026-01-31T23:59:59Z", with or without a fraction, which is dropped; nothing for any other form.
std::optional<TimePoint> parse_rfc3339(std::string_view text);

}  // namespace pana
