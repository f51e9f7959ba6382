#include "format/frame.h"

#include <algorithm>
#include <array>

namespace pana {
namespace {

constexpr std::array<std::string_view, 7> kPhaseNames = {"preamble",  "clean",     "pre-data", "rows",
                                                         "sequences", "post-data", "postamble"};

}  // namespace

std::string_view phase_name(Phase phase) { return kPhaseNames.at(static_cast<std::size_t>(phase)); }

std::optional<Phase> parse_phase(std::string_view name) {
  const auto* const found = std::find(kPhaseNames.begin(), kPhaseNames.end(), name);
  if (found == kPhaseNames.end()) return std::nullopt;
  return static_cast<Phase>(found - kPhaseNames.begin());
}

void merge(TableDigests& into, const TableDigests& from) {
  for (const auto& [table, digest] : from) into[table].merge(digest);
}

}  // namespace pana
