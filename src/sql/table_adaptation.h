// A table for a server that lacks some of what its definition names: the types and functions of an extension.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pana {

// The columns and constraints of a CREATE TABLE, as they are written: views into it.
std::vector<std::string_view> elements_of_table(std::string_view create_table);

struct TableAdaptation {
  std::string sql;
  std::string what;  // "column embedding is text in place of extensions.vector(3)"
};

// CREATE TABLE as pg_dump writes it, without the name at this byte, which the server does not know: a type becomes
// text, as that of a column or of a constant; a default, the expression of a generated column or a CHECK that calls the
// unknown is left out. COPY writes and reads the text of any type. Nothing where the byte is in none of these.
std::optional<TableAdaptation> without_unknown(std::string_view create_table, std::size_t byte);

}  // namespace pana
