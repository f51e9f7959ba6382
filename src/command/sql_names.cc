#include "command/sql_names.h"

#include <fmt/format.h>

#include "base/unicode.h"

namespace pana {

void with_index_encoding(Connection& connection, const IndexHeader& header, const std::function<void()>& action) {
  connection.query(header.encoding == "SQL_ASCII" ? "SET client_encoding = SQL_ASCII" : "SET client_encoding = UTF8");
  action();
  connection.query(fmt::format("SET client_encoding = '{}'", header.encoding));
}

RelationName sql_relation(const IndexHeader& header, const TableInfo& table) {
  if (header.encoding != "SQL_ASCII") return {.schema = table.schema, .name = table.name};
  return {.schema = code_points_as_bytes(table.schema), .name = code_points_as_bytes(table.name)};
}

std::string sql_name(Connection& connection, const IndexHeader& header, std::string_view schema, std::string_view name) {
  const auto quoted = [&](std::string_view text) {
    return connection.quote_identifier(header.encoding == "SQL_ASCII" ? code_points_as_bytes(text) : std::string(text));
  };
  return quoted(schema) + "." + quoted(name);
}

}  // namespace pana
