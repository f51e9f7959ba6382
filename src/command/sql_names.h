// The names of an index as SQL.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "format/index.h"
#include "pg/connection.h"
#include "pg/schema_names.h"

namespace pana {

// Runs `action` while the session's client encoding is that of the index's names, then makes it the backup's again. An
// error leaves the session as it is: it can no longer be used for the backup's text.
void with_index_encoding(Connection& connection, const IndexHeader& header, const std::function<void()>& action);

// A table of the index, as such an action gives it.
RelationName sql_relation(const IndexHeader& header, const TableInfo& table);

// A qualified name, quoted, for such an action.
std::string sql_name(Connection& connection, const IndexHeader& header, std::string_view schema, std::string_view name);

}  // namespace pana
