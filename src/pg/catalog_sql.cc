#include "pg/catalog_sql.h"

#include <fmt/format.h>

namespace pana {

std::string member_of_extension(std::string_view catalog, std::string_view oid) {
  return fmt::format(
      "EXISTS (SELECT FROM pg_catalog.pg_depend AS d WHERE d.classid = 'pg_catalog.{}'::pg_catalog.regclass "
      "AND d.objid = {} AND d.deptype = 'e')",
      catalog, oid);
}

QueryResult query_by_default_path(Connection& connection, const std::string& sql) {
  connection.query("RESET search_path");
  QueryResult result = connection.query(sql);
  connection.query("SET search_path = ''");
  return result;
}

}  // namespace pana
