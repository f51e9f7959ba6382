// The filters of a backup mean what they mean to pg_dump.
#include <gtest/gtest.h>

#include "support/pana.h"

namespace pana::test {
namespace {

using Options = std::vector<std::string>;

class Filters : public EndToEnd, public testing::WithParamInterface<Options> {};

TEST_P(Filters, ChooseWhatPgDumpWouldChoose) {
  fresh_database("filtered");
  cluster().sql(
      "filtered",
      "CREATE SCHEMA one; CREATE SCHEMA \"Two\";"
      "CREATE TABLE one.orders (id serial PRIMARY KEY, t text); INSERT INTO one.orders (t) VALUES ('a'), ('b');"
      "CREATE TABLE one.events (x int); INSERT INTO one.events VALUES (1);"
      "CREATE TABLE \"Two\".\"Orders\" (x int); INSERT INTO \"Two\".\"Orders\" VALUES (2);"
      "CREATE TABLE \"Two\".parts (x int) PARTITION BY LIST (x);"
      "CREATE TABLE \"Two\".part_1 PARTITION OF \"Two\".parts FOR VALUES IN (1); INSERT INTO \"Two\".parts VALUES (1);"
      "CREATE VIEW one.seen AS SELECT * FROM one.orders; CREATE SEQUENCE one.free START 7; SELECT nextval('one.free');"
      "CREATE MATERIALIZED VIEW one.counted AS SELECT count(*) FROM one.events;"
      "CREATE TABLE public.orders (x int); INSERT INTO orders VALUES (3);");

  // pg_dump leaves a schema out that holds the chosen tables: the targets have it already when tables are chosen.
  const bool tables_chosen = GetParam().front() == "--table";
  const std::string schemas = tables_chosen ? "CREATE SCHEMA one; CREATE SCHEMA \"Two\";" : "";
  for (const char* target : {"by_pg_dump", "by_psql", "by_pana"}) {
    fresh_database(target);
    cluster().sql(target, schemas);
  }

  Command restore = cluster().client("psql", {"-X", "-q", "-o", "/dev/null", "-v", "ON_ERROR_STOP=1"}, "by_pg_dump");
  restore.input = cluster().pg_dump(GetParam(), "filtered");
  run_successfully(restore);
  const std::filesystem::path backup = back_up("filtered", GetParam());
  const Content expected = content_of(cluster(), "by_pg_dump");
  ASSERT_TRUE(ends_with(kOk, restore_with_psql(cluster(), backup, "by_psql")));
  EXPECT_EQ("", differences(expected, content_of(cluster(), "by_psql")));
  ASSERT_TRUE(ends_with(kOk, pana({"restore", backup, "--into", cluster().url("by_pana")})));
  EXPECT_EQ("", differences(expected, content_of(cluster(), "by_pana")));
}

INSTANTIATE_TEST_SUITE_P(All, Filters,
                         testing::Values(Options{"--schema", "one"}, Options{"--exclude-schema", "one"},
                                         Options{"--schema", "\"Two\""}, Options{"--exclude-schema", "\"Two\""},
                                         Options{"--table", "orders"}, Options{"--table", "*.orders"},
                                         Options{"--table", "one.*"}, Options{"--table", "\"Two\".\"Orders\""},
                                         Options{"--table", "one.free"}, Options{"--table", "*.part*"},
                                         Options{"--exclude-table", "*.part*"},
                                         Options{"--exclude-table-data", "one.orders"},
                                         Options{"--exclude-table-data", "*.*", "--exclude-table", "public.orders"}));

}  // namespace
}  // namespace pana::test
