// What the deployment says to its runs, in environment variables.
#pragma once

#include <string>
#include <vector>

namespace pana {

// A variable that must be set; throws Error(usage) when it is not.
std::string required_setting(const char* name);

// PANA_EXCLUDE_SCHEMAS: a JSON array of patterns, as -N takes them. Throws Error(usage) when it is something else.
std::vector<std::string> excluded_schemas();

}  // namespace pana
