#include "pg/rights.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pana {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::EndsWith;
using testing::IsEmpty;
using testing::StartsWith;

CatalogName named(const std::string& name, const std::string& sql_name) {
  return {.schema = "public", .name = name, .sql_name = sql_name};
}

Unreadable some() {
  return {.schemas = {{.schema = "vault", .name = {}, .sql_name = "vault"}},
          .tables = {named("closed", "public.closed")},
          .hidden = {named("Guarded \"it\"", "public.\"Guarded \"\"it\"\"\"")},
          .sequences = {named("counter", "public.counter")},
          .large_objects = {42}};
}

TEST(Unreadable, NamesEachThingWithItsKind) {
  EXPECT_THAT(some().names(), ElementsAre("table public.closed", "rows of table public.\"Guarded \"\"it\"\"\"",
                                          "value of sequence public.counter", "large object 42"));
}

TEST(Unreadable, ListsTheFirstOfManyLargeObjects) {
  Unreadable many = some();
  many.tables = many.hidden = many.sequences = {};
  for (LargeObjectId id = 43; id <= 62; ++id) many.large_objects.push_back(id);
  EXPECT_THAT(many.list(), AllOf(StartsWith("large object 42, large object 43, "), EndsWith("object 61 and 1 more")));
  many.large_objects.pop_back();
  EXPECT_THAT(many.list(), EndsWith("large object 60, large object 61"));
}

TEST(Unreadable, IsEmptyOnlyWhenNothingIsInIt) {
  EXPECT_TRUE(Unreadable().empty());
  EXPECT_THAT(Unreadable().names(), IsEmpty());
  EXPECT_FALSE(some().empty());
  EXPECT_FALSE((
      Unreadable{.schemas = some().schemas, .tables = {}, .hidden = {}, .sequences = {}, .large_objects = {}}.empty()));
  EXPECT_FALSE((Unreadable{.schemas = {}, .tables = {}, .hidden = {}, .sequences = {}, .large_objects = {1}}.empty()));
}

TEST(LeaveOut, TakesTablesWithTheirDefinitionsAndOfTheRestTheRows) {
  TableFilter::Patterns patterns;
  patterns.exclude_schemas = {"audit"};
  const TableFilter filter = leave_out(TableFilter(patterns), some());
  EXPECT_FALSE(filter.includes("public", "closed"));
  EXPECT_TRUE(filter.includes("public", "Guarded \"it\""));
  EXPECT_FALSE(filter.includes_rows("public", "Guarded \"it\""));
  EXPECT_FALSE(filter.includes_rows("public", "counter"));
  EXPECT_FALSE(filter.includes("audit", "t"));
  EXPECT_TRUE(filter.includes_rows("public", "open"));
  EXPECT_TRUE(filter.includes_rows("public", "guarded \"it\"")) << "a name is meant as it is, not as a pattern";
}

}  // namespace
}  // namespace pana
