// Who may do what after a restore: exactly who might in the source, whatever the target gives to new objects by itself.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "support/pana.h"

namespace pana::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// Of every object in the database, who may do what with it, a line each; what an empty list of rights means is spelled out.
constexpr const char* kRights = R"(
WITH objects AS (
  SELECT 'relation ' || c.oid::regclass AS name, coalesce(relacl, acldefault(CASE relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", relowner)) AS acl
  FROM pg_class AS c WHERE relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND relnamespace::regnamespace::text !~ '^(pg_|information_schema)'
  UNION ALL SELECT 'function ' || p.oid::regprocedure, coalesce(proacl, acldefault('f', proowner)) FROM pg_proc AS p
  WHERE pronamespace::regnamespace::text !~ '^(pg_|information_schema)'
  UNION ALL SELECT 'type ' || t.oid::regtype, coalesce(typacl, acldefault('T', typowner)) FROM pg_type AS t
  WHERE typnamespace::regnamespace::text !~ '^(pg_|information_schema)' AND typelem = 0
  UNION ALL SELECT 'schema ' || nspname, coalesce(nspacl, acldefault('n', nspowner)) FROM pg_namespace WHERE nspname !~ '^(pg_|information_schema)'
  UNION ALL SELECT 'large object ' || oid, coalesce(lomacl, acldefault('L', lomowner)) FROM pg_largeobject_metadata)
SELECT name, CASE grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(grantee) END, privilege_type, is_grantable
FROM objects, aclexplode(acl) ORDER BY 1, 2, 3, 4)";

constexpr const char* kDefaults = R"(
SELECT defaclrole::regrole, defaclnamespace::regnamespace, defaclobjtype, grantee, privilege_type, is_grantable
FROM pg_default_acl LEFT JOIN LATERAL aclexplode(defaclacl) ON true ORDER BY 1, 2, 3, 4, 5, 6)";

class RestoreRights : public EndToEnd {
 protected:
  void SetUp() override {
    EndToEnd::SetUp();
    if (IsSkipped()) return;
    cluster().psql_file("postgres", fixture("roles.sql"));
    fresh_database("origin");
    target_ = fresh_database("target");
  }

  static void origin(const std::string& sql) { cluster().sql("origin", sql); }
  static std::string target(const std::string& sql) { return cluster().sql("target", sql); }

  std::string target_;
};

// How many targets are tried; the figure of the documentation is of a run with more.
int rounds() {
  const char* const wish = std::getenv("PANA_RIGHTS_RUNS");
  return wish == nullptr ? 12 : std::atoi(wish);
}

// Some ALTER DEFAULT PRIVILEGES, of any kind, for the role that restores.
std::string random_defaults(std::mt19937& random) {
  const auto one_of = [&random](const std::vector<std::string>& choices) { return choices[random() % choices.size()]; };
  std::string sql = "CREATE SCHEMA IF NOT EXISTS app;";
  const auto wishes = 1 + random() % 8;
  for (std::size_t i = 0; i < wishes; ++i) {
    const std::string kind = one_of({"TABLES", "TABLES", "SEQUENCES", "FUNCTIONS", "FUNCTIONS", "TYPES", "SCHEMAS"});
    const std::string where = kind == "SCHEMAS" ? "" : one_of({"", "IN SCHEMA public ", "IN SCHEMA app "});
    const std::string who = one_of({"pana_reader", "pana_writer", "\"Pana \"\"Quoted\"\" Role\"", "PUBLIC"});
    const std::string option = who == "PUBLIC" || random() % 3 != 0 ? "" : " WITH GRANT OPTION";
    const std::string action = random() % 4 == 0 ? "REVOKE ALL ON " + kind + " FROM " + one_of({"PUBLIC", "CURRENT_USER", who})
                                                 : "GRANT ALL ON " + kind + " TO " + who + option;
    sql += "ALTER DEFAULT PRIVILEGES " + where + action + ";";
  }
  return sql;
}

TEST_F(RestoreRights, AreNeverWiderWhateverTheTargetGivesToNewObjects) {
  origin(R"(
    CREATE SCHEMA app; GRANT USAGE ON SCHEMA app TO pana_reader;
    CREATE TABLE app.a (id int GENERATED ALWAYS AS IDENTITY, s serial, secret text); CREATE TABLE public.b (id int);
    CREATE TABLE app.parent (k int) PARTITION BY LIST (k); CREATE TABLE app.part PARTITION OF app.parent DEFAULT;
    GRANT SELECT ON app.a TO pana_reader; GRANT UPDATE (secret) ON app.a TO pana_writer WITH GRANT OPTION;
    CREATE VIEW app.v AS SELECT 1 AS one; CREATE MATERIALIZED VIEW public.m AS SELECT 1 AS one; CREATE SEQUENCE app.q;
    CREATE FUNCTION app.f(a int, "table" text) RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE PROCEDURE public.p() LANGUAGE sql AS 'SELECT 1';
    CREATE FUNCTION app.closed() RETURNS int LANGUAGE sql AS 'SELECT 1'; REVOKE ALL ON FUNCTION app.closed FROM PUBLIC;
    CREATE AGGREGATE app.g(int) (SFUNC = int4pl, STYPE = int);
    CREATE TYPE app.mood AS ENUM ('a'); CREATE TYPE app.pair AS (a int, b int); CREATE TYPE app.span AS RANGE (SUBTYPE = float8);
    CREATE DOMAIN app.d AS int CHECK (VALUE > 0); REVOKE ALL ON TYPE app.mood FROM PUBLIC;
    ALTER TABLE app.a OWNER TO pana_owner; ALTER TYPE app.pair OWNER TO pana_owner; SELECT lo_create(700001);)");
  if (cluster().has_probe_extension()) origin("CREATE SCHEMA probe; CREATE EXTENSION pana_probe");
  const std::filesystem::path backup = back_up("origin");
  const std::string expected = cluster().sql("origin", kRights);
  std::mt19937 random(18);
  for (int round = 0; round < rounds(); ++round) {
    target_ = fresh_database("target");
    const std::string defaults = random_defaults(random);
    target(defaults);
    const std::string before = target(kDefaults);
    ASSERT_TRUE(ends_with(kOk, pana({"restore", backup, "--into", target_}))) << defaults;
    EXPECT_EQ("", different_lines(expected, target(kRights))) << defaults;
    EXPECT_EQ(before, target(kDefaults)) << defaults;
  }
}

// An event trigger of the target that refuses a statement of some kind.
constexpr const char* kRefuse = R"(
CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN IF current_query() ~ 'pana_writer|STORAGE EXTERNAL' THEN RAISE 'not here'; END IF; END $$;
CREATE EVENT TRIGGER refuse ON ddl_command_start WHEN TAG IN ('GRANT', 'ALTER TABLE') EXECUTE FUNCTION refuse();
)";

TEST_F(RestoreRights, OneThatIsRefusedCostsNoOther) {
  origin("CREATE TABLE t AS SELECT 1 AS id, 'x' AS long; GRANT SELECT ON t TO pana_reader; GRANT INSERT ON t TO pana_writer;"
         "ALTER TABLE t ALTER long SET STORAGE EXTERNAL; ALTER TABLE t OWNER TO pana_owner");
  target(kRefuse);
  const Outcome outcome = pana({"restore", back_up("origin"), "--into", target_, "--allow-non-empty", "--keep-going"});
  EXPECT_TRUE(ends_with(kFailed, outcome));
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("cannot restore TABLE public.t: not here"), HasSubstr("cannot restore ACL public.TABLE t: not here")));
  EXPECT_EQ("1|t|f|pana_owner", target("SELECT id, has_table_privilege('pana_reader', 't', 'SELECT'), has_table_privilege('pana_writer', 't', 'INSERT'), "
                                       "tableowner FROM t, pg_tables WHERE tablename = 't'"));
}

TEST_F(RestoreRights, AnObjectThatCannotBeMadeIsNamedOnce) {
  origin("CREATE TABLE t AS SELECT 1 AS id; ALTER TABLE t ADD PRIMARY KEY (id); CREATE INDEX t_more ON t (id); ALTER TABLE t CLUSTER ON t_more");
  target("CREATE TABLE t (other int)");
  const Outcome outcome = pana({"restore", back_up("origin"), "--into", target_, "--allow-non-empty", "--keep-going"});
  EXPECT_TRUE(ends_with(kFailed, outcome));
  for (const std::string object : {"TABLE public.t:", "rows of public.t:", "CONSTRAINT public.t t_pkey:", "INDEX public.t_more:"}) {
    const std::size_t first = outcome.err.find("cannot restore " + object);
    EXPECT_NE(first, std::string::npos) << object;
    EXPECT_EQ(outcome.err.find("cannot restore " + object, first + 1), std::string::npos) << object;
  }
}

}  // namespace
}  // namespace pana::test
