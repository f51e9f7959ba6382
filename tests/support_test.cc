// The tests' own instruments: a comparison that saw no difference where there is one would prove nothing.
#include <gtest/gtest.h>

#include "support/compare.h"

namespace pana::test {
namespace {

TEST(Comparison, SeesOneChangedValue) {
  const Cluster& cluster = shared_cluster();
  cluster.create_database("left");
  cluster.sql("left", "CREATE TABLE t (a int, b text); INSERT INTO t VALUES (1, ''), (2, NULL); CREATE SEQUENCE s;");
  const Content before = content_of(cluster, "left");
  EXPECT_EQ("", differences(before, content_of(cluster, "left")));

  cluster.sql("left", "UPDATE t SET b = '' WHERE a = 2");
  EXPECT_NE("", differences(before, content_of(cluster, "left")));
  cluster.sql("left", "UPDATE t SET b = NULL WHERE a = 2");
  EXPECT_EQ("", differences(before, content_of(cluster, "left")));
}

TEST(Comparison, SeesASequenceThatWasCalledAndALargeObjectThatChanged) {
  const Cluster& cluster = shared_cluster();
  cluster.create_database("left");
  cluster.sql("left", "CREATE SEQUENCE s; SELECT lo_from_bytea(4711, 'x')");
  const Content before = content_of(cluster, "left");
  cluster.sql("left", "SELECT nextval('s')");
  EXPECT_NE("", different_lines(before.sequences, content_of(cluster, "left").sequences));
  cluster.sql("left", "SELECT lo_put(4711, 0, 'y')");
  EXPECT_NE("", different_lines(before.large_objects, content_of(cluster, "left").large_objects));
}

TEST(Comparison, IgnoresTheOrderOfRowsAndDefinitions) {
  const Cluster& cluster = shared_cluster();
  cluster.create_database("left");
  cluster.create_database("right");
  cluster.sql("left", "CREATE TABLE a (x int); CREATE TABLE b (x int); INSERT INTO a VALUES (1), (2)");
  cluster.sql("right", "CREATE TABLE b (x int); CREATE TABLE a (x int); INSERT INTO a VALUES (2), (1)");
  EXPECT_EQ("", differences(content_of(cluster, "left"), content_of(cluster, "right")));
}

// What pg_dump and psql lose in the fixtures cannot be asked of pana.
TEST(Fixtures, AreCarriedWholeByPgDumpAndPsql) {
  const Cluster& cluster = shared_cluster();
  cluster.psql_file("postgres", fixture("roles.sql"));
  cluster.create_database("left");
  cluster.create_database("right");
  cluster.psql_file("left", fixture("everything.sql"));

  Command restore = cluster.client("psql", {"-X", "-q", "-o", "/dev/null", "-v", "ON_ERROR_STOP=1"}, "right");
  restore.input = cluster.pg_dump({}, "left");
  run_successfully(restore);
  EXPECT_EQ("", differences(content_of(cluster, "left"), content_of(cluster, "right")));
}

}  // namespace
}  // namespace pana::test
