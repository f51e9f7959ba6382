// How the result of a comparison is shown.
#pragma once

#include <string>

#include "cli/commands.h"
#include "command/compare.h"

namespace pana {

Json comparison_json(const ComparisonReport& report, const std::string& backup);

// The differences as a table, or one line that says how much is equal.
void print_comparison(const ComparisonReport& report, const std::string& backup);

}  // namespace pana
