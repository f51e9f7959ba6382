// Figures for people.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace pana {

std::string human_bytes(std::uint64_t bytes);  // "1.5 MiB"
std::string human_seconds(double seconds);     // "2.4 s", "3 min 05 s", "1 h 02 min"
std::string human_count(std::uint64_t count);  // "1,234,567"

}  // namespace pana
