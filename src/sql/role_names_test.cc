#include "sql/role_names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pana {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string_view> names(const SchemaStatement& statement, const std::string& type = "TABLE") {
  return role_names_in({.type = type}, statement);
}

TEST(RoleNames, StandBehindOwnerTo) {
  const SchemaStatement table{StatementRole::owner, "ALTER TABLE app.\"OWNER TO\" OWNER TO \"App \"\"Role\"\"\";"};
  EXPECT_THAT(names(table), ElementsAre("\"App \"\"Role\"\"\""));
  const SchemaStatement function{StatementRole::owner, "ALTER FUNCTION app.f(integer, app.t) OWNER TO app;"};
  EXPECT_THAT(names(function), ElementsAre("app"));
}

TEST(RoleNames, OfGrantsAreThoseThatGetOrLoseSomething) {
  const auto in = [](std::string sql) {
    const SchemaStatement statement{StatementRole::privilege, std::move(sql)};
    const std::vector<std::string_view> found = names(statement, "ACL");
    return std::vector<std::string>(found.begin(), found.end());
  };
  EXPECT_THAT(in("GRANT SELECT(a),UPDATE ON TABLE app.app TO reader WITH GRANT OPTION;"), ElementsAre("reader"));
  EXPECT_THAT(in("GRANT SELECT(\"to\", \"on\") ON TABLE app.\"TO\" TO PUBLIC;"), IsEmpty());
  EXPECT_THAT(in("REVOKE ALL ON FUNCTION app.f(integer, \"to\") FROM \"App\";"), ElementsAre("\"App\""));
  EXPECT_THAT(in("REVOKE GRANT OPTION FOR SELECT ON TABLE s.t FROM app;"), ElementsAre("app"));
  EXPECT_THAT(in("GRANT USAGE ON SCHEMA app TO a, b;"), ElementsAre("a", "b"));
  EXPECT_THAT(in("SET SESSION AUTHORIZATION app;"), ElementsAre("app"));
  EXPECT_THAT(in("RESET SESSION AUTHORIZATION;"), IsEmpty());
  EXPECT_THAT(in("ALTER DEFAULT PRIVILEGES FOR ROLE app IN SCHEMA app GRANT SELECT ON TABLES TO reader;"),
              ElementsAre("app", "reader"));
  EXPECT_THAT(in("ALTER DEFAULT PRIVILEGES FOR ROLE app REVOKE ALL ON TABLES FROM app;"), ElementsAre("app", "app"));
}

TEST(RoleNames, OfPoliciesStandBeforeTheirConditions) {
  const SchemaStatement policy{StatementRole::definition,
                               "CREATE POLICY \"TO\" ON app.t AS RESTRICTIVE FOR SELECT TO app, PUBLIC, b USING ((a IN "
                               "( SELECT x FROM app.users))) WITH CHECK (true);"};
  EXPECT_THAT(names(policy, "POLICY"), ElementsAre("app", "b"));
  const SchemaStatement of_all{StatementRole::definition,
                               "CREATE POLICY p ON app.t USING ((a IN ( SELECT app.to FROM app.users)));"};
  EXPECT_THAT(names(of_all, "POLICY"), IsEmpty());
  const SchemaStatement mapping{StatementRole::definition,
                                "CREATE USER MAPPING FOR app SERVER app OPTIONS (\n    \"user\" 'app'\n);"};
  EXPECT_THAT(names(mapping, "USER MAPPING"), ElementsAre("app"));
}

TEST(RoleNames, AreNowhereElse) {
  const SchemaStatement view{StatementRole::definition, "CREATE VIEW app.v AS SELECT 1 FROM app.t;"};
  EXPECT_THAT(names(view, "VIEW"), IsEmpty());
}

}  // namespace
}  // namespace pana
