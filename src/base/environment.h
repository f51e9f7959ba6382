// The variables of this process's environment.
#pragma once

#include <cstdlib>
#include <string>

namespace pana {

// A variable's value, empty when it is not set.
inline std::string environment_value(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

}  // namespace pana
