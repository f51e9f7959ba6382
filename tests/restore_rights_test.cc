// Who may do what after a restore: exactly who might in the source, whatever the target gives to new objects by itself.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <random>

#include "support/origin_and_target.h"
#include "support/session.h"

namespace pana::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// Of every object in the database, who may do what with it, a line each; what an empty list of rights means is spelled
// out.
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

class RestoreRights : public OriginAndTarget {};

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
    const std::string action = random() % 4 == 0
                                   ? "REVOKE ALL ON " + kind + " FROM " + one_of({"PUBLIC", "CURRENT_USER", who})
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
  origin(
      "CREATE TABLE t AS SELECT 1 AS id, 'x' AS long; GRANT SELECT ON t TO pana_reader; GRANT INSERT ON t TO "
      "pana_writer;"
      "ALTER TABLE t ALTER long SET STORAGE EXTERNAL; ALTER TABLE t OWNER TO pana_owner");
  target(kRefuse);
  const Outcome outcome = pana({"restore", back_up("origin"), "--into", target_, "--allow-non-empty", "--keep-going"});
  EXPECT_TRUE(ends_with(kFailed, outcome));
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("cannot restore a setting of TABLE public.t: not here"),
                                 HasSubstr("cannot restore ACL public.TABLE t: not here")));
  EXPECT_EQ("1|t|f|pana_owner", target("SELECT id, has_table_privilege('pana_reader', 't', 'SELECT'), "
                                       "has_table_privilege('pana_writer', 't', 'INSERT'), "
                                       "tableowner FROM t, pg_tables WHERE tablename = 't'"));
}

TEST_F(RestoreRights, AnObjectThatCannotBeMadeIsNamedOnce) {
  origin(
      "CREATE TABLE t AS SELECT 1 AS id; ALTER TABLE t ADD PRIMARY KEY (id); CREATE INDEX t_more ON t (id); ALTER "
      "TABLE t CLUSTER ON t_more");
  target("CREATE TABLE t (other int)");
  const Outcome outcome = pana({"restore", back_up("origin"), "--into", target_, "--allow-non-empty", "--keep-going"});
  EXPECT_TRUE(ends_with(kFailed, outcome));
  for (const std::string object :
       {"TABLE public.t:", "1 row of public.t:", "CONSTRAINT public.t t_pkey:", "INDEX public.t_more:"}) {
    const std::size_t first = outcome.err.find("cannot restore " + object);
    EXPECT_NE(first, std::string::npos) << object;
    EXPECT_EQ(outcome.err.find("cannot restore " + object, first + 1), std::string::npos) << object;
  }
}

TEST_F(RestoreRights, ThatSomebodyElseThanTheOwnerGaveKeepTheirGrantor) {
  origin(R"(
    SELECT lo_create(700001); ALTER LARGE OBJECT 700001 OWNER TO pana_owner; CREATE TABLE t (id int); ALTER TABLE t OWNER TO pana_owner;
    GRANT SELECT ON LARGE OBJECT 700001 TO pana_writer WITH GRANT OPTION; GRANT SELECT ON t TO pana_writer WITH GRANT OPTION;
    SET ROLE pana_writer; GRANT SELECT ON LARGE OBJECT 700001 TO pana_reader WITH GRANT OPTION; GRANT SELECT ON t TO pana_reader;
    SET ROLE pana_reader; GRANT SELECT ON LARGE OBJECT 700001 TO PUBLIC;)");
  const std::string grants =
      "SELECT lomacl FROM pg_largeobject_metadata UNION ALL SELECT relacl FROM pg_class WHERE relname = 't'";
  const std::filesystem::path backup = back_up("origin");
  ASSERT_TRUE(ends_with(kOk, pana({"restore", backup, "--into", target_})));
  EXPECT_EQ(cluster().sql("origin", grants), target(grants));
  fresh_database("by_psql");
  ASSERT_TRUE(ends_with(0, restore_with_psql(cluster(), backup, "by_psql")));
  EXPECT_EQ(cluster().sql("origin", grants), cluster().sql("by_psql", grants));

  // Somebody who is no superuser: as far as they may act for the grantors.
  cluster().sql(
      "postgres",
      "DROP ROLE IF EXISTS pana_member; CREATE ROLE pana_member; GRANT pana_owner, pana_writer TO pana_member");
  cluster().allow_login("pana_member");
  target_ = fresh_database("target");
  cluster().sql("postgres", "ALTER DATABASE target OWNER TO pana_member");
  const std::string url = cluster().url("target", "pana_member", cluster().password());
  target("GRANT CREATE ON SCHEMA public TO pana_owner; ALTER SCHEMA public OWNER TO pana_member");
  const Outcome outcome = pana({"restore", backup, "--into", url});
  EXPECT_THAT(outcome.err, HasSubstr("the grants of pana_reader come from the restoring role instead"));
  EXPECT_EQ("{pana_owner=arwdDxt/pana_owner,pana_writer=r*/pana_owner,pana_reader=r/pana_writer}",
            target("SELECT replace(relacl::text, 'tm/', 't/') FROM pg_class WHERE relname = 't'"));
  cluster().drop_database("target");
  cluster().sql("postgres", "DROP ROLE pana_member");
}

// A cluster where nobody of the origin's roles exists.
class RestoreRoles : public RestoreRights {
 protected:
  void SetUp() override {
    RestoreRights::SetUp();
    if (IsSkipped()) return;
    elsewhere_ = std::make_unique<Cluster>();
    elsewhere_->create_database("target");
  }
  std::string elsewhere(const std::string& sql) const { return elsewhere_->sql("target", sql); }

  std::unique_ptr<Cluster> elsewhere_;
};

TEST_F(RestoreRoles, OfABootstrapSuperuserByAnotherNameAreKnown) {
  // Its name is nowhere in pg_shdepend.
  elsewhere_->sql("postgres", "CREATE ROLE helper SUPERUSER");
  elsewhere_->allow_login("helper");
  {
    Session helper(elsewhere_->url("postgres", "helper", elsewhere_->password()));
    helper.execute("ALTER ROLE postgres RENAME TO boss");
    helper.execute("CREATE ROLE postgres SUPERUSER LOGIN PASSWORD '" + elsewhere_->password() + "'");
  }
  elsewhere("CREATE ROLE app_x; CREATE TABLE t (id int); ALTER TABLE t OWNER TO app_x; GRANT SELECT ON t TO boss");
  ASSERT_TRUE(ends_with(kOk, pana({"backup", elsewhere_->url("target"), "--to", backups_.path()})));
  const std::filesystem::path file = backups_in(backups_.path()).at(0);
  cluster().sql("postgres", "DROP ROLE IF EXISTS boss; DROP ROLE IF EXISTS app_x");
  const Outcome refused = pana({"restore", file, "--into", target_});
  EXPECT_TRUE(ends_with(kRefused, refused));
  EXPECT_THAT(refused.err, HasSubstr("the target lacks the roles app_x, boss"));
  ASSERT_TRUE(ends_with(kOk, pana({"restore", file, "--into", target_, "--create-missing-roles"})));
  EXPECT_EQ("t", target("SELECT has_table_privilege('boss', 't', 'SELECT')"));
  target("DROP OWNED BY boss, app_x; DROP ROLE boss; DROP ROLE app_x");
}

TEST_F(RestoreRoles, AreMadeBySomebodyWhoMayMakeRoles) {
  origin(R"(
    CREATE SCHEMA app AUTHORIZATION pana_owner; CREATE TABLE app.t (id int); ALTER TABLE app.t OWNER TO pana_writer; GRANT CREATE, USAGE ON SCHEMA app TO pana_writer;
    GRANT SELECT ON app.t TO pana_reader; CREATE TABLE u (id int); ALTER TABLE u OWNER TO pana_writer; GRANT CREATE, USAGE ON SCHEMA public TO pana_writer;
    ALTER DEFAULT PRIVILEGES FOR ROLE pana_owner GRANT SELECT ON TABLES TO pana_reader)");
  const std::filesystem::path backup = back_up("origin");
  elsewhere_->sql("postgres", "CREATE ROLE maker CREATEROLE; ALTER DATABASE target OWNER TO maker");
  elsewhere_->allow_login("maker");
  // Before 15 it belongs to a superuser, on both sides, and everybody may create in it.
  if (elsewhere_->version() >= 15) elsewhere("ALTER SCHEMA public OWNER TO maker");
  const std::string url = elsewhere_->url("target", "maker", elsewhere_->password());
  const Outcome refused = pana({"restore", backup, "--into", url});
  EXPECT_TRUE(ends_with(kRefused, refused));
  EXPECT_THAT(refused.err, HasSubstr("the target lacks the roles pana_owner, pana_reader, pana_writer"));
  elsewhere("CREATE TABLE in_the_way (x int)");
  EXPECT_TRUE(ends_with(kRefused, pana({"restore", backup, "--into", url, "--create-missing-roles"})));
  EXPECT_EQ("0", elsewhere("SELECT count(*) FROM pg_roles WHERE rolname ~ '^pana'"))
      << "a refusal leaves no roles behind";
  elsewhere("DROP TABLE in_the_way");
  ASSERT_TRUE(ends_with(kOk, pana({"restore", backup, "--into", url, "--create-missing-roles"})));
  EXPECT_EQ("app.t|pana_writer\nu|pana_writer",
            elsewhere("SELECT oid::regclass, pg_get_userbyid(relowner) FROM pg_class WHERE relkind = 'r' AND relname "
                      "IN ('t', 'u') ORDER BY 1"));
  EXPECT_EQ("t", elsewhere("SELECT has_table_privilege('pana_reader', 'app.t', 'SELECT')"));
}

TEST_F(RestoreRoles, WithoutSuperuserHearBeforehandWhatTheyCannotHave) {
  const std::filesystem::path backup = back_up(everything().database);
  elsewhere_->sql("postgres", "CREATE ROLE plain; ALTER DATABASE target OWNER TO plain");
  elsewhere_->allow_login("plain");
  elsewhere("ALTER SCHEMA public OWNER TO plain");
  const Outcome outcome = pana({"restore", backup, "--into", elsewhere_->url("target", "plain", elsewhere_->password()),
                                "--no-owner", "--no-privileges"});
  EXPECT_TRUE(ends_with(kRefused, outcome));
  EXPECT_THAT(outcome.err, HasSubstr("only a superuser can make "));
  EXPECT_EQ("0", elsewhere("SELECT count(*) FROM pg_class WHERE oid >= 16384 AND relkind IN ('r', 'v')"));
}

TEST_F(RestoreRoles, AndTablespacesAreAskedForFirst) {
  origin(
      "SET allow_in_place_tablespaces = on;\nSELECT 'CREATE TABLESPACE \"pana odd\" LOCATION ''''' "
      "WHERE NOT EXISTS (SELECT FROM pg_tablespace WHERE spcname = 'pana odd')\\gexec\nCREATE TABLE t (id int) "
      "TABLESPACE \"pana odd\"");
  const std::filesystem::path backup = back_up("origin");
  const Outcome outcome = pana({"restore", backup, "--into", elsewhere_->url("target")});
  EXPECT_TRUE(ends_with(kRefused, outcome));
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("lacks the tablespaces pana odd"), HasSubstr("--no-tablespaces")));
  EXPECT_TRUE(ends_with(kOk, pana({"restore", backup, "--into", elsewhere_->url("target"), "--no-tablespaces"})));
}

// What is refused behind the restore has changed the target: that is a failure.
TEST_F(RestoreRights, ThatHideRowsFromTheirOwnerFailTheProofAndNotBeforehand) {
  origin(
      "CREATE TABLE t AS SELECT 1 AS id; ALTER TABLE t ENABLE ROW LEVEL SECURITY; ALTER TABLE t FORCE ROW LEVEL "
      "SECURITY");
  target("GRANT CREATE ON SCHEMA public TO pana_writer");
  const Outcome outcome = pana({"restore", back_up("origin"), "--into", url_of("pana_writer"), "-O", "-x", "--verify"});
  EXPECT_TRUE(ends_with(kFailed, outcome));
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("the backup is restored, but could not be compared: "),
                                 HasSubstr("pana verify --against"), Not(HasSubstr("--exclude-table"))));
  EXPECT_EQ("1", target("SELECT id FROM t"));
}

}  // namespace
}  // namespace pana::test
