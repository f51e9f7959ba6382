// Percent-encoding and queries in the one form that S3's signatures know (RFC 3986, upper-case hex).
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pana {

// All bytes but letters, digits, and -._~ are encoded.
std::string percent_encode(std::string_view text);
// The same, but slashes stay: for a path, which S3 neither normalises nor encodes twice.
std::string percent_encode_path(std::string_view path);
std::string percent_decode(std::string_view text);

using Query = std::vector<std::pair<std::string, std::string>>;

// "a=1&b=" in the order of the names, each with its equals sign; empty without parameters.
std::string query_string(Query query);

}  // namespace pana
