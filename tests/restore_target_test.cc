// What a restore meets in its target: said before anything is made, and neither mixed with what comes nor taken for it.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.h"
#include "support/compare.h"
#include "support/origin_and_target.h"

namespace pana::test {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

using RestoreTarget = OriginAndTarget;

TEST_F(RestoreTarget, IsNotEmptyWithAnObjectOfAnyKind) {
  const std::vector<std::pair<std::string, std::string>> kinds_and_words = {
      {"CREATE TYPE taken AS (a int)", "type public.taken"},
      {"CREATE TYPE taken AS RANGE (subtype = int)", "type public.taken"},
      {"CREATE COLLATION taken (lc_collate = 'C', lc_ctype = 'C')", "collation public.taken"},
      {"CREATE TEXT SEARCH CONFIGURATION taken (COPY = simple)", "text search configuration public.taken"},
      {"CREATE TEXT SEARCH DICTIONARY taken (TEMPLATE = simple)", "text search dictionary public.taken"},
      {"CREATE TEXT SEARCH PARSER taken (START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end, LEXTYPES = "
       "prsd_lextype)",
       "text search parser public.taken"},
      {"CREATE TEXT SEARCH TEMPLATE taken (LEXIZE = dsimple_lexize)", "text search template public.taken"},
      {"CREATE OPERATOR FAMILY taken USING btree", "operator family public.taken"},
      {"CREATE OPERATOR === (PROCEDURE = int4eq, LEFTARG = int, RIGHTARG = int)", "operator public.\"===\""},
      {"CREATE CONVERSION taken FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8", "conversion public.taken"},
      {"CREATE FOREIGN DATA WRAPPER taken", "foreign-data wrapper taken"},
      {"CREATE FOREIGN DATA WRAPPER w; CREATE SERVER taken FOREIGN DATA WRAPPER w", "foreign server taken"},
      {"CREATE PUBLICATION taken", "publication taken"},
      {"CREATE SUBSCRIPTION taken CONNECTION '' PUBLICATION p WITH (connect = false, slot_name = NONE)",
       "subscription taken"},
      {"CREATE ACCESS METHOD taken TYPE TABLE HANDLER heap_tableam_handler", "access method taken"},
      {"CREATE FUNCTION f() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'; CREATE EVENT TRIGGER taken ON "
       "sql_drop EXECUTE FUNCTION f()",
       "event trigger taken"}};
  for (const auto& [sql, words] : kinds_and_words) {
    SCOPED_TRACE(sql);
    fresh_database("origin");
    fresh_database("target");
    origin("CREATE TABLE t AS SELECT 1 AS id");
    origin(sql);
    target(sql);
    const Outcome outcome = restore(back_up("origin"));
    EXPECT_TRUE(ends_with(kRefused, outcome));
    EXPECT_THAT(outcome.err,
                AllOf(HasSubstr("the target is not empty"), HasSubstr(nlohmann::json(words).dump().substr(1, 10))));
    EXPECT_EQ("t", target("SELECT to_regclass('t') IS NULL"));
    EXPECT_TRUE(ends_with(kOk, restore(backups_.path(), {"--clean", "--verify"})));
  }
}

// What has no schema is in the way by its name alone: platforms bring publications and event triggers along.
TEST_F(RestoreTarget, IsEmptyWithAPublicationOfAnotherName) {
  origin("CREATE TABLE t AS SELECT 1 AS id; CREATE PUBLICATION p FOR TABLE t");
  target("CREATE PUBLICATION another");
  EXPECT_TRUE(ends_with(kOk, restore(back_up("origin"))));
}

// Tables are chosen by their names, and types, functions and operators never.
TEST_F(RestoreTarget, MayHaveTheTypesThatTheChosenTablesNeed) {
  origin(
      "CREATE SCHEMA app; CREATE TYPE app.mood AS ENUM ('good'); CREATE TABLE app.t AS SELECT 'good'::app.mood AS m");
  target(
      "CREATE SCHEMA app; CREATE TYPE app.mood AS ENUM ('good'); CREATE FUNCTION app.t() RETURNS int LANGUAGE sql AS "
      "'SELECT 1'");
  EXPECT_TRUE(ends_with(kOk, restore(back_up("origin"), {"-t", "app.*", "--verify"})));
}

// Found before anything is made, whatever it is that has the name.
TEST_F(RestoreTarget, IsLeftAsItIsWhenItHasANameAlready) {
  origin(
      "CREATE TABLE t (id int PRIMARY KEY); CREATE INDEX named ON t (id); CREATE TABLE u (id int); CREATE FUNCTION f() "
      "RETURNS int LANGUAGE sql AS 'SELECT 1'; SELECT lo_create(7)");
  const fs::path backup = back_up("origin");
  const auto refused = [&](const std::vector<std::string>& options, const std::string& why) {
    const Outcome outcome = restore(backup, options);
    EXPECT_TRUE(ends_with(kRefused, outcome));
    EXPECT_THAT(outcome.err, HasSubstr(why));
    EXPECT_EQ("t", target("SELECT to_regclass('u') IS NULL AND to_regclass('t_pkey') IS NULL"));
  };
  target("CREATE TABLE other (id int); CREATE INDEX named ON other (id)");
  refused({"-t", "t"}, "INDEX public.named: relation \\\"named\\\" already exists");
  target("DROP TABLE other; CREATE TABLE t (id int)");
  refused({"--allow-non-empty"}, "TABLE public.t: relation \\\"t\\\" already exists");
  target("DROP TABLE t; CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 2'");
  refused({"--allow-non-empty"}, "FUNCTION public.f(): function \\\"f\\\" already exists");
  target("DROP FUNCTION f; SELECT lo_create(7)");
  refused({"--allow-non-empty"}, "1 of the backup's large objects are in the target already");
  const Outcome outcome = restore(backup);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("it holds 1 large object\""), Not(HasSubstr("--allow-non-empty"))));
}

// Rows of others that have the names of the backup's, as far as --keep-going goes.
TEST_F(RestoreTarget, KeepsTheContentsOfWhatHasTheName) {
  const std::string sql =
      "CREATE TABLE t AS SELECT i FROM generate_series(1, 1200) AS i; CREATE TABLE s (id serial, n int GENERATED "
      "ALWAYS AS IDENTITY, i int); INSERT INTO s (i) VALUES (1);"
      "CREATE TABLE par (k int) PARTITION BY LIST (k); CREATE TABLE par_1 PARTITION OF par FOR VALUES IN (1); INSERT "
      "INTO par VALUES (1); SELECT lo_from_bytea(5, 'backup');";
  origin(sql +
         "CREATE TABLE fine AS SELECT 1 AS id; SELECT lo_from_bytea(6, 'fine'); CREATE SEQUENCE well; SELECT "
         "setval('well', 7)");
  target(sql + "INSERT INTO s (i) VALUES (2), (3); SELECT lo_put(5, 0, 'TARGET')");
  const Outcome outcome = restore(back_up("origin"), {"--allow-non-empty", "--keep-going"});
  EXPECT_TRUE(ends_with(kFailed, outcome));
  for (const std::string loss : {"1,200 rows of public.t:", "1 row of public.s:", "1 row of public.par_1:",
                                 "the value of sequence public.s_id_seq:", "the value of sequence public.s_n_seq:",
                                 "the contents of 1 large object:"}) {
    const std::size_t first = outcome.err.find("cannot restore " + loss);
    EXPECT_NE(first, std::string::npos) << loss << outcome.description();
    EXPECT_EQ(outcome.err.find("cannot restore " + loss, first + 1), std::string::npos) << loss;
  }
  EXPECT_EQ("1200|3|1|TARGET|3|3", target("SELECT (SELECT count(*) FROM t), (SELECT count(*) FROM s), (SELECT count(*) "
                                          "FROM par), convert_from(lo_get(5), 'UTF8'), "
                                          "(SELECT last_value FROM s_id_seq), (SELECT last_value FROM s_n_seq)"));
  EXPECT_EQ("1|fine|7",
            target("SELECT (SELECT id FROM fine), convert_from(lo_get(6), 'UTF8'), (SELECT last_value FROM well)"));
}

// Whoever has a table, view, sequence or large object of that name does not get the backup's triggers, policies and
// grants on it.
TEST_F(RestoreTarget, KeepsWhatHasTheNameWithoutWhatBelongsToTheBackups) {
  const std::string names =
      R"(CREATE TABLE t (id int, v text); CREATE VIEW w AS SELECT 1 AS id; CREATE SEQUENCE q; CREATE TYPE e AS ENUM ('a'); SELECT lo_from_bytea(5, 'x');
    CREATE TABLE k (id int PRIMARY KEY); CREATE TABLE whole (id int) PARTITION BY LIST (id); CREATE FUNCTION g() RETURNS int LANGUAGE sql AS 'SELECT 1';
    CREATE AGGREGATE total(int) (SFUNC = int4pl, STYPE = int); CREATE FOREIGN DATA WRAPPER fdw; CREATE SERVER srv FOREIGN DATA WRAPPER fdw; CREATE PUBLICATION pub;
    CREATE FUNCTION named(a int, "The b" text) RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE PROCEDURE proc(a int) LANGUAGE sql AS 'SELECT 1';
    CREATE TYPE "Mood" AS ENUM ('a'); CREATE DOMAIN d AS int; CREATE DOMAIN kept AS int CONSTRAINT big CHECK (VALUE > 10); CREATE SERVER "My ""s" FOREIGN DATA WRAPPER fdw;
    CREATE OPERATOR FAMILY fam USING btree; CREATE INDEX "Idx" ON t (v); CREATE COLLATION "Coll" (provider = libc, locale = 'C');
    CREATE FUNCTION eq(int, int) RETURNS bool LANGUAGE sql AS 'SELECT $1 = $2'; CREATE OPERATOR === (FUNCTION = eq, LEFTARG = int, RIGHTARG = int))";
  origin(
      names +
      R"(; CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'; CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f();
    ALTER TABLE t ADD PRIMARY KEY (id), ENABLE ROW LEVEL SECURITY, ALTER id SET DEFAULT 7; CREATE POLICY p ON t USING (true); CREATE INDEX ON t (v); COMMENT ON TABLE t IS 'theirs';
    GRANT SELECT ON t, w, q TO pana_reader; GRANT SELECT ON LARGE OBJECT 5 TO pana_reader; COMMENT ON LARGE OBJECT 5 IS 'theirs'; CREATE TABLE fine (id int PRIMARY KEY REFERENCES k); CREATE TABLE half PARTITION OF whole FOR VALUES IN (1); CREATE TABLE heir (inherits int) INHERITS (k, t); CREATE SEQUENCE free OWNED BY t.id;
    COMMENT ON FUNCTION g IS 'theirs'; GRANT EXECUTE ON FUNCTION total(int) TO pana_reader; GRANT USAGE ON TYPE e TO pana_reader; ALTER PUBLICATION pub ADD TABLE fine;
    CREATE USER MAPPING FOR pana_reader SERVER srv OPTIONS (user 'theirs'); GRANT USAGE ON FOREIGN SERVER srv TO pana_reader; REVOKE USAGE ON TYPE e FROM PUBLIC;
    COMMENT ON FUNCTION named IS 'theirs'; GRANT EXECUTE ON FUNCTION named TO pana_reader; COMMENT ON PROCEDURE proc IS 'theirs'; COMMENT ON TYPE "Mood" IS 'theirs';
    GRANT USAGE ON TYPE "Mood" TO pana_reader; ALTER DOMAIN d ADD CONSTRAINT pos CHECK (VALUE > 0) NOT VALID; COMMENT ON CONSTRAINT big ON DOMAIN kept IS 'theirs';
    COMMENT ON SERVER "My ""s" IS 'theirs'; COMMENT ON OPERATOR FAMILY fam USING btree IS 'theirs'; COMMENT ON COLLATION "Coll" IS 'theirs'; COMMENT ON OPERATOR === (int, int) IS 'theirs';
    CREATE OPERATOR CLASS cls FOR TYPE int USING btree FAMILY fam AS OPERATOR 1 <, OPERATOR 3 =, FUNCTION 1 btint4cmp(int, int);
    CREATE TABLE other_one (v text); DROP INDEX "Idx"; CREATE INDEX "Idx" ON other_one (v); COMMENT ON INDEX "Idx" IS 'theirs')");
  target(names);
  const std::string before = schema_of(cluster(), "target");
  const Outcome outcome = restore(back_up("origin"), {"--allow-non-empty", "--keep-going"});
  EXPECT_TRUE(ends_with(kFailed, outcome));
  for (const std::string left :
       {"TRIGGER public.t tr", "POLICY public.t p", "ACL public.TABLE w", "COMMENT public.FUNCTION g()",
        "ACL public.FUNCTION total(integer)", "FK CONSTRAINT public.fine fine_id_fkey", "TABLE public.heir",
        "TABLE ATTACH public.half", "SEQUENCE OWNED BY public.free", "USER MAPPING USER MAPPING pana_reader SERVER srv",
        "PUBLICATION TABLE public.pub fine", "CHECK CONSTRAINT public.d pos", "OPERATOR CLASS public.cls"}) {
    EXPECT_THAT(outcome.err, HasSubstr("cannot restore " + left + ": the server refused what it belongs to")) << left;
  }
  EXPECT_EQ("|", target("SELECT lomacl, obj_description(5, 'pg_largeobject') FROM pg_largeobject_metadata"));
  target("INSERT INTO fine VALUES (1); DROP TABLE fine, half, other_one; DROP SEQUENCE free; DROP FUNCTION f");
  EXPECT_EQ("", different_entries(before, schema_of(cluster(), "target")));
}

TEST_F(RestoreTarget, HasAnExtensionInAnotherSchema) {
  origin("CREATE SCHEMA ext; CREATE EXTENSION citext SCHEMA ext; CREATE TABLE t (c ext.citext)");
  target("CREATE EXTENSION citext");
  const Outcome outcome = restore(back_up("origin"));
  EXPECT_TRUE(ends_with(kRefused, outcome));
  EXPECT_THAT(outcome.err, HasSubstr("the target has the extension citext in the schema public, the backup in ext"));
  target("CREATE SCHEMA ext; ALTER EXTENSION citext SET SCHEMA ext");
  EXPECT_TRUE(ends_with(kOk, restore(backups_.path())));
}

// Scripts write of the schema public only what differs from that of a new database.
TEST_F(RestoreTarget, GetsItsSchemaPublicBackAsANewDatabaseHasIt) {
  origin("CREATE TABLE t AS SELECT 1 AS id");
  const std::string rights =
      "SELECT pg_get_userbyid(nspowner), nspacl, obj_description(oid) FROM pg_namespace WHERE nspname = 'public'";
  const std::string as_new = target(rights);
  for (const char* const role : {"postgres", "pana_owner"}) {
    SCOPED_TRACE(role);
    fresh_database("target");
    cluster().sql("postgres", fmt::format("ALTER DATABASE target OWNER TO {}", role));
    target("DROP SCHEMA public CASCADE");
    ASSERT_TRUE(ends_with(kOk, pana({"restore", back_up("origin"), "--into", url_of(role), "--no-owner"})));
    if (cluster().version() >= 15 || std::string(role) == "postgres") {
      EXPECT_EQ(as_new, target(rights));
    }
  }
}

TEST_F(RestoreTarget, KeepsWhatIsBesideAndTheProofDoesNotMindIt) {
  origin("CREATE SCHEMA app; CREATE TABLE app.t AS SELECT 1 AS id; SELECT lo_create(4711)");
  target("CREATE TABLE other AS SELECT 2 AS id; CREATE SEQUENCE s; SELECT lo_create(4712)");
  const fs::path backup = back_up("origin");
  EXPECT_TRUE(ends_with(kOk, restore(backup, {"--allow-non-empty", "--verify"})));
  EXPECT_TRUE(ends_with(kDifferent, pana({"verify", backup, "--against", target_}))) << "asked for by itself, it does";
}

// The owner of the database owns neither its languages nor the server's functions.
TEST_F(RestoreTarget, MayNotGiveAllRightsWhichTheReportNames) {
  origin(
      "GRANT USAGE ON LANGUAGE plpgsql TO pana_reader; REVOKE USAGE ON LANGUAGE plpgsql FROM PUBLIC; CREATE TABLE t AS "
      "SELECT 1 AS id");
  const fs::path backup = back_up("origin");
  cluster().sql("postgres", "ALTER DATABASE target OWNER TO pana_owner");
  const Outcome outcome = pana({"restore", backup, "--into", url_of("pana_owner"), "--no-owner", "--json"});
  ASSERT_TRUE(ends_with(kOk, outcome));
  EXPECT_THAT(Json::parse(outcome.out).at("rights_not_restored").dump(),
              HasSubstr("LANGUAGE plpgsql is not restored as it was"));
  cluster().sql("postgres", "DROP OWNED BY pana_owner");
}

TEST_F(RestoreTarget, OwnsItsLargeObjectsWithoutTheFormerOwner) {
  origin(
      "SELECT lo_create(4711); ALTER LARGE OBJECT 4711 OWNER TO pana_owner; GRANT SELECT ON LARGE OBJECT 4711 TO "
      "pana_reader; "
      "SELECT lo_create(4712); ALTER LARGE OBJECT 4712 OWNER TO pana_owner; REVOKE UPDATE ON LARGE OBJECT 4712 FROM "
      "pana_owner");
  const std::string acl = "SELECT oid, pg_get_userbyid(lomowner), lomacl FROM pg_largeobject_metadata ORDER BY oid";
  const fs::path backup = back_up("origin");
  ASSERT_TRUE(ends_with(kOk, restore(backup)));
  EXPECT_EQ(cluster().sql("origin", acl), target(acl));
  ASSERT_TRUE(ends_with(kOk, restore(backup, {"--clean", "--no-owner"})));
  EXPECT_EQ("{postgres=rw/postgres,pana_reader=r/postgres}",
            target("SELECT lomacl FROM pg_largeobject_metadata WHERE oid = 4711"));
}

TEST_F(RestoreTarget, IsLeftAloneByOptionsThatMakeNoSense) {
  origin("CREATE TABLE t AS SELECT 1 AS id; CREATE PUBLICATION p");
  const fs::path backup = back_up("origin");
  for (const std::vector<std::string>& options :
       std::vector<std::vector<std::string>>{{"-n", ""},
                                             {"-t", ""},
                                             {"-N", ""},
                                             {"-s", "--verify"},
                                             {"--role-map", "a=b", "--role-map", "a=c"},
                                             {"-t", "t", "-T", "t"},
                                             {"-n", "public", "-N", "public"},
                                             {"-t", "none"},
                                             {"-n", "none"}}) {
    EXPECT_TRUE(ends_with(kUsage, restore(backup, options)));
    if (options[0] == "-t" || options[0] == "-n") {
      std::vector<std::string> look = {"check", cluster().url("origin")};
      look.insert(look.end(), options.begin(), options.end());
      EXPECT_TRUE(ends_with(options[1].empty() ? kUsage : kRefused, pana(look)));
      std::vector<std::string> of_nothing = {"backup", cluster().url("origin"), "--to", backups_.path()};
      of_nothing.insert(of_nothing.end(), options.begin(), options.end());
      EXPECT_TRUE(ends_with(kUsage, pana(of_nothing)));
    }
  }
  EXPECT_THAT(restore(backup, {"--search-path", "x; DROP"}).err, HasSubstr("search_path"));
  EXPECT_EQ("0", target("SELECT count(*) FROM pg_publication"));
}

// -T without a schema means what is in the search path, and without -t and -n there is more than tables.
TEST_F(RestoreTarget, GetsWhatPatternsLeave) {
  origin(
      "CREATE SCHEMA app; CREATE TABLE app.foo AS SELECT 1 AS id; CREATE TABLE foo AS SELECT 2 AS id; SELECT "
      "lo_create(9)");
  ASSERT_TRUE(ends_with(kOk, restore(back_up("origin", {"-t", "app.foo", "-T", "foo"}), {})));
  EXPECT_EQ("1", target("SELECT id FROM app.foo"));
  target("DROP TABLE app.foo");
  ASSERT_TRUE(ends_with(kOk, restore(back_up("origin", {"-t", "foo", "-T", "none"}), {})));
  EXPECT_EQ("2", target("SELECT id FROM foo"));
  const fs::path schema = back_up("origin", {"-n", "app"});
  for (const std::vector<std::string>& options :
       std::vector<std::vector<std::string>>{{"-N", "app"}, {"-n", "public"}, {"-N", "app", "-T", "t"}}) {
    EXPECT_TRUE(ends_with(kUsage, restore(schema, options)));
  }
  target_ = fresh_database("target");
  ASSERT_TRUE(ends_with(kOk, restore(back_up("origin", {"-N", "*"}), {"-N", "*"})));
  EXPECT_EQ("9|0",
            target("SELECT oid, (SELECT count(*) FROM pg_class WHERE relname = 'foo') FROM pg_largeobject_metadata"));
}

// Patterns of pg_dump match the server's own schemas as well.
TEST_F(RestoreTarget, GetsNothingOfTheServersOwnSchemas) {
  origin("CREATE TABLE t AS SELECT 1 AS id");
  const Outcome backup = pana({"backup", cluster().url("origin"), "--to", backups_.path(), "-n", "public", "-n",
                               "pg_catalog", "-n", "information_schema"});
  ASSERT_TRUE(ends_with(kOk, backup));
  EXPECT_THAT(backup.err, HasSubstr("nothing in the database matches pg_catalog, information_schema"));
  ASSERT_TRUE(ends_with(kOk, restore(backups_.path(), {"--verify"})));
  EXPECT_EQ("1", target("SELECT id FROM t"));
}

// What is in both encodings may be restored, to who says so; the rest is refused, and named.
TEST_F(RestoreTarget, HasAnotherEncodingThatTheTextMayFit) {
  origin("CREATE TABLE t AS SELECT 1 AS id, 'plain'::text AS x; CREATE TABLE \"Straße\" AS SELECT 'ä'::text AS x");
  const fs::path backup = back_up("origin");
  cluster().drop_database("target");
  cluster().create_database("target", "LATIN1");
  const Outcome refused = restore(backup);
  EXPECT_TRUE(ends_with(kRefused, refused));
  EXPECT_THAT(refused.err,
              HasSubstr("--keep-going restores what fits, and names the rows of each frame that does not"));
  ASSERT_TRUE(ends_with(kOk, restore(backup, {"--keep-going", "--verify"})));
  EXPECT_EQ("plain|1", target("SET client_encoding = 'UTF8'; SELECT t.x, length(s.x) FROM t, \"Straße\" AS s"));

  origin("INSERT INTO t VALUES (2, 'Ω')");
  const Outcome partial = restore(back_up("origin"), {"--keep-going", "--clean"});
  EXPECT_TRUE(ends_with(kFailed, partial));
  EXPECT_THAT(partial.err,
              AllOf(HasSubstr("cannot restore 2 rows of public.t"), HasSubstr("character with byte sequence")));
  EXPECT_EQ("1", target("SET client_encoding = 'UTF8'; SELECT count(*) FROM \"Straße\""));
  origin("COMMENT ON TABLE t IS 'Ω'; CREATE TABLE \"Ωt\" (\"Ωc\" int)");
  const fs::path unfit = back_up("origin");
  for (const std::vector<std::string>& options :
       std::vector<std::vector<std::string>>{{}, {"--clean"}, {"--clean", "--data-only"}}) {
    std::vector<std::string> arguments = {"--keep-going"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    const Outcome of_definitions = restore(unfit, arguments);
    EXPECT_TRUE(ends_with(kRefused, of_definitions));
    EXPECT_THAT(of_definitions.err, HasSubstr("the target's LATIN1 lacks characters of the definitions of: "));
  }
  EXPECT_TRUE(ends_with(kOk, restore(unfit, {"--keep-going", "--clean", "-t", "\"Straße\"", "--verify"})));
  cluster().drop_database("target");
  cluster().create_database("target", "EUC_JP");
  cluster().create_database("latin", "LATIN1");
  cluster().sql("latin", "CREATE TABLE t AS SELECT 1 AS id");
  const Outcome impossible = restore(back_up("latin"), {"--keep-going"});
  EXPECT_TRUE(ends_with(kRefused, impossible)) << "there is no conversion";
  cluster().drop_database("latin");
}

// A server from 14 on stores them as they are: text of which nobody could make a backup that restores.
TEST_F(RestoreTarget, TakesNoBytesOfNoEncoding) {
  cluster().drop_database("origin");
  cluster().create_database("origin", "SQL_ASCII");
  origin("CREATE TABLE t AS SELECT 'plain'::text AS x");
  const fs::path backup = back_up("origin");
  for (const std::vector<std::string>& options : std::vector<std::vector<std::string>>{{}, {"--keep-going"}}) {
    const Outcome refused = restore(backup, options);
    EXPECT_TRUE(ends_with(kRefused, refused));
    EXPECT_THAT(refused.err, AllOf(HasSubstr("SQL_ASCII"), Not(HasSubstr("--keep-going"))));
  }
}

// Of tables that are not chosen, or get no rows, no trigger can change what is loaded.
TEST_F(RestoreTarget, HasTriggersThatAreNoneOfItsBusiness) {
  const std::string sql =
      "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; CREATE TABLE a (id int); "
      "CREATE TABLE b (id int); "
      "CREATE TRIGGER t BEFORE INSERT ON b FOR EACH ROW EXECUTE FUNCTION f()";
  origin(sql);
  target(sql);
  const fs::path backup = back_up("origin");
  EXPECT_THAT(restore(backup, {"-a", "-t", "a"}).err, Not(HasSubstr("triggers")));
  EXPECT_EQ(kOk, restore(backup, {"-a", "-t", "b"}).exit_status) << "no row, no trigger";
}

TEST_F(RestoreTarget, IsNotNamedByTheUsersName) {
  std::string url = cluster().url("postgres");
  url.erase(url.rfind('/'));
  const fs::path backup = back_up("origin");
  for (const std::vector<std::string>& command : {std::vector<std::string>{"restore", backup, "--into", url},
                                                  {"backup", url, "--to", backups_.path()},
                                                  {"verify", backup, "--against", url}}) {
    const Outcome refused = pana(command);
    EXPECT_TRUE(ends_with(kUsage, refused)) << command.front();
    EXPECT_THAT(refused.err, AllOf(HasSubstr("no database is named"), HasSubstr("write the database into the URL")));
  }
}

}  // namespace
}  // namespace pana::test
