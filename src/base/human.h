// Figures for people.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pana {

std::string human_bytes(std::uint64_t bytes);  // "1.5 MiB"
std::string human_seconds(double seconds);     // "2.4 s", "3 min 05 s", "1 h 02 min"
std::string human_count(std::uint64_t count);  // "1,234,567"

// "20MiB", "20M", "20 mb" and "20971520" are the same; nothing for what is no such size.
std::optional<std::uint64_t> parse_bytes(std::string_view text);

// "1 row", "1,234 rows".
std::string counted(std::uint64_t count, std::string_view noun);

}  // namespace pana
