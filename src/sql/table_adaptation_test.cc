#include "sql/table_adaptation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pana {
namespace {

constexpr std::string_view kWithProbes = R"(CREATE TABLE public.t (
    id integer DEFAULT probe.twice(2) NOT NULL,
    "odd, (name" extensions.vector(3) DEFAULT '[1,2,3]'::extensions.vector(3),
    moods probe.mood[] NOT NULL,
    twice integer GENERATED ALWAYS AS (probe.thrice(id)) STORED,
    CONSTRAINT small CHECK ((probe.size(id) < 10)),
    CONSTRAINT last CHECK ((id > probe.least()))
)
PARTITION BY RANGE (id);)";

std::optional<TableAdaptation> without_name(std::string_view unknown, std::string_view sql = kWithProbes) {
  return without_unknown(sql, sql.find(unknown));
}

std::string changed(std::string_view old_text, std::string_view new_text) {
  std::string sql(kWithProbes);
  return sql.replace(sql.find(old_text), old_text.size(), new_text);
}

TEST(WithoutUnknown, MakesATypeText) {
  const std::optional<TableAdaptation> vector = without_name("extensions.vector(3) DEFAULT");
  ASSERT_TRUE(vector);
  EXPECT_EQ(changed("extensions.vector(3) DEFAULT", "text DEFAULT"), vector->sql);
  EXPECT_EQ("column \"odd, (name\" is text in place of extensions.vector(3)", vector->what);
  const std::optional<TableAdaptation> array = without_name("probe.mood");
  ASSERT_TRUE(array);
  EXPECT_EQ(changed("probe.mood[]", "text"), array->sql);
  const std::optional<TableAdaptation> constant = without_name("extensions.vector(3),");
  ASSERT_TRUE(constant);
  EXPECT_EQ(changed("'::extensions.vector(3),", "'::text,"), constant->sql);
}

TEST(WithoutUnknown, LeavesOutWhatCallsAFunction) {
  const std::optional<TableAdaptation> value = without_name("probe.twice");
  ASSERT_TRUE(value);
  EXPECT_EQ(changed(" DEFAULT probe.twice(2)", ""), value->sql);
  EXPECT_EQ("column id has no default", value->what);
  const std::optional<TableAdaptation> generated = without_name("probe.thrice");
  ASSERT_TRUE(generated);
  EXPECT_EQ(changed(" GENERATED ALWAYS AS (probe.thrice(id)) STORED", ""), generated->sql);
  EXPECT_EQ("column twice is not generated, and NULL", generated->what);
  const std::optional<TableAdaptation> check = without_name("probe.size");
  ASSERT_TRUE(check);
  EXPECT_EQ(changed(",\n    CONSTRAINT small CHECK ((probe.size(id) < 10))", ""), check->sql);
  EXPECT_EQ("constraint small is left out", check->what);
  const std::optional<TableAdaptation> last = without_name("probe.least");
  ASSERT_TRUE(last);
  EXPECT_EQ(changed(",\n    CONSTRAINT last CHECK ((id > probe.least()))", ""), last->sql);
  constexpr std::string_view kOfChecks =
      "CREATE TABLE c (\n    CONSTRAINT a CHECK (f()),\n    CONSTRAINT b CHECK (g())\n)\nINHERITS (p);";
  EXPECT_EQ("CREATE TABLE c (\n    \n    CONSTRAINT b CHECK (g())\n)\nINHERITS (p);",
            without_name("f()", kOfChecks)->sql);
}

TEST(WithoutUnknown, KnowsWhereItIsOfNoUse) {
  EXPECT_FALSE(without_name("public.t"));
  EXPECT_FALSE(without_name("RANGE"));
  EXPECT_FALSE(without_name("\"odd"));
  EXPECT_FALSE(without_unknown(kWithProbes, kWithProbes.size() + 5));
  EXPECT_FALSE(without_name("text", "CREATE TABLE t (\n    a text\n);")) << "it is what it would become";
  EXPECT_FALSE(without_name("nope", "CREATE TABLE t (\n);"));
  EXPECT_FALSE(without_unknown("", 0));
}

TEST(ElementsOfTable, AreItsColumnsAndConstraints) {
  const std::vector<std::string_view> elements = elements_of_table(
      "CREATE TABLE t (\n    a integer DEFAULT COALESCE(1,\n    2),\n    b text DEFAULT 'x,\n    y)',\n    CONSTRAINT "
      "c "
      "CHECK ((a > 0))\n)\nPARTITION BY RANGE (a);");
  EXPECT_THAT(elements, testing::ElementsAre("a integer DEFAULT COALESCE(1,\n    2)", "b text DEFAULT 'x,\n    y)'",
                                             "CONSTRAINT c CHECK ((a > 0))"));
  EXPECT_THAT(elements_of_table("CREATE TABLE t (\n);"), testing::IsEmpty());
}

}  // namespace
}  // namespace pana
