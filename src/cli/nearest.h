// What somebody may have meant: the word out of some that a mistyped one is nearest to.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pana {

// Nothing when none is near: when more than a third of its letters would have to change.
std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& known);

}  // namespace pana
