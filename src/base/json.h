// JSON values whose members keep the order in which they were added.
#pragma once

#include <nlohmann/json.hpp>

namespace pana {

using Json = nlohmann::ordered_json;

}  // namespace pana
