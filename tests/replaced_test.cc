// Parts that a restore puts in the place of what the target has.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "support/origin_and_target.h"

namespace pana::test {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

// Restores that are about a few tables of their own.
class Replaced : public OriginAndTarget {
 protected:
  static void expect_equal_schemas() {
    EXPECT_EQ("", different_entries(schema_of(cluster(), "origin"), schema_of(cluster(), "target")));
  }
  static void expect_equal() {
    EXPECT_EQ("", differences(content_of(cluster(), "origin"), content_of(cluster(), "target")));
  }
};

TEST_F(Replaced, WithAKeyThatIsAttachedToAPlainIndexOfTheParent) {
  origin(
      "CREATE TABLE measures (k int NOT NULL, v int) PARTITION BY LIST (k); CREATE UNIQUE INDEX measures_k ON measures "
      "(k);"
      "CREATE TABLE measures_1 (k int PRIMARY KEY, v int); ALTER TABLE measures ATTACH PARTITION measures_1 FOR VALUES "
      "IN (1); INSERT INTO measures VALUES (1, 2)");
  const fs::path backup = back_up("origin");
  ASSERT_TRUE(ends_with(kOk, restore(backup)));
  ASSERT_TRUE(ends_with(kOk, restore(backup, {"--clean"})));
  expect_equal();
}

constexpr const char* kPartitioned = R"(
CREATE TABLE parent (k int, t text, PRIMARY KEY (k)) PARTITION BY LIST (k); CREATE INDEX parent_t ON parent (t); COMMENT ON INDEX parent_t IS 'by text';
CREATE TABLE part_1 PARTITION OF parent FOR VALUES IN (1); CREATE TABLE part_2 PARTITION OF parent FOR VALUES IN (2);
INSERT INTO parent VALUES (1, 'one'), (2, 'two'); COMMENT ON INDEX part_1_t_idx IS 'of one';
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER seen BEFORE INSERT ON parent FOR EACH ROW EXECUTE FUNCTION f(); ALTER TABLE part_1 DISABLE TRIGGER seen;
ALTER TABLE part_2 ENABLE ALWAYS TRIGGER seen; CREATE PUBLICATION told FOR TABLE part_1, part_2;
)";

TEST_F(Replaced, OfAPartitionedTableWithAllThatHangsOnIt) {
  origin(kPartitioned);
  const fs::path backup = back_up("origin");
  ASSERT_TRUE(ends_with(kOk, restore(backup)));
  for (const std::vector<std::string>& choice :
       {std::vector<std::string>{"-t", "parent", "-t", "part_*"}, {"-t", "part_1"}, {"-t", "part_2"}}) {
    std::vector<std::string> options = {"--clean"};
    options.insert(options.end(), choice.begin(), choice.end());
    ASSERT_TRUE(ends_with(kOk, restore(backup, options))) << choice.back();
    expect_equal();
    EXPECT_EQ("t", target("SELECT bool_and(indisvalid) FROM pg_index")) << choice.back();
  }
}

// Three levels, with indexes of each kind, and one that only the middle has.
constexpr const char* kPartitionedTwice = R"(
CREATE TABLE top (id int, at date, v text, PRIMARY KEY (id, at), UNIQUE (at, id)) PARTITION BY RANGE (at); CREATE INDEX ON top (v);
CREATE TABLE top24 PARTITION OF top FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE top25 PARTITION OF top FOR VALUES FROM ('2025-01-01') TO ('2026-01-01') PARTITION BY LIST (id);
CREATE TABLE top25a PARTITION OF top25 FOR VALUES IN (1, 2, 3);
CREATE TABLE top25b PARTITION OF top25 DEFAULT PARTITION BY RANGE (at); CREATE TABLE top25b1 PARTITION OF top25b DEFAULT;
CREATE INDEX middle ON top25 (v DESC); CREATE UNIQUE INDEX ON top (at, id, v);
INSERT INTO top SELECT i % 9, date '2024-01-01' + i, i::text FROM generate_series(1, 700) i; GRANT SELECT ON top, top25, top25a TO pana_reader;
CREATE TABLE other AS SELECT i AS id FROM generate_series(0, 8) i; ALTER TABLE other ADD PRIMARY KEY (id); ALTER TABLE top ADD FOREIGN KEY (id) REFERENCES other;
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; CREATE TRIGGER tg BEFORE INSERT ON top FOR EACH ROW EXECUTE FUNCTION f();
)";

TEST_F(Replaced, APartitionWithPartitionsOfItsOwn) {
  origin(kPartitionedTwice);
  const fs::path backup = back_up("origin");
  ASSERT_TRUE(ends_with(kOk, restore(backup)));
  const std::string attached =
      "SELECT string_agg(format('%s of %s', inhrelid::regclass, inhparent::regclass), ';' ORDER BY "
      "inhrelid::regclass::text), "
      "(SELECT bool_and(indisvalid) FROM pg_index) FROM pg_inherits";
  const std::string expected = cluster().sql("origin", attached);
  for (const std::string chosen : {"top2*", "top25*", "top25b*", "top25a"}) {
    ASSERT_TRUE(ends_with(kOk, restore(backup, {"--clean", "-t", chosen}))) << chosen;
    expect_equal();
    EXPECT_EQ(expected, target(attached)) << chosen;
  }
  for (const std::string lost : {"top25", "top24", "top25a", "top25b"}) {
    target("DROP TABLE " + lost);
    ASSERT_TRUE(ends_with(kOk, restore(backup, {"-t", lost + "*"}))) << lost;
    expect_equal();
    EXPECT_EQ(expected, target(attached)) << lost;
  }
}

TEST_F(Replaced, NothingByPartitionsWhosePlaceIsTaken) {
  origin(
      "CREATE TABLE p (k int) PARTITION BY LIST (k); CREATE TABLE p_1 PARTITION OF p FOR VALUES IN (1); INSERT INTO p "
      "VALUES (1)");
  const fs::path backup = back_up("origin");
  for (const char* const in_the_way : {"CREATE TABLE other PARTITION OF p FOR VALUES IN (1, 2)",
                                       "CREATE TABLE other PARTITION OF p DEFAULT; INSERT INTO p VALUES (1)"}) {
    target_ = fresh_database("target");
    target(std::string("CREATE TABLE p (k int) PARTITION BY LIST (k);") + in_the_way);
    const Outcome outcome = restore(backup, {"-t", "p_1"});
    EXPECT_TRUE(ends_with(kRefused, outcome));
    EXPECT_THAT(outcome.err,
                HasSubstr("the target's partitioned tables do not take the chosen partitions: public.p_1: "));
    EXPECT_EQ("t", target("SELECT to_regclass('p_1') IS NULL"));
  }
}

TEST_F(Replaced, OnlyWithThePartitionsThatWouldGoAlong) {
  origin(kPartitioned);
  const fs::path backup = back_up("origin");
  ASSERT_TRUE(ends_with(kOk, restore(backup)));
  target(
      "CREATE TABLE part_new PARTITION OF parent FOR VALUES IN (3); INSERT INTO parent VALUES (3, 'since the backup')");
  const Outcome parent = restore(backup, {"--clean", "-t", "parent"});
  EXPECT_TRUE(ends_with(kRefused, parent));
  EXPECT_THAT(parent.err,
              HasSubstr("would drop partitions that are not restored: public.part_1 of public.parent, public.part_2"));
  const Outcome whole = restore(backup, {"--clean"});
  EXPECT_TRUE(ends_with(kRefused, whole));
  EXPECT_THAT(whole.err, HasSubstr("public.part_new of public.parent"));
  EXPECT_EQ("3", target("SELECT count(*) FROM parent"));
}

TEST_F(Replaced, APartitionAloneBecomesATable) {
  origin(kPartitioned);
  const Outcome outcome = restore(back_up("origin"), {"-t", "part_1", "--keep-going"});
  EXPECT_THAT(outcome.err, HasSubstr("public.part_1 becomes a separate table: its parent public.parent"));
  EXPECT_EQ("1|one", target("SELECT * FROM part_1"));
}

TEST_F(Replaced, APartitionAloneNeedsTheSequenceOfItsDefaults) {
  origin(
      "CREATE TABLE parent (id serial, k int) PARTITION BY LIST (k); CREATE TABLE part PARTITION OF parent FOR VALUES "
      "IN (1); INSERT INTO parent (k) VALUES (1), (1)");
  const fs::path backup = back_up("origin");
  const Outcome alone = restore(backup, {"-t", "part"});
  EXPECT_TRUE(ends_with(kRefused, alone));
  EXPECT_THAT(alone.err, HasSubstr("the target lacks what the chosen parts need: TABLE public.part: relation "
                                   "\\\"public.parent_id_seq\\\" does not exist"));
  ASSERT_TRUE(ends_with(kOk, restore(backup, {"-t", "part", "-t", "parent_id_seq"})));
  EXPECT_EQ("3", target("INSERT INTO part (k) VALUES (1) RETURNING id"));
}

TEST_F(Replaced, ListsWhatAChoiceNeeds) {
  origin(
      "CREATE TYPE mood AS ENUM ('fine'); CREATE FUNCTION f(int) RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE TABLE "
      "other (id int PRIMARY KEY);"
      "CREATE TABLE t (m mood, n int DEFAULT f(1), o int REFERENCES other); CREATE VIEW v AS SELECT * FROM t");
  const fs::path backup = back_up("origin");
  const Outcome outcome = restore(backup, {"-t", "t", "-t", "v"});
  EXPECT_TRUE(ends_with(kRefused, outcome));
  EXPECT_THAT(
      outcome.err,
      AllOf(HasSubstr(
                "the target lacks what the chosen parts need: TABLE public.t: type \\\"public.mood\\\" does not exist"),
            Not(HasSubstr("VIEW public.v"))));
  EXPECT_EQ("0", target("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"));
  target("CREATE TYPE mood AS ENUM ('fine'); CREATE FUNCTION f(int) RETURNS int LANGUAGE sql AS 'SELECT 1'");
  const Outcome key = restore(backup, {"-t", "t", "--allow-non-empty"});
  EXPECT_TRUE(ends_with(kRefused, key));
  EXPECT_THAT(key.err, HasSubstr("FK CONSTRAINT public.t t_o_fkey: relation \\\"public.other\\\" does not exist"));
  EXPECT_EQ("0", target("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"));
  ASSERT_TRUE(ends_with(kOk, restore(backup, {"-t", "t", "-t", "other", "-t", "v", "--allow-non-empty"})));
  expect_equal();
}

TEST_F(Replaced, WhatIsExcludedStays) {
  origin(
      "CREATE TABLE kept AS SELECT 1 AS id; CREATE TABLE replaced AS SELECT 2 AS id; CREATE VIEW kept_view AS SELECT 3 "
      "AS id");
  const fs::path backup = back_up("origin");
  ASSERT_TRUE(ends_with(kOk, restore(backup)));
  target("UPDATE kept SET id = 10; UPDATE replaced SET id = 20; CREATE OR REPLACE VIEW kept_view AS SELECT 30 AS id");
  ASSERT_TRUE(ends_with(kOk, restore(backup, {"--clean", "-T", "kept*"})));
  EXPECT_EQ("10|2|30", target("SELECT (SELECT id FROM kept), (SELECT id FROM replaced), (SELECT id FROM kept_view)"));
}

// Foreign keys between partitioned tables and, beside them, between their partitions: each locks all partitions of both
// sides. They are their table's, wherever they stand, and what is left out keeps them.
TEST_F(Replaced, StatisticsStayWithTheirTable) {
  const fs::path backup = both(
      "CREATE SCHEMA s2; CREATE TABLE t (x int PRIMARY KEY, y int); CREATE TABLE s2.x (id int); CREATE TABLE u (id "
      "int);"
      "CREATE STATISTICS st ON x, y FROM t; COMMENT ON STATISTICS st IS 'c'; CREATE STATISTICS s2.st ON x, y FROM t; "
      "COMMENT ON STATISTICS s2.st IS 'd'");
  for (const std::vector<std::string>& options : std::vector<std::vector<std::string>>{
           {"-T", "t"}, {"-n", "s2"}, {"-N", "public"}, {"-N", "s2"}, {"-t", "u"}, {}}) {
    std::vector<std::string> arguments = {"--clean"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    const Outcome outcome = restore(backup, arguments);
    EXPECT_TRUE(ends_with(kOk, outcome)) << testing::PrintToString(options);
    if (options == std::vector<std::string>{"-N", "s2"})
      target("CREATE STATISTICS s2.st ON x, y FROM t; COMMENT ON STATISTICS s2.st IS 'd'");  // gone with its table
    expect_equal_schemas();
  }
  target_ = fresh_database("target");
  EXPECT_TRUE(ends_with(kOk, restore(backup, {"-n", "public"}))) << "the schema of the others is not there";
  target_ = fresh_database("target");
  EXPECT_TRUE(ends_with(kOk, restore(backup, {"-t", "t"})));
  EXPECT_EQ("public.st", target("SELECT format('%I.%I', stxnamespace::regnamespace, stxname) FROM pg_statistic_ext"));
}

// There is nothing to compare, which must not end with "wrong usage" behind a restore.
TEST_F(Replaced, WhatHasNoRowsIsNotCompared) {
  origin(
      "CREATE TABLE p (id int) PARTITION BY LIST (id); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1); CREATE VIEW v "
      "AS SELECT 1 AS one");
  const fs::path backup = back_up("origin");
  for (const char* const pattern : {"p", "v"}) {
    target_ = fresh_database("target");
    const Outcome outcome = restore(backup, {"-t", pattern, "--verify"});
    EXPECT_TRUE(ends_with(kOk, outcome)) << pattern;
    EXPECT_THAT(outcome.out, HasSubstr("nothing was compared"));
  }
}

// The state of a trigger that it had with its parent is nothing that a table of its own has.
TEST_F(Replaced, APartitionAloneHasNoTriggersOfItsParent) {
  origin(
      "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; CREATE TABLE pp (id int) "
      "PARTITION BY LIST (id);"
      "CREATE TABLE pp1 PARTITION OF pp FOR VALUES IN (1); CREATE TRIGGER pt AFTER INSERT ON pp FOR EACH ROW EXECUTE "
      "FUNCTION f();"
      "CREATE TRIGGER own AFTER INSERT ON pp1 FOR EACH ROW EXECUTE FUNCTION f();"
      "ALTER TABLE pp1 DISABLE TRIGGER pt; ALTER TABLE pp1 DISABLE TRIGGER own; INSERT INTO pp VALUES (1)");
  const fs::path backup = back_up("origin");
  target_ = fresh_database("target");
  target("CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'");
  ASSERT_TRUE(ends_with(kOk, restore(backup, {"-t", "pp1", "--allow-non-empty"})));
  EXPECT_EQ(
      "1|own:D",
      target("SELECT (SELECT count(*) FROM pp1), string_agg(tgname || ':' || tgenabled::text, ',') FROM pg_trigger"));
}

// The target's table may count with another sequence, or with none.
TEST_F(Replaced, RowsOfATableComeWithoutASequenceThatTheTargetLacks) {
  origin("CREATE TABLE t (id serial, x int); INSERT INTO t (x) SELECT generate_series(1, 9)");
  const fs::path backup = back_up("origin");
  target_ = fresh_database("target");
  target("CREATE TABLE t (id int, x int)");
  const Outcome outcome = restore(backup, {"--data-only", "-t", "t", "--verify"});
  EXPECT_TRUE(ends_with(kOk, outcome));
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("sequence_left_out"), HasSubstr("public.t_id_seq")));
  EXPECT_EQ("9", target("SELECT count(*) FROM t"));
  EXPECT_TRUE(ends_with(kRefused, restore(backup, {"--data-only", "--clean", "-t", "t", "-t", "t_id_seq"})))
      << "which is asked for";
}

TEST_F(Replaced, FindsAMissingAccessMethodBeforehand) {
  origin(
      "CREATE ACCESS METHOD other_heap TYPE TABLE HANDLER heap_tableam_handler; CREATE TABLE t (a int) USING "
      "other_heap; INSERT INTO t VALUES (1)");
  const fs::path backup = back_up("origin");
  target_ = fresh_database("target");
  const Outcome refused = restore(backup, {"-t", "t"});
  EXPECT_TRUE(ends_with(kRefused, refused));
  EXPECT_THAT(refused.err, HasSubstr("other_heap"));
}

// Of a backup of parts somebody may believe that it is whole.
TEST_F(Replaced, ABackupOfPartsIsTriedBeforehand) {
  origin(
      "CREATE TABLE c (id int PRIMARY KEY); CREATE TABLE d (c int REFERENCES c); INSERT INTO c VALUES (1); INSERT INTO "
      "d VALUES (1)");
  const fs::path backup = back_up("origin", {"-T", "c"});
  target_ = fresh_database("target");
  const Outcome refused = restore(backup);
  EXPECT_TRUE(ends_with(kRefused, refused));
  EXPECT_THAT(refused.err, AllOf(HasSubstr("public.c"), HasSubstr("--keep-going")));
  EXPECT_EQ("0", target("SELECT count(*) FROM pg_class WHERE relname = 'd'"));
  EXPECT_TRUE(ends_with(kFailed, restore(backup, {"--keep-going"})));
  EXPECT_EQ("1", target("SELECT count(*) FROM d"));
}

TEST_F(Replaced, ForeignKeysOfPartitionedTablesDoNotWaitForEachOther) {
  std::string sql =
      "CREATE TABLE p (id int, k int, PRIMARY KEY (id, k)) PARTITION BY LIST (k); CREATE TABLE a (id int, pid int, k "
      "int, PRIMARY KEY (id, k)) PARTITION BY LIST (k);";
  for (int i = 1; i <= 12; ++i)
    sql += fmt::format(
        "CREATE TABLE p_{0} PARTITION OF p FOR VALUES IN ({0}); CREATE TABLE a_{0} PARTITION OF a FOR VALUES IN ({0});",
        i);
  sql +=
      "INSERT INTO p SELECT i, k FROM generate_series(1, 20) i, generate_series(1, 12) k; INSERT INTO a SELECT i, i, k "
      "FROM generate_series(1, 20) i, generate_series(1, 12) k;";
  for (int i = 1; i <= 12; ++i) sql += fmt::format("ALTER TABLE p_{} ADD UNIQUE (id);", i);
  for (int i = 1; i <= 12; ++i)
    sql += fmt::format("ALTER TABLE a_{0} ADD CONSTRAINT zz_{0} FOREIGN KEY (pid) REFERENCES p_{1} (id);", i, 13 - i);
  origin(sql +
         "ALTER TABLE a ADD CONSTRAINT aa FOREIGN KEY (pid, k) REFERENCES p (id, k); ALTER TABLE a ADD CONSTRAINT zzz "
         "FOREIGN KEY (id, k) REFERENCES p (id, k)");
  const fs::path backup = back_up("origin");
  for (int round = 0; round < 3; ++round) {
    const std::string deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = 'target'";
    ASSERT_TRUE(ends_with(kOk, pana({"restore", backup, "--into", fresh_database("target")})));
    EXPECT_EQ("0", target(deadlocks));
    expect_equal();
  }
}

TEST_F(Replaced, ASequenceStaysItsTables) {
  const fs::path backup = both("CREATE TABLE t (id int); CREATE SEQUENCE s OWNED BY t.id");
  ASSERT_TRUE(ends_with(kOk, restore(backup, {"--clean", "-t", "s"})));
  EXPECT_EQ("t", target("SELECT EXISTS (SELECT FROM pg_depend WHERE objid = 's'::regclass AND refobjid = 't'::regclass "
                        "AND deptype = 'a')"));
}

// Its definition stands behind the rows: a primary key lets it be.
TEST_F(Replaced, AViewThatNeedsAPrimaryKeyIsFound) {
  const fs::path backup = both(
      "CREATE TABLE t (id int PRIMARY KEY, v int); CREATE MATERIALIZED VIEW m AS SELECT id, v, count(*) FROM t GROUP "
      "BY id");
  target("INSERT INTO t VALUES (1, 2); DROP MATERIALIZED VIEW m");
  ASSERT_TRUE(ends_with(kOk, restore(backup, {"-t", "m"})));
  EXPECT_EQ("1|2|1", target("TABLE m"));
  for (const std::vector<std::string>& options :
       std::vector<std::vector<std::string>>{{"-t", "m"}, {"-t", "*"}, {"-n", "public"}}) {
    std::vector<std::string> clean = {"--clean"};
    clean.insert(clean.end(), options.begin(), options.end());
    ASSERT_TRUE(ends_with(kOk, restore(backup, clean)));
    expect_equal_schemas();
  }
}

}  // namespace
}  // namespace pana::test
