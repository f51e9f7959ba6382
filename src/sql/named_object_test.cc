#include "sql/named_object.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pana {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(NamedObject, IsWhatACommentAGrantOrALabelIsOn) {
  const auto described = [](std::string_view statement) {
    return described_object(statement).value_or(NamedObject{.kind = "nothing"});
  };
  const NamedObject function{.kind = "FUNCTION", .schema = "s", .name = "f"};
  EXPECT_EQ(function, described("COMMENT ON FUNCTION s.f(a integer, \"The b\" text) IS 'x';"));
  EXPECT_EQ(function, described("COMMENT ON PROCEDURE s.f(a integer) IS 'x';"));
  EXPECT_EQ(function, described("GRANT ALL ON FUNCTION s.f(a integer) TO r;"));
  EXPECT_EQ(function, described("REVOKE ALL ON FUNCTION s.f(integer) FROM PUBLIC;"));
  EXPECT_EQ(function, described("SECURITY LABEL FOR \"ON\" ON AGGREGATE s.f(integer) IS 'x';"));
  EXPECT_EQ((NamedObject{.kind = "TYPE", .schema = "s", .name = "Mo\"od"}),
            described("GRANT ALL ON TYPE s.\"Mo\"\"od\" TO r;"));
  EXPECT_EQ((NamedObject{.kind = "TYPE", .schema = "s", .name = "d"}),
            described("COMMENT ON CONSTRAINT \"on\" ON DOMAIN s.d IS 'x';"));
  EXPECT_EQ((NamedObject{.kind = "TYPE", .schema = "s", .name = "d"}),
            described("ALTER DOMAIN s.d\n    ADD CONSTRAINT k CHECK ((VALUE > 0)) NOT VALID;"));
  EXPECT_EQ((NamedObject{.kind = "SERVER", .schema = "", .name = "My s"}),
            described("GRANT ALL ON FOREIGN SERVER \"My s\" TO r;"));
  EXPECT_EQ((NamedObject{.kind = "FOREIGN DATA WRAPPER", .schema = "", .name = "w"}),
            described("COMMENT ON FOREIGN DATA WRAPPER w IS 'x';"));
  EXPECT_EQ((NamedObject{.kind = "OPERATOR", .schema = "s", .name = "<->"}),
            described("COMMENT ON OPERATOR s.<-> (integer, integer) IS 'x';"));
  EXPECT_EQ((NamedObject{.kind = "OPERATOR FAMILY", .schema = "s", .name = "fam"}),
            described("COMMENT ON OPERATOR FAMILY s.fam USING btree IS 'x';"));
  EXPECT_EQ((NamedObject{.kind = "OPERATOR FAMILY", .schema = "s", .name = "fam"}),
            described("CREATE OPERATOR CLASS s.c\n    FOR TYPE integer USING btree FAMILY s.fam AS\n    OPERATOR 1 "
                      "<(integer,integer);"));
  EXPECT_EQ((NamedObject{.kind = "INDEX", .schema = "s", .name = "Idx"}),
            described("COMMENT ON INDEX s.\"Idx\" IS 'on TYPE s.t';"));
  EXPECT_EQ((NamedObject{.kind = "TEXT SEARCH PARSER", .schema = "s", .name = "p"}),
            described("COMMENT ON TEXT SEARCH PARSER s.p IS 'x';"));
}

TEST(NamedObject, IsNothingForRelationsAndOthers) {
  for (const std::string_view statement :
       {"COMMENT ON TABLE s.t IS 'x';", "GRANT SELECT ON TABLE s.t TO r;", "COMMENT ON CONSTRAINT k ON s.t IS 'x';",
        "COMMENT ON CAST (s.c AS text) IS 'x';", "ALTER TABLE ONLY s.t ADD CONSTRAINT k CHECK (true);",
        "CREATE TYPE s.t AS ENUM ();", "CREATE OPERATOR CLASS s.c FOR TYPE integer USING btree AS STORAGE integer;",
        "SET SESSION AUTHORIZATION r;", ""}) {
    EXPECT_FALSE(described_object(statement)) << statement;
  }
}

TEST(NamedObject, OfATableHasItsParents) {
  EXPECT_THAT(parents_of("CREATE TABLE s.t (\n    inherits integer DEFAULT f(1)\n)\nINHERITS (s.a, \"Odd\".\"b,c\");"),
              ElementsAre(RelationName{"s", "a"}, RelationName{"Odd", "b,c"}));
  EXPECT_THAT(parents_of("CREATE TABLE s.inherits (\n    inherits integer\n);"), IsEmpty());
  EXPECT_THAT(parents_of("CREATE UNLOGGED TABLE s.t (\n)\nINHERITS (s.a);"), ElementsAre(RelationName{"s", "a"}));
}

}  // namespace
}  // namespace pana
