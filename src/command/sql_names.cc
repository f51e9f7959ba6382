#include "command/sql_names.h"

#include <fmt/format.h>

#include "base/text.h"
#include "base/unicode.h"
#include "pg/text_array.h"

namespace pana {

void with_index_encoding(Connection& connection, const IndexHeader& header, const std::function<void()>& action) {
  connection.query(header.encoding == "SQL_ASCII" ? "SET client_encoding = SQL_ASCII" : "SET client_encoding = UTF8");
  action();
  connection.query(fmt::format("SET client_encoding = '{}'", header.encoding));
}

std::string sql_text(const IndexHeader& header, std::string_view text) {
  return header.encoding == "SQL_ASCII" ? code_points_as_bytes(text) : std::string(text);
}

RelationName sql_relation(const IndexHeader& header, const TableInfo& table) {
  return {.schema = sql_text(header, table.schema), .name = sql_text(header, table.name)};
}

std::string ScriptNames::unicode(const std::string& name) const {
  if (is_ascii(name)) return name;
  const auto [known, is_new] = converted_.try_emplace(name);
  if (is_new) known->second = to_unicode(connection_, encoding_, {name}).front();
  return known->second;
}

std::string ScriptNames::in_script(const std::string& unicode) const {
  if (is_ascii(unicode) || encoding_ == "UTF8") return unicode;
  if (encoding_ == "SQL_ASCII") return code_points_as_bytes(unicode);
  return connection_
      .query(fmt::format("SELECT pg_catalog.convert_from(pg_catalog.decode('{}', 'hex'), 'UTF8')", hex(unicode)))
      .string(0, 0);
}

std::string sql_name(Connection& connection, const RelationName& name) {
  return connection.quote_identifier(name.schema) + "." + connection.quote_identifier(name.name);
}

std::string sql_name(Connection& connection, const IndexHeader& header, std::string_view schema,
                     std::string_view name) {
  return sql_name(connection, {.schema = sql_text(header, schema), .name = sql_text(header, name)});
}

std::string sql_name_of_load(Connection& connection, const IndexHeader& header, const TableInfo& table) {
  return table.loaded_into.empty() ? sql_name(connection, header, table.schema, table.name)
                                   : sql_text(header, table.loaded_into);
}

}  // namespace pana
