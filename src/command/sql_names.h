// The names of an index as SQL.
#pragma once

#include <string>
#include <string_view>

#include "format/index.h"
#include "pg/connection.h"

namespace pana {

// Makes the session's client encoding that of the index's names.
void use_index_encoding(Connection& connection, const IndexHeader& header);

// A qualified name, quoted, for a session prepared so.
std::string sql_name(Connection& connection, const IndexHeader& header, std::string_view schema, std::string_view name);

}  // namespace pana
