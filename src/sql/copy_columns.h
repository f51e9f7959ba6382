// Rows of COPY with some of their columns left out.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pana {

// COPY t (a, b, c) FROM stdin; with the columns for which `kept` holds, in their order; the statement as it is when it
// does not name as many columns. Where none is kept, the list is empty, which COPY refuses: such a table has no rows to
// load.
std::string copy_of_columns(std::string_view statement, const std::vector<bool>& kept);

// The fields of a row for which `kept` holds: views into the row, without its newline. Fields that `kept` does not know
// are left out.
std::string row_of_columns(std::string_view row, const std::vector<bool>& kept);

// What a field stands for; nothing for \N, which is NULL.
std::optional<std::string> copy_value(std::string_view field);

// The fields of a row, as they stand there.
std::vector<std::string_view> fields_of(std::string_view row);

}  // namespace pana
