// Kinds of objects that a restore leaves out, and roles and extensions that it takes otherwise.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/origin_and_target.h"

namespace pana::test {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class RestoreChoices : public OriginAndTarget {
 protected:
  // A backup of the origin as it is now.
  Outcome restore(const std::vector<std::string>& options) const {
    return OriginAndTarget::restore(back_up("origin"), options);
  }
};

TEST_F(RestoreChoices, LeaveKindsOfObjectsOut) {
  origin(
      "CREATE TABLE t AS SELECT 1 AS id; COMMENT ON TABLE t IS 'said'; CREATE PUBLICATION p FOR TABLE t; COMMENT ON "
      "PUBLICATION p IS 'of t';"
      "CREATE SUBSCRIPTION s CONNECTION 'dbname=nowhere' PUBLICATION p WITH (connect = false, slot_name = NONE)");
  const std::string count =
      "SELECT (SELECT count(*) FROM pg_description WHERE objoid = 't'::regclass), (SELECT count(*) FROM "
      "pg_publication), "
      "(SELECT count(*) FROM pg_subscription WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = 'target')), "
      "(SELECT id FROM t)";
  ASSERT_TRUE(
      ends_with(kOk, restore({"--no-comments", "--no-publications", "--no-subscriptions", "--no-security-labels"})));
  EXPECT_EQ("0|0|0|1", target(count));
  target_ = fresh_database("target");
  ASSERT_TRUE(ends_with(kOk, restore({"--no-subscriptions"})));
  EXPECT_EQ("1|1|0|1", target(count));
}

constexpr const char* kPublished = R"(
CREATE SCHEMA a; CREATE TABLE a.t AS SELECT 1 AS x, 2 AS y; GRANT SELECT ON a.t TO pana_reader; CREATE TABLE b AS SELECT 1 AS x;
CREATE PUBLICATION tables FOR TABLE a.t, b; CREATE PUBLICATION "Schemas" FOR TABLES IN SCHEMA a;
)";
constexpr const char* kMembers =
    "SELECT string_agg(pubname || ' ' || schemaname || '.' || tablename || ' ' || attnames::text, ',' ORDER BY "
    "pubname, tablename) FROM pg_publication_tables";

TEST_F(RestoreChoices, OfPartsJoinThePublicationsThatAreThere) {
  if (cluster().version() < 15) GTEST_SKIP() << "publications are of tables alone";
  origin(kPublished);
  target(kPublished);
  const std::string members = target(kMembers);
  for (const std::vector<std::string>& options : std::vector<std::vector<std::string>>{{"--clean", "-n", "a"},
                                                                                       {"-n", "a"},
                                                                                       {"--clean", "-t", "a.t"},
                                                                                       {"-t", "a.t"},
                                                                                       {"--clean", "-T", "b"},
                                                                                       {"--clean", "-N", "a"},
                                                                                       {"--clean"}}) {
    if (options[0] != "--clean") target("DROP TABLE a.t");
    const Outcome outcome = restore(options);
    ASSERT_TRUE(ends_with(kOk, outcome));
    EXPECT_THAT(outcome.err, Not(HasSubstr("publication")));
    EXPECT_EQ(members, target(kMembers)) << options.back();
    EXPECT_EQ("1|t", target("SELECT x, has_table_privilege('pana_reader', 'a.t', 'SELECT') FROM a.t"))
        << options.back();
  }
  target("DROP SCHEMA a CASCADE");
  ASSERT_TRUE(ends_with(kOk, restore({"-n", "a"})));
  EXPECT_EQ(members, target(kMembers));
}

TEST_F(RestoreChoices, OfPartsLeavePublicationsThatAreNotThereOut) {
  if (cluster().version() < 15) GTEST_SKIP() << "publications are of tables alone";
  origin(kPublished);
  for (const std::vector<std::string>& options : std::vector<std::vector<std::string>>{{"-n", "a"}, {"-t", "a.t"}}) {
    target_ = fresh_database("target");
    const Outcome outcome = restore(options);
    ASSERT_TRUE(ends_with(kOk, outcome));
    EXPECT_THAT(outcome.err, HasSubstr("do not join the publication tables: the target lacks it"));
    EXPECT_EQ(options[0] == "-n",
              outcome.err.find("do not join the publication Schemas: the target lacks it") != std::string::npos);
    EXPECT_EQ("1|t|0", target("SELECT x, has_table_privilege('pana_reader', 'a.t', 'SELECT'), (SELECT count(*) FROM "
                              "pg_publication) FROM a.t"))
        << options.back();
  }
}

TEST_F(RestoreChoices, PublishTheBackupsColumnsOfWhatAnEventTriggerPublishes) {
  if (cluster().version() < 15) GTEST_SKIP() << "publications are of whole tables";
  origin(
      "CREATE TABLE t AS SELECT 1 AS x, 2 AS y; GRANT SELECT ON t TO pana_reader; CREATE PUBLICATION p FOR TABLE t "
      "(x)");
  target(
      "CREATE PUBLICATION p; CREATE FUNCTION publish() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN ALTER "
      "PUBLICATION p ADD TABLE public.t; END $$; "
      "CREATE EVENT TRIGGER publish ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION publish()");
  ASSERT_TRUE(ends_with(kOk, restore({"-t", "t"})));
  EXPECT_EQ("p public.t {x}", target(kMembers));
  EXPECT_EQ("t", target("SELECT has_table_privilege('pana_reader', 't', 'SELECT')"));
}

TEST_F(RestoreChoices, LeaveAnExtensionOutWithAllThatIsItsOwn) {
  if (!cluster().has_probe_extension()) GTEST_SKIP() << "the server's installation cannot be copied";
  origin(
      "CREATE SCHEMA probe; CREATE EXTENSION pana_probe; INSERT INTO probe.jobs (command) VALUES ('mine'); GRANT "
      "SELECT ON probe.jobs TO pana_reader;"
      "CREATE TABLE t AS SELECT 1 AS id; CREATE SEQUENCE probe.of_the_user; SELECT setval('probe.of_the_user', 7)");
  ASSERT_TRUE(ends_with(kOk, restore({"--exclude-extension", "pana_probe"})));
  EXPECT_EQ("0|1|7", target("SELECT (SELECT count(*) FROM pg_extension WHERE extname = 'pana_probe'), (SELECT id FROM "
                            "t), (SELECT last_value FROM probe.of_the_user)"));
  const Outcome unknown = restore({"--clean", "--exclude-extension", "postgis"});
  EXPECT_TRUE(ends_with(kUsage, unknown));
  EXPECT_THAT(unknown.err, HasSubstr("the backup has no extension postgis"));

  Cluster elsewhere;
  elsewhere.create_database("target");
  elsewhere.sql("target", "CREATE ROLE pana_reader");
  elsewhere.hide_extension("pana_probe");
  const fs::path backup = back_up("origin");
  EXPECT_TRUE(ends_with(kRefused, pana({"restore", backup, "--into", elsewhere.url("target")})));
  const Outcome skipped = pana({"restore", backup, "--into", elsewhere.url("target"), "--skip-missing-extensions"});
  ASSERT_TRUE(ends_with(7, skipped));
  EXPECT_THAT(skipped.out, HasSubstr("1 row of probe.jobs"));
  EXPECT_THAT(skipped.err, HasSubstr("the extension pana_probe is left out: the target's server lacks it"));
}

TEST_F(RestoreChoices, ListWhatNeedsAnExtensionThatIsLeftOut) {
  origin(
      "CREATE EXTENSION hstore; CREATE DOMAIN d AS hstore; CREATE TYPE c AS (h hstore); CREATE TABLE t AS SELECT 1 AS "
      "id, 'a=>1'::hstore AS h; CREATE TABLE fine AS SELECT 1 AS id");
  const Outcome outcome = restore({"--exclude-extension", "hstore"});
  EXPECT_TRUE(ends_with(kRefused, outcome));
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("DOMAIN public.d: type"), HasSubstr("TYPE public.c: type"),
                                 HasSubstr("TABLE public.t: type"), Not(HasSubstr("fine"))));
  EXPECT_EQ("0", target("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"));
  ASSERT_TRUE(ends_with(kOk, restore({"--exclude-extension", "hstore", "-t", "fine"})));
}

TEST_F(RestoreChoices, DoNotFailForTheCommentOfAnothersExtension) {
  origin("CREATE EXTENSION hstore; CREATE TABLE t AS SELECT 1 AS id");
  cluster().allow_login("pana_writer");
  cluster().sql("postgres", "ALTER DATABASE target OWNER TO pana_writer");
  target("CREATE EXTENSION hstore; ALTER SCHEMA public OWNER TO pana_writer");
  const Outcome outcome =
      pana({"restore", back_up("origin"), "--into", cluster().url("target", "pana_writer", cluster().password()),
            "--no-owner", "--no-privileges"});
  ASSERT_TRUE(ends_with(kOk, outcome));
  EXPECT_THAT(outcome.err, HasSubstr("cannot restore COMMENT EXTENSION hstore, which came with the extension"));
  EXPECT_EQ("1", target("SELECT id FROM t"));
  cluster().drop_database("target");
}

TEST_F(RestoreChoices, LetOtherRolesStandForTheBackups) {
  origin(R"(
    CREATE TABLE t (id int, "TO" text); ALTER TABLE t OWNER TO "Pana ""Quoted"" Role"; GRANT SELECT ON t TO pana_reader, pana_writer; GRANT UPDATE (id) ON t TO PUBLIC;
    CREATE FUNCTION "to"("pana_reader" int, pana_writer text) RETURNS int LANGUAGE sql AS 'SELECT 1'; GRANT ALL ON FUNCTION "to"(int, text) TO pana_reader;
    CREATE POLICY mine ON t FOR SELECT TO pana_reader, "Pana ""Quoted"" Role" USING (true);
    ALTER DEFAULT PRIVILEGES FOR ROLE pana_reader GRANT SELECT ON TABLES TO pana_writer)");
  ASSERT_TRUE(
      ends_with(kOk, restore({"--role-map", "pana_reader=pana_owner", "--role-map", "Pana \"Quoted\" Role=select"})));
  EXPECT_EQ(
      "select|{select=arwdDxt/select,pana_owner=r/select,pana_writer=r/select}",
      target("SELECT pg_get_userbyid(relowner), replace(relacl::text, 'tm/', 't/') FROM pg_class WHERE relname = 't'"));
  EXPECT_EQ("{pana_owner,select}",
            target("SELECT array_agg(pg_get_userbyid(r) ORDER BY 1) FROM pg_policy, unnest(polroles) AS r"));
  EXPECT_EQ("pana_owner|{pana_owner=arwdDxt/pana_owner,pana_writer=r/pana_owner}",
            target("SELECT pg_get_userbyid(defaclrole), replace(defaclacl::text, 'tm/', 't/') FROM pg_default_acl"));
  EXPECT_EQ("t", target("SELECT has_function_privilege('pana_owner', '\"to\"(int, text)', 'EXECUTE')"));
  EXPECT_EQ("0", target("SELECT count(*) FROM pg_shdepend WHERE refobjid IN ('pana_reader'::regrole, '\"Pana "
                        "\"\"Quoted\"\" Role\"'::regrole) "
                        "AND dbid = (SELECT oid FROM pg_database WHERE datname = 'target')"));
  const Outcome wrong = restore({"--role-map", "pana_reader"});
  EXPECT_TRUE(ends_with(kUsage, wrong));
  const Outcome missing = restore({"--clean", "--role-map", "pana_reader=nobody_at_all"});
  EXPECT_TRUE(ends_with(kRefused, missing));
  EXPECT_THAT(missing.err, HasSubstr("lacks the roles nobody_at_all"));
}

TEST_F(RestoreChoices, GiveBodiesASearchPathThatNeedOne) {
  origin(
      "CREATE FUNCTION norm(t text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT lower(trim(t))';"
      "CREATE FUNCTION slug(t text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT replace(norm(t), '' '', ''-'')';"
      "CREATE TABLE article (title text, slug text GENERATED ALWAYS AS (slug(title)) STORED); INSERT INTO article "
      "VALUES (' Hello World ')");
  const Outcome without = restore({});
  EXPECT_TRUE(ends_with(kFailed, without));
  EXPECT_THAT(without.err,
              AllOf(HasSubstr("an empty search_path"), HasSubstr("--search-path"), Not(HasSubstr("type casts"))));
  ASSERT_TRUE(ends_with(kOk, restore({"--clean", "--search-path", "public"})));
  EXPECT_EQ("hello-world", target("SELECT slug FROM article"));
}

TEST_F(RestoreChoices, WarnOfAnotherLocale) {
  origin("CREATE TABLE t AS SELECT 1 AS id");
  const fs::path backup = back_up("origin");
  cluster().drop_database("target");
  cluster().sql("postgres", "CREATE DATABASE target TEMPLATE template0 LC_COLLATE 'C.UTF-8' LC_CTYPE 'C.UTF-8'");
  const Outcome outcome = pana({"restore", backup, "--into", target_});
  ASSERT_TRUE(ends_with(kOk, outcome));
  EXPECT_THAT(outcome.err, HasSubstr("the source's locale is libc C C, the target's libc C.UTF-8 C.UTF-8"));
}

TEST_F(RestoreChoices, OfNothingAreMistakes) {
  origin(
      "CREATE TABLE p (k int) PARTITION BY LIST (k); CREATE TABLE p_1 PARTITION OF p FOR VALUES IN (1); INSERT INTO p "
      "VALUES (1)");
  const Outcome schema = restore({"-n", "nosuch"});
  EXPECT_TRUE(ends_with(kUsage, schema));
  EXPECT_THAT(schema.err, HasSubstr("no schema of the backup matches nosuch"));
  ASSERT_TRUE(ends_with(kOk, restore({"-t", "p", "-t", "p_1"})));
  EXPECT_TRUE(ends_with(kOk, pana({"verify", back_up("origin"), "--against", target_, "-t", "p", "-t", "p_1"})))
      << "a parent has no rows of its own";
  EXPECT_TRUE(ends_with(kUsage, pana({"verify", back_up("origin"), "--against", target_, "-t", "p"})))
      << "nothing would be compared";
}

TEST_F(RestoreChoices, CanReadWhatPsqlCannot) {
  if (cluster().version() < 14) GTEST_SKIP() << "bodies of standard SQL are there from PostgreSQL 14 on";
  origin(
      "CREATE TABLE shift (\"begin\" timestamptz, n int); INSERT INTO shift VALUES ('2020-01-01', 1);"
      "CREATE FUNCTION shift_begins() RETURNS SETOF timestamptz LANGUAGE sql BEGIN ATOMIC SELECT s.\"begin\" FROM "
      "shift s; END;"
      "CREATE FUNCTION fine(x int) RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT CASE WHEN x > 1 THEN 1 END; END; "
      "CREATE TABLE after_it AS SELECT 1 AS id");
  const Outcome backup = pana({"backup", cluster().url("origin"), "--to", backups_.path()});
  ASSERT_TRUE(ends_with(kOk, backup));
  EXPECT_THAT(backup.err, AllOf(HasSubstr("psql cannot read public.shift_begins()"), Not(HasSubstr("public.fine"))));
  ASSERT_TRUE(ends_with(kOk, restore({})));
  EXPECT_EQ("1|1", target("SELECT (SELECT count(*) FROM shift_begins()), (SELECT id FROM after_it)"));
}

}  // namespace
}  // namespace pana::test
