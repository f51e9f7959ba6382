#include "pg/catalog.h"

#include <gtest/gtest.h>

namespace pana {
namespace {

TEST(CatalogTable, IsReadFromAndLoadedByItsColumns) {
  const CatalogTable table{
      .sql_name = "public.\"Order\"", .sql_columns = {"id", "\"a,b\""}, .sql_load_name = "public.orders"};
  EXPECT_EQ("public.\"Order\" (id, \"a,b\")", table.copy_source());
  EXPECT_EQ("public.orders (id, \"a,b\")", table.copy_target());
}

TEST(CatalogTable, WithoutColumnsHasNoListOfThem) {
  const CatalogTable table{.sql_name = "public.t", .sql_load_name = "public.t"};
  EXPECT_EQ("public.t", table.copy_source());
  EXPECT_EQ("public.t", table.copy_target());
}

}  // namespace
}  // namespace pana
