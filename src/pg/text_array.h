// PostgreSQL's text form of a one-dimensional text array ("{a,\"b c\"}"), and names as Unicode.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "pg/connection.h"

namespace pana {

// The elements of an array without NULLs, as array_out() writes it (manual: "Array Input and Output Syntax").
std::vector<std::string> parse_text_array(std::string_view text);

// Names in the database's encoding as UTF-8, converted by the server where there is something to convert. A SQL_ASCII
// database's bytes become the code points of the same numbers, because they have no meaning that could be kept.
std::vector<std::string> to_unicode(Connection& connection, std::string_view encoding, std::vector<std::string> names);

// The same, in place.
void make_unicode(Connection& connection, std::string_view encoding, const std::vector<std::string*>& texts);

}  // namespace pana
