// How the result of a comparison is shown.
#pragma once

#include <string>
#include <string_view>

#include "cli/commands.h"
#include "command/compare.h"

namespace pana {

Json comparison_json(const ComparisonReport& report, const std::string& backup);

// The differences as a table, or one line that says how much of `what`, such as "the database", is equal.
void print_comparison(const ComparisonReport& report, const std::string& backup, std::string_view what);

}  // namespace pana
