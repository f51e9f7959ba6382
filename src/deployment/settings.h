// What the deployment says to its runs, in environment variables.
#pragma once

#include <string>
#include <vector>

namespace pana {

// A variable that must be set; throws Error(usage) when it is not.
std::string required_setting(const char* name);

// A number in these bounds, or the default when the variable is not set; throws Error(usage) for anything else.
std::size_t number_setting(const char* name, std::size_t least, std::size_t most, std::size_t by_default);

// PANA_EXCLUDE_SCHEMAS: a JSON array of patterns, as -N takes them. Throws Error(usage) when it is something else.
std::vector<std::string> excluded_schemas();

}  // namespace pana
