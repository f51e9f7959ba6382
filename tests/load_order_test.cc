// Rows that can only be loaded behind others: by psql, by pana, and into tables whose foreign keys are there already.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/origin_and_target.h"

namespace pana::test {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

class Loading : public OriginAndTarget {
 protected:
  static void expect_equal() {
    EXPECT_EQ("", different_lines(tables_of(cluster(), "origin"), tables_of(cluster(), "target")));
  }

  // By psql, over several connections and over one.
  void expect_every_way_to_restore(const fs::path& backup) {
    ASSERT_TRUE(ends_with(0, restore_with_psql(cluster(), backup, "target")));
    expect_equal();
    for (const char* const jobs : {"1", "4"}) {
      target_ = fresh_database("target");
      ASSERT_TRUE(ends_with(kOk, restore(backup, {"-j", jobs}))) << jobs;
      expect_equal();
    }
  }
};

TEST_F(Loading, OfAnExtensionsTablesThatReferToEachOther) {
  if (!cluster().has_probe_extension()) GTEST_SKIP() << "the server's installation cannot be copied";
  origin(
      "CREATE SCHEMA probe; CREATE EXTENSION pana_probe; INSERT INTO probe.units SELECT 'u' || i, i, false FROM "
      "generate_series(1, 40000) AS i;"
      "INSERT INTO probe.a_measures SELECT i, 'u' || i, CASE WHEN i % 1000 = 999 THEN NULL ELSE i + 1 END FROM "
      "generate_series(1, 39000) AS i WHERE i % 1000 > 0;"
      "CREATE TABLE t AS SELECT 1 AS id");
  expect_every_way_to_restore(back_up("origin"));
}

// A CHECK that reads another table, and a column that is computed from one: PostgreSQL advises against both.
TEST_F(Loading, OfTablesThatAreCheckedAndComputedByOthers) {
  origin(R"(
    CREATE TABLE z_codes (code int PRIMARY KEY, name text); INSERT INTO z_codes SELECT i, 'code ' || i FROM generate_series(1, 500) AS i;
    CREATE FUNCTION known(c int) RETURNS boolean LANGUAGE sql STABLE AS 'SELECT EXISTS (SELECT FROM public.z_codes AS x WHERE x.code = $1)';
    CREATE FUNCTION name_of(c int) RETURNS text LANGUAGE plpgsql IMMUTABLE AS
      'BEGIN RETURN (SELECT name FROM public.z_codes AS x WHERE x.code = $1); END';
    CREATE DOMAIN known_code AS int CHECK (known(VALUE)); CREATE TYPE pair AS (one known_code, two int);
    CREATE TABLE a_orders (id int, code int CHECK (public.known(code)), filler text);
    INSERT INTO a_orders SELECT i, i % 500 + 1, repeat('x', 300) FROM generate_series(1, 40000) AS i;
    CREATE TABLE b_named (code int, name text GENERATED ALWAYS AS (name_of(code)) STORED);
    INSERT INTO b_named SELECT i % 500 + 1 FROM generate_series(1, 5000) AS i;
    CREATE TABLE c_domain (codes known_code[], p pair); INSERT INTO c_domain VALUES ('{1, 2}', (3, 4));)");
  expect_every_way_to_restore(back_up("origin"));
}

// A CHECK whose function reads the table itself sees none of the rows that come in the same statement, however many
// frames they are.
TEST_F(Loading, OfATableThatIsCheckedByItself) {
  origin(R"(
    CREATE TABLE t (id int, grp int, kind text, pad text); ALTER TABLE t ALTER pad SET STORAGE PLAIN;
    CREATE FUNCTION grp_open(g int) RETURNS boolean LANGUAGE sql STABLE AS 'SELECT NOT EXISTS (SELECT FROM public.t WHERE grp = g AND kind = ''close'')';
    INSERT INTO t SELECT i, i, 'open', repeat(md5(i::text), 120) FROM generate_series(1, 2500) AS i;
    INSERT INTO t SELECT 2500 + i, i, 'open', repeat(md5(i::text), 20) FROM generate_series(1, 10) AS i;
    ALTER TABLE t ADD CHECK (kind = 'close' OR grp_open(grp));
    UPDATE t SET kind = 'close' WHERE id IN (1, 5, 9); CREATE INDEX ti ON t (id); CLUSTER t USING ti)");
  expect_every_way_to_restore(back_up("origin"));
}

// Indexes and triggers that are there, whose functions read another table that may be loaded later.
TEST_F(Loading, OfRowsAloneComesBeforeWhatLooksAtThem) {
  origin(R"(
    CREATE TABLE a_codes (id int PRIMARY KEY, name text); INSERT INTO a_codes SELECT i, 'L' || i FROM generate_series(1, 2000) AS i;
    CREATE TABLE b_rows (id int, code int, name text, pad text); ALTER TABLE b_rows ALTER pad SET STORAGE PLAIN;
    CREATE TABLE c_rows (id int, code int, name text, pad text); ALTER TABLE c_rows ALTER pad SET STORAGE PLAIN;
    CREATE FUNCTION name_of(int) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$BEGIN RETURN (SELECT name FROM public.a_codes WHERE id = $1); END$$;
    CREATE FUNCTION fill() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN NEW.name := (SELECT name FROM public.a_codes WHERE id = NEW.code); RETURN NEW; END$$;
    INSERT INTO b_rows SELECT i, 1 + i % 1000, '', repeat('x', 3000) FROM generate_series(1, 5000) AS i;
    CREATE INDEX by_name ON b_rows (name_of(code)); CREATE INDEX by_id ON b_rows (id) WHERE name_of(code) IS NOT NULL;
    CREATE TRIGGER fill BEFORE INSERT ON c_rows FOR EACH ROW EXECUTE FUNCTION fill();
    INSERT INTO c_rows SELECT i, 1 + i % 10, NULL, repeat('x', 3000) FROM generate_series(1, 5000) AS i)");
  const fs::path backup = back_up("origin");
  ASSERT_TRUE(ends_with(kOk, restore(backup, {"--schema-only"})));
  for (const std::vector<std::string>& options :
       std::vector<std::vector<std::string>>{{"--data-only", "--fire-triggers"},
                                             {"--data-only", "--clean", "--fire-triggers"},
                                             {"--data-only", "--clean", "-j", "4", "--fire-triggers"}}) {
    ASSERT_TRUE(ends_with(kOk, restore(backup, options)));
    expect_equal();
    EXPECT_EQ("5|5000",
              target("SET enable_seqscan = off; SELECT (SELECT count(*) FROM b_rows WHERE name_of(code) = 'L7'), "
                     "(SELECT count(*) FROM b_rows WHERE name_of(code) IS NOT NULL AND id < 100000)"));
  }
}

// Names against the order of the keys, a table of several frames that refers to itself, and one of them in parts.
constexpr const char* kChain = R"(
CREATE TABLE d_root (id int PRIMARY KEY, text text); INSERT INTO d_root SELECT i, repeat('r', 500) FROM generate_series(1, 20000) AS i;
CREATE TABLE c_tree (id int PRIMARY KEY, root int REFERENCES d_root, parent int REFERENCES c_tree, text text);
INSERT INTO c_tree SELECT i, i, 20001 - i, repeat('t', 500) FROM generate_series(1, 20000) AS i;
CREATE TABLE b_leaf (id int PRIMARY KEY, tree int REFERENCES c_tree); INSERT INTO b_leaf SELECT i, i FROM generate_series(1, 100) AS i;
CREATE TABLE a_part (id int PRIMARY KEY, leaf int REFERENCES b_leaf) PARTITION BY RANGE (id);
CREATE TABLE a_part_1 PARTITION OF a_part FOR VALUES FROM (0) TO (50); CREATE TABLE a_part_2 PARTITION OF a_part DEFAULT;
INSERT INTO a_part SELECT i, i FROM generate_series(1, 100) AS i;
CREATE TABLE a_of_part (id int REFERENCES a_part); INSERT INTO a_of_part VALUES (1), (99);
)";

TEST_F(Loading, OfRowsAloneFollowsTheForeignKeys) {
  origin(kChain);
  const fs::path backup = back_up("origin");
  ASSERT_TRUE(ends_with(kOk, restore(backup, {"--schema-only"})));
  ASSERT_TRUE(ends_with(kOk, restore(backup, {"--data-only"})));
  expect_equal();
  ASSERT_TRUE(ends_with(kOk, restore(backup, {"--data-only", "--clean", "-j", "1"})));
  expect_equal();
}

TEST_F(Loading, OfRowsAloneSaysWhatHelpsRowsWithoutThoseTheyReferTo) {
  const fs::path backup = both(
      "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int REFERENCES a); INSERT INTO a VALUES (1); INSERT "
      "INTO "
      "b VALUES (1); ");
  target("TRUNCATE a, b");
  const Outcome refused = restore(backup, {"--data-only", "-t", "b"});
  EXPECT_TRUE(ends_with(kFailed, refused));
  EXPECT_THAT(refused.err, HasSubstr("--disable-triggers loads them without checking foreign keys"));
  ASSERT_TRUE(ends_with(kOk, restore(backup, {"--data-only", "-t", "b", "--disable-triggers"})));
  EXPECT_EQ("1", target("SELECT id FROM b"));
}

TEST_F(Loading, OfRowsAloneIsRefusedBeforeAnythingIsEmptied) {
  origin(
      "CREATE TABLE a (id int PRIMARY KEY, b int); CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a, extra int);"
      "INSERT INTO a VALUES (1, 1); INSERT INTO b VALUES (1, 1); ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b");
  const fs::path backup = back_up("origin");
  ASSERT_TRUE(ends_with(kOk, restore(backup)));
  const Outcome circle = restore(backup, {"--data-only", "--clean"});
  EXPECT_TRUE(ends_with(kRefused, circle));
  EXPECT_THAT(circle.err, AllOf(HasSubstr("public.a, public.b refer to each other"),
                                HasSubstr("the tables hold the rows that they held"), HasSubstr("--disable-triggers")));
  EXPECT_EQ("1|1", target("SELECT (SELECT count(*) FROM a), (SELECT count(*) FROM b)"));
  target("ALTER TABLE b DROP extra");
  const Outcome column = restore(backup, {"--data-only", "--clean", "--disable-triggers"});
  EXPECT_TRUE(ends_with(kRefused, column));
  EXPECT_THAT(column.err, HasSubstr("the target's tables lack the columns public.b (extra)"));
  EXPECT_EQ("1|1", target("SELECT (SELECT count(*) FROM a), (SELECT count(*) FROM b)"));
  target("ALTER TABLE b ADD extra int");
  ASSERT_TRUE(ends_with(kOk, restore(backup, {"--data-only", "--clean", "--disable-triggers"})));
  expect_equal();
}

// Deferred keys are looked at before the sequences are set, which belong to no transaction.
TEST_F(Loading, OfRowsAloneInACircleThatIsRefusedLeavesSequencesAlone) {
  origin(
      "CREATE TABLE a (id serial PRIMARY KEY, b int); CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a "
      "DEFERRABLE); INSERT INTO a (b) VALUES (1); INSERT INTO b VALUES (1, 1); "
      "ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b DEFERRABLE");
  const fs::path backup = back_up("origin");
  ASSERT_TRUE(ends_with(kOk, restore(backup)));
  target(
      "SELECT setval('a_id_seq', 500); ALTER TABLE b ADD later int DEFAULT 99; "
      "ALTER TABLE b ADD FOREIGN KEY (later) REFERENCES a DEFERRABLE NOT VALID");
  const Outcome refused = restore(backup, {"--data-only", "--clean"});
  EXPECT_TRUE(ends_with(kRefused, refused));
  EXPECT_THAT(refused.err, AllOf(HasSubstr("the tables hold the rows that they held"),
                                 testing::Not(HasSubstr("sequence_set_back"))));
  EXPECT_EQ("1|500", target("SELECT (SELECT count(*) FROM a), (SELECT last_value FROM a_id_seq)"));
}

// No order of the tables helps, but their rows may come in some order all the same, or the keys are looked at at the
// end.
TEST_F(Loading, OfRowsAloneInACircle) {
  origin(
      "CREATE TABLE department (id int PRIMARY KEY, manager int); CREATE TABLE employee (id int PRIMARY KEY, "
      "department int NOT NULL REFERENCES department, pad text);"
      "ALTER TABLE department ADD FOREIGN KEY (manager) REFERENCES employee DEFERRABLE;"
      "INSERT INTO department SELECT i, NULL FROM generate_series(1, 100) AS i; INSERT INTO employee SELECT i, i % 100 "
      "+ 1, repeat('x', 500) FROM generate_series(1, 20000) AS i");
  const fs::path without = back_up("origin");
  origin(
      "ALTER TABLE department ALTER CONSTRAINT department_manager_fkey DEFERRABLE INITIALLY DEFERRED; UPDATE "
      "department SET manager = 20001 - id");
  const fs::path with = back_up("origin");
  for (const fs::path& backup : {without, with}) {
    target_ = fresh_database("target");
    ASSERT_TRUE(ends_with(kOk, restore(backup, {"--schema-only"})));
    for (const std::vector<std::string>& options : std::vector<std::vector<std::string>>{
             {"--data-only"}, {"--data-only", "--clean"}, {"--data-only", "--clean", "-j", "3"}}) {
      ASSERT_TRUE(ends_with(kOk, restore(backup, options)));
    }
  }
  expect_equal();
  target("UPDATE department SET manager = NULL; DELETE FROM employee WHERE id = 7");
  EXPECT_TRUE(ends_with(kRefused, restore(with, {"--data-only", "--clean", "--keep-going"})))
      << "nothing is emptied for rows that may not come";
  EXPECT_EQ("19999", target("SELECT count(*) FROM employee"));
}

TEST_F(Loading, OfRowsAloneLeavesWhatAnExtensionBrought) {
  if (!cluster().has_probe_extension()) GTEST_SKIP() << "the server's installation cannot be copied";
  origin(
      "CREATE SCHEMA probe; CREATE EXTENSION pana_probe; INSERT INTO probe.units VALUES ('mine', 2, false); INSERT "
      "INTO probe.a_measures VALUES (1, 'mine', 1)");
  const fs::path backup = back_up("origin");
  ASSERT_TRUE(ends_with(kOk, restore(backup, {"--schema-only"})));
  ASSERT_TRUE(ends_with(kOk, restore(backup, {"--data-only"}))) << "the extension's own rows are not in the way";
  expect_equal();
  const Outcome again = restore(backup, {"--data-only"});
  EXPECT_TRUE(ends_with(kRefused, again));
  EXPECT_THAT(again.err, HasSubstr("hold rows already"));
  ASSERT_TRUE(ends_with(kOk, restore(backup, {"--data-only", "--clean"})));
  expect_equal();
  EXPECT_EQ("2", target("SELECT count(*) FROM probe.units WHERE built_in"));
}

// Over a slow line each question costs a round trip.
TEST_F(Loading, OfRowsAloneAsksAboutManyTablesAtOnce) {
  const Cluster server({"logging_collector = on", "log_filename = 'server.log'", "log_statement = all"});
  const auto for_each_table = [&server](const std::string& sql) {
    server.sql("postgres", "DO $$BEGIN FOR i IN 1..150 LOOP EXECUTE format('" + sql + "', i); END LOOP; END$$");
  };
  for_each_table("CREATE TABLE t%s AS SELECT 1 AS id");
  ASSERT_TRUE(ends_with(kOk, pana({"backup", server.url("postgres"), "--to", backups_.path()})));
  for_each_table("TRUNCATE t%s");
  const auto questions = [&server] {
    return std::stoi(server.sql(
        "postgres", "SELECT count(*) FROM regexp_matches(pg_read_file('log/server.log'), 'statement: SELECT', 'g')"));
  };
  const int before = questions();
  ASSERT_TRUE(ends_with(kOk, pana({"restore", backups_.path(), "--into", server.url("postgres"), "--data-only"})));
  EXPECT_LT(questions() - before, 50);
}

// Small tables share frames. From a store each reading is a request.
TEST_F(Loading, OfRowsAloneReadsAFrameOnceForAllItsTables) {
  origin(
      "DO $$BEGIN FOR i IN 0..99 LOOP EXECUTE format('CREATE TABLE t%s (id int PRIMARY KEY, up int %s, text text)', i, "
      "CASE WHEN i % 10 > 0 THEN 'REFERENCES t' || i - 1 END);"
      "EXECUTE format('INSERT INTO t%s SELECT g, g, repeat(md5(g::text), 10) FROM generate_series(1, 100) AS g', i); "
      "END LOOP; END$$");
  const fs::path backup = back_up("origin");
  ASSERT_TRUE(ends_with(kOk, restore(backup)));
  for (const char* const jobs : {"1", "4"}) {
    const Outcome outcome = restore(backup, {"--data-only", "--clean", "--json", "--jobs", jobs});
    ASSERT_TRUE(ends_with(kOk, outcome));
    EXPECT_LT(nlohmann::json::parse(outcome.out).at("bytes_read"), 2 * fs::file_size(backup));
    expect_equal();
  }
}

}  // namespace
}  // namespace pana::test
