#include "command/comparison_report.h"

#include <algorithm>

namespace pana {

bool ComparisonReport::equal() const {
  return sequences.empty() && large_objects.empty() &&
         std::all_of(tables.begin(), tables.end(),
                     [](const TableComparison& table) { return table.state == TableState::equal; });
}

void ComparisonReport::leave_extra_out() {
  const auto is_extra = [](const std::string& line) { return line.starts_with('+'); };
  std::erase_if(tables, [](const TableComparison& table) { return table.state == TableState::extra; });
  std::erase_if(sequences, is_extra);
  std::erase_if(large_objects, is_extra);
}

std::string_view state_name(TableState state) {
  switch (state) {
    case TableState::equal: return "equal";
    case TableState::different: return "different";
    case TableState::missing: return "missing";
    case TableState::extra: return "extra";
  }
  return "";
}

}  // namespace pana
