// pana restore --reconcile into tables that stand there in part: as migrations or an interrupted restore leave them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support/compare.h"
#include "support/origin_and_target.h"

namespace pana::test {
namespace {

using testing::HasSubstr;

class ReconcileParts : public OriginAndTarget {
 protected:
  Outcome reconcile(const std::vector<std::string>& options = {}) const {
    std::vector<std::string> arguments = {"restore", back_up("origin"), "--into", target_, "--reconcile"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    return pana(arguments);
  }
};

// Every kind of object, some six hundred odd tables: each of what pg_dump writes is compared, and found as it is.
TEST_F(ReconcileParts, AreFoundEqualWhereTheyAre) {
  for (const Source* const source : {&everything(), &many()}) {
    const std::filesystem::path backup = back_up(source->database);
    fresh_database("target");
    ASSERT_TRUE(ends_with(kOk, pana({"restore", backup, "--into", target_})));
    std::vector<std::string> look = {"restore", backup, "--into", target_, "--reconcile", "-s", "--dry-run", "--json"};
    if (cluster().version() < 14) look.emplace_back("--no-subscriptions");  // which hides their OIDs
    const Outcome outcome = pana(look);
    ASSERT_TRUE(ends_with(kOk, outcome));
    const nlohmann::json report = nlohmann::json::parse(outcome.out)["reconciled"];
    EXPECT_EQ(0, report["made"]);
    EXPECT_GT(report["compared"], 500);
    EXPECT_THAT(report["different"], testing::IsEmpty());
    EXPECT_THAT(report["only_here"], testing::IsEmpty());
  }
}

TEST_F(ReconcileParts, AreJoinedAgain) {
  origin(R"(
    CREATE TABLE ev (id int PRIMARY KEY, t text) PARTITION BY RANGE (id);
    CREATE TABLE ev_1 PARTITION OF ev FOR VALUES FROM (0) TO (100); CREATE TABLE ev_2 PARTITION OF ev FOR VALUES FROM (100) TO (200);
    INSERT INTO ev SELECT i, 'x' FROM generate_series(1, 150) AS i;
    CREATE TABLE s (id serial); CREATE TABLE k (id int PRIMARY KEY, a text); INSERT INTO k VALUES (1, 'x'), (2, 'y');
    CREATE VIEW v AS SELECT id, a FROM k GROUP BY id)");
  target(R"(
    CREATE TABLE ev (id int NOT NULL, t text) PARTITION BY RANGE (id); CREATE TABLE ev_1 (id int NOT NULL, t text);
    CREATE SEQUENCE s_id_seq AS integer; CREATE VIEW v AS SELECT NULL::integer AS id, NULL::text AS a)");
  ASSERT_TRUE(ends_with(kOk, reconcile({"--verify"})));
  EXPECT_EQ(
      "150|public.s_id_seq|x,y|0",
      target("SELECT (SELECT count(*) FROM ev), pg_get_serial_sequence('s', 'id'), (SELECT string_agg(a, ',' ORDER BY "
             "id) FROM v), (SELECT count(*) FROM pg_index WHERE NOT indisvalid)"));
}

// A restore that was stopped has built the indexes of some keys, which are not theirs yet.
TEST_F(ReconcileParts, AreKeysWhoseIndexesAreBuilt) {
  const std::string tables =
      "CREATE TABLE a (id int NOT NULL, t text); CREATE TABLE b (id int NOT NULL, a int, n int); "
      "CREATE TABLE part (id int NOT NULL) PARTITION BY RANGE (id); CREATE TABLE part_1 PARTITION OF part FOR VALUES "
      "FROM (0) TO (9);";
  origin(tables +
         "ALTER TABLE a ADD PRIMARY KEY (id); ALTER TABLE b ADD PRIMARY KEY (id); ALTER TABLE b ADD CONSTRAINT once "
         "UNIQUE (n) DEFERRABLE; ALTER TABLE b ADD FOREIGN KEY (a) REFERENCES a; ALTER TABLE part ADD PRIMARY KEY "
         "(id); ALTER TABLE a ADD FOREIGN KEY (id) REFERENCES part; INSERT INTO part VALUES (1); INSERT INTO a VALUES "
         "(1, 'x'); INSERT INTO b VALUES (1, 1, 1)");
  target(tables + "CREATE UNIQUE INDEX a_pkey ON a USING btree (id); CREATE UNIQUE INDEX b_pkey ON b USING btree (id)");
  for (int run = 0; run < 2; ++run) {
    const Outcome outcome = reconcile({"--json", run == 0 ? "--verify" : "--schema-only"});
    ASSERT_TRUE(ends_with(kOk, outcome));
    const nlohmann::json report = nlohmann::json::parse(outcome.out)["reconciled"];
    EXPECT_THAT(report["only_here"], testing::IsEmpty());
    EXPECT_EQ(run == 0, report["made"] != 0);
    EXPECT_EQ(schema_of(cluster(), "origin"), schema_of(cluster(), "target"));
  }
}

// What looks like a clause may be part of a body or of a literal, and settings' names are quoted like others.
TEST_F(ReconcileParts, AreFoundEqualHoweverTheyAreWritten) {
  both(R"(
    CREATE TABLE t (i int, j int GENERATED ALWAYS AS (CASE WHEN i = 1 THEN 2 ELSE coalesce(i, CASE WHEN i > 3 THEN 4 END) END) STORED, k text DEFAULT E'x,\n    y');
    CREATE FUNCTION updates() RETURNS void LANGUAGE sql AS E'UPDATE public.t\n    SET i = 1 -- no SECURITY DEFINER, IMMUTABLE STRICT\n    WHERE true';
    CREATE FUNCTION sets() RETURNS int LANGUAGE plpgsql STABLE STRICT SECURITY DEFINER COST 7 PARALLEL SAFE SET timezone = 'UTC' SET "app.Key" = 'it''s \d' SET search_path = "$user", "Odd, one", public SET work_mem = '1MB' AS 'BEGIN RETURN 1; END';
    CREATE TABLE w (a int, b int); ALTER TABLE w ADD CONSTRAINT wk UNIQUE (a) WITH (fillfactor = 60) DEFERRABLE INITIALLY DEFERRED;
    CREATE RULE r AS ON INSERT TO w DO ALSO NOTHING; ALTER TABLE w DISABLE RULE r; CREATE VIEW v WITH (security_barrier = on) AS SELECT i FROM t)");
  const Outcome outcome = reconcile({"--json"});
  ASSERT_TRUE(ends_with(kOk, outcome));
  EXPECT_THAT(nlohmann::json::parse(outcome.out)["reconciled"]["different"], testing::IsEmpty());
}

// A definition that goes on where the target's ends is another one. The server's own trigger functions are nobody's.
TEST_F(ReconcileParts, AreComparedToTheirEnds) {
  constexpr const char* kCommon =
      "CREATE TABLE q (id int PRIMARY KEY, o text, ow name DEFAULT current_user, ts tsvector); CREATE TABLE r (id int, "
      "n int);";
  origin(std::string(kCommon) + R"(
    CREATE VIEW v AS SELECT id, o FROM q WHERE ow = current_user; CREATE VIEW c AS SELECT id FROM q WHERE id > 0 WITH LOCAL CHECK OPTION;
    CREATE MATERIALIZED VIEW m AS SELECT id FROM q WHERE id > 5; CREATE FUNCTION f(int) RETURNS bool LANGUAGE sql AS 'SELECT $1 > 5 AND current_user = ''x''';
    CREATE FUNCTION g() RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog AS 'SELECT 1'; CREATE FUNCTION named(a int, b int DEFAULT 2) RETURNS int LANGUAGE sql AS 'SELECT 1';
    ALTER TABLE r ADD CONSTRAINT to_q FOREIGN KEY (id) REFERENCES q ON DELETE CASCADE; ALTER TABLE r ADD CONSTRAINT once UNIQUE (n) DEFERRABLE INITIALLY DEFERRED;
    CREATE UNIQUE INDEX partial_one ON q (o) WHERE id > 0; CREATE TYPE co AS (a numeric, b timestamp); CREATE DOMAIN d AS int NOT NULL DEFAULT 3 CHECK (VALUE > 0);
    CREATE VIEW b WITH (security_barrier = true) AS SELECT id FROM q; CREATE FUNCTION two() RETURNS int LANGUAGE sql SET search_path = '' SET work_mem = '1MB' AS 'SELECT 1';
    CREATE FUNCTION still() RETURNS int LANGUAGE sql STABLE AS 'SELECT 1'; CREATE RULE nothing AS ON INSERT TO r DO ALSO NOTHING; ALTER TABLE r DISABLE RULE nothing;
    ALTER TABLE q REPLICA IDENTITY USING INDEX q_pkey; CREATE TABLE logged (id int GENERATED ALWAYS AS IDENTITY); CREATE TABLE pr (id int, n int) PARTITION BY RANGE (id); CREATE TABLE pl (id int, n int) PARTITION BY LIST (n); CREATE TABLE pr_1 PARTITION OF pr FOR VALUES FROM (0) TO (10);
    CREATE TRIGGER tsu BEFORE INSERT ON q FOR EACH ROW EXECUTE FUNCTION tsvector_update_trigger(ts, 'pg_catalog.english', o))");
  target(std::string(kCommon) + R"(
    CREATE VIEW v AS SELECT id, o FROM q; CREATE VIEW c AS SELECT id FROM q WHERE id > 0;
    CREATE MATERIALIZED VIEW m AS SELECT id FROM q; CREATE FUNCTION f(int) RETURNS bool LANGUAGE sql AS 'SELECT $1 > 5';
    CREATE FUNCTION g() RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public AS 'SELECT 1'; CREATE FUNCTION named(a int, b int DEFAULT 3) RETURNS int LANGUAGE sql AS 'SELECT 1';
    ALTER TABLE r ADD CONSTRAINT to_q FOREIGN KEY (id) REFERENCES q; ALTER TABLE r ADD CONSTRAINT once UNIQUE (n);
    CREATE UNIQUE INDEX partial_one ON q (o); CREATE TYPE co AS (a numeric(5, 1), b date); CREATE DOMAIN d AS int;
    CREATE VIEW b WITH (security_barrier = false) AS SELECT id FROM q; CREATE FUNCTION two() RETURNS int LANGUAGE sql SET work_mem = '1MB' AS 'SELECT 1';
    CREATE FUNCTION still() RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE RULE nothing AS ON INSERT TO r DO ALSO NOTHING;
    CREATE UNLOGGED TABLE logged (id int GENERATED BY DEFAULT AS IDENTITY); CREATE TABLE pr (id int, n int) PARTITION BY RANGE (id); CREATE TABLE pl (id int, n int) PARTITION BY LIST (id); CREATE TABLE pr_1 PARTITION OF pr FOR VALUES FROM (0) TO (100))");
  const Outcome outcome = reconcile({"--json"});
  ASSERT_TRUE(ends_with(kFailed, outcome));
  const nlohmann::json report = nlohmann::json::parse(outcome.out);
  std::string errors;
  for (const auto& error : report["errors"]) errors += error.get<std::string>() + "\n";
  for (const char* const what :
       {"VIEW public.v", "VIEW public.c", "MATERIALIZED VIEW public.m", "FUNCTION public.f(integer)",
        "FUNCTION public.g()", "FUNCTION public.named(integer, integer)", "FK CONSTRAINT public.r to_q",
        "CONSTRAINT public.r once", "INDEX public.partial_one", "TYPE public.co", "DOMAIN public.d",
        "TABLE public.logged", "SEQUENCE public.logged_id_seq", "TABLE public.pl", "VIEW public.b",
        "FUNCTION public.two()", "FUNCTION public.still()", "RULE public.r nothing"})
    EXPECT_THAT(errors, HasSubstr(std::string(what) + " is defined otherwise here"));
  EXPECT_THAT(errors, HasSubstr("TABLE ATTACH public.pr_1 has another bound here"));
  EXPECT_EQ("i", target("SELECT relreplident FROM pg_class WHERE oid = 'q'::regclass"));
  EXPECT_EQ("tsu", target("SELECT tgname FROM pg_trigger WHERE tgrelid = 'q'::regclass AND NOT tgisinternal"));
}

// A key to a partitioned table has one to each partition, which most rows do not refer to.
TEST_F(ReconcileParts, ReferToPartitionedTables) {
  const std::string tables =
      "CREATE TABLE p (id int PRIMARY KEY) PARTITION BY RANGE (id); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) "
      "TO (10); CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (10) TO (20); CREATE TABLE c (id int REFERENCES p); "
      "CREATE TABLE q (id int REFERENCES p) PARTITION BY RANGE (id); CREATE TABLE q1 PARTITION OF q FOR VALUES FROM "
      "(0) TO (20);";
  origin(tables +
         "INSERT INTO p SELECT generate_series(0, 19); INSERT INTO c SELECT id FROM p; INSERT INTO q SELECT "
         "id FROM p");
  target(tables);
  ASSERT_TRUE(ends_with(kOk, reconcile({"--verify"})));
  target("TRUNCATE p, c, q; ALTER TABLE c DROP CONSTRAINT c_id_fkey; ALTER TABLE c ADD FOREIGN KEY (id) REFERENCES p");
  origin(
      "ALTER TABLE c DROP CONSTRAINT c_id_fkey; ALTER TABLE q DROP CONSTRAINT q_id_fkey; DELETE FROM p WHERE id = 3");
  const Outcome outcome = reconcile();
  EXPECT_TRUE(ends_with(kFailed, outcome));
  EXPECT_THAT(outcome.err, testing::AllOf(HasSubstr("the foreign key c_id_fkey on public.c does not hold for 1 row"),
                                          HasSubstr("the foreign key q_id_fkey on public.q1 does not hold for 1 row")));
}

TEST_F(ReconcileParts, ComeOnce) {
  origin("CREATE TABLE m (id int, t text); INSERT INTO m SELECT i, 'x' FROM generate_series(1, 10) AS i");
  for (const char* const present :
       {"CREATE TABLE m (id int, t text) PARTITION BY RANGE (id); CREATE TABLE m1 PARTITION OF m DEFAULT",
        "CREATE TABLE m (id int, t text); CREATE TABLE m1 () INHERITS (m)"}) {
    target(std::string("DROP TABLE IF EXISTS m CASCADE; ") + present + "; INSERT INTO m1 SELECT 1, 'mine'");
    const Outcome outcome = reconcile();
    EXPECT_TRUE(ends_with(kRefused, outcome)) << present;
    EXPECT_EQ("1", target("SELECT count(*) FROM m"));
  }
}

TEST_F(ReconcileParts, LeaveAloneWhatIsNotChosen) {
  origin(
      "CREATE TABLE a (i int); CREATE TABLE b (i serial); GRANT SELECT ON b TO PUBLIC; INSERT INTO b VALUES (1); "
      "SELECT "
      "setval('b_i_seq', 5)");
  target(
      "CREATE TABLE b (i serial); SELECT setval('b_i_seq', 77); ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO "
      "pana_owner");
  ASSERT_TRUE(ends_with(kOk, reconcile({"-t", "public.a"})));
  EXPECT_EQ("f|1|77",
            target("SELECT has_table_privilege('pana_reader', 'b', 'SELECT'), (SELECT count(*) FROM pg_default_acl), "
                   "(SELECT last_value FROM b_i_seq)"));
  target("ALTER DEFAULT PRIVILEGES REVOKE SELECT ON TABLES FROM pana_owner");
  ASSERT_TRUE(ends_with(kOk, reconcile()));  // a sequence never goes back
  EXPECT_EQ("t|77|1",
            target("SELECT has_table_privilege('pana_reader', 'b', 'SELECT'), (SELECT last_value FROM b_i_seq), "
                   "(SELECT count(*) FROM b)"));
}

TEST_F(ReconcileParts, AreNotChangedByNarrowerTypesNorByTriggers) {
  origin("CREATE TABLE n (id int, price numeric); INSERT INTO n VALUES (1, 2.23456)");
  target("CREATE TABLE n (id int, price numeric(10, 2))");
  EXPECT_TRUE(ends_with(kRefused, reconcile()));
  EXPECT_TRUE(ends_with(kFailed, reconcile({"--keep-going"})));  // said, and not as it was
  target(
      "DROP TABLE n; CREATE TABLE n (id int, price numeric); CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS "
      "'BEGIN NEW.price := 0; RETURN NEW; END'; CREATE TRIGGER t BEFORE INSERT ON n FOR EACH ROW EXECUTE FUNCTION f(); "
      "ALTER TABLE n ENABLE ALWAYS TRIGGER t");
  const Outcome outcome = reconcile();
  EXPECT_TRUE(ends_with(kRefused, outcome));
  EXPECT_THAT(outcome.err, HasSubstr("t on public.n"));
  EXPECT_EQ("0", target("SELECT count(*) FROM n"));
}

TEST_F(ReconcileParts, KeepTheRevokesOfTheSource) {
  origin(
      "CREATE EXTENSION pgcrypto; REVOKE EXECUTE ON FUNCTION crypt(text, text) FROM PUBLIC; CREATE TABLE t (i int); "
      "GRANT "
      "SELECT ON t TO pana_reader");
  target(
      "CREATE TABLE t (i int); GRANT SELECT ON t TO pana_reader WITH GRANT OPTION; SET ROLE pana_reader; GRANT SELECT "
      "ON "
      "t "
      "TO PUBLIC");
  ASSERT_TRUE(ends_with(kOk, reconcile()));
  EXPECT_EQ("f|{pana_reader=r/postgres}",
            target("SELECT has_function_privilege('pana_reader', 'crypt(text, text)', 'EXECUTE'), (SELECT "
                   "array_agg(a) FILTER (WHERE a::text NOT LIKE 'postgres=%') FROM pg_class, unnest(relacl) AS a WHERE "
                   "relname = 't')"));
}

TEST_F(ReconcileParts, AreAsSecureAsTheSource) {
  origin(
      "CREATE TABLE t (i int); ALTER TABLE t ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY; INSERT INTO t VALUES "
      "(1)");
  target("CREATE TABLE t (i int)");
  ASSERT_TRUE(ends_with(kOk, reconcile()));
  EXPECT_EQ(
      "t|t|1",
      target("SELECT relrowsecurity, relforcerowsecurity, (SELECT count(*) FROM t) FROM pg_class WHERE relname = 't'"));
}

TEST_F(ReconcileParts, AreAsked) {
  origin("CREATE TABLE settings (id int, api_key text); INSERT INTO settings VALUES (1, 'precious')");
  target("CREATE TABLE settings (id int)");
  const Outcome outcome = reconcile();
  EXPECT_TRUE(ends_with(kRefused, outcome));
  EXPECT_THAT(outcome.err, HasSubstr("public.settings (api_key)"));
}

}  // namespace
}  // namespace pana::test
