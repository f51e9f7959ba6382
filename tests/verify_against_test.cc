// pana verify --against: equal means equal, and what differs is named.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/pana.h"
#include "support/session.h"
#include "support/wait.h"

namespace pana::test {
namespace {

using testing::HasSubstr;
using testing::Not;

class Against : public EndToEnd {
 protected:
  void SetUp() override {
    EndToEnd::SetUp();
    if (IsSkipped()) return;
    fresh_database("origin");
    cluster().sql("origin",
                  "CREATE TABLE orders AS SELECT i AS id, 'order ' || i AS t FROM generate_series(1, 1000) AS i;"
                  "CREATE TABLE calm AS SELECT 1 AS x; CREATE SEQUENCE numbers; SELECT nextval('numbers');"
                  "SELECT lo_from_bytea(4711, 'large');");
    backup_ = back_up("origin");
    url_ = fresh_database("target");
    ASSERT_TRUE(ends_with(kOk, pana({"restore", backup_, "--into", url_})));
  }

  // Compares after a change to the copy.
  Outcome after(const std::string& change) const {
    cluster().sql("target", change);
    return pana({"verify", backup_, "--against", url_});
  }

  void expect_only_orders_named(const Outcome& outcome) const {
    EXPECT_TRUE(ends_with(kDifferent, outcome));
    EXPECT_THAT(outcome.out + outcome.err, HasSubstr("orders"));
    EXPECT_THAT(outcome.out + outcome.err, Not(HasSubstr("public.calm")));
  }

  std::filesystem::path backup_;
  std::string url_;
};

TEST_F(Against, AnEqualDatabaseIsEqualWhateverTheOrderOfItsRows) {
  EXPECT_TRUE(ends_with(kOk, after("")));
  // Every row moves to another place.
  EXPECT_TRUE(
      ends_with(kOk, after("UPDATE orders SET t = t; CREATE INDEX ON orders (t); CLUSTER orders USING orders_t_idx")));
}

TEST_F(Against, OneChangedValueIsDifferent) {
  expect_only_orders_named(after("UPDATE orders SET t = 'ordet 500' WHERE id = 500"));
}

TEST_F(Against, AnEmptyTextInsteadOfNoneIsDifferent) {
  cluster().sql("origin", "UPDATE orders SET t = NULL WHERE id = 1");
  backup_ = back_up("origin", {"--compression", "zstd"});
  expect_only_orders_named(after("UPDATE orders SET t = '' WHERE id = 1"));
}

TEST_F(Against, AMissingOrADoubledRowIsDifferent) {
  expect_only_orders_named(after("DELETE FROM orders WHERE id = 1"));
  expect_only_orders_named(after("INSERT INTO orders SELECT * FROM orders WHERE id = 2"));
}

TEST_F(Against, TwoSwappedValuesAreDifferent) {
  expect_only_orders_named(
      after("UPDATE orders SET t = CASE id WHEN 1 THEN 'order 2' ELSE 'order 1' END WHERE id IN (1, 2)"));
}

TEST_F(Against, AMissingTableIsDifferent) { expect_only_orders_named(after("DROP TABLE orders")); }

TEST_F(Against, AColumnOfAnotherNameIsDifferent) {
  const Outcome one_of_two = after("ALTER TABLE orders RENAME t TO u");
  expect_only_orders_named(one_of_two);
  EXPECT_THAT(one_of_two.out, HasSubstr("the database lacks t"));
  const Outcome all = after("ALTER TABLE orders RENAME id TO other");
  expect_only_orders_named(all);
  EXPECT_THAT(all.out, HasSubstr("the database lacks id, t"));
  EXPECT_TRUE(ends_with(kDifferent, after("ALTER TABLE orders RENAME other TO id; ALTER TABLE orders RENAME u TO t; "
                                          "ALTER TABLE calm RENAME x TO renamed")));
}

TEST_F(Against, AMissingLargeObjectIsDifferentEvenWithoutContents) {
  cluster().sql("origin", "SELECT lo_create(4712)");
  backup_ = back_up("origin", {"--compression", "zstd"});
  const Outcome missing = after("");
  EXPECT_TRUE(ends_with(kDifferent, missing));
  EXPECT_THAT(missing.out, HasSubstr("-large object 4712"));
  const Outcome another = after("SELECT lo_create(4713)");
  EXPECT_TRUE(ends_with(kDifferent, another));
  EXPECT_THAT(another.out, testing::AllOf(HasSubstr("-large object 4712"), HasSubstr("+large object 4713")));
  EXPECT_TRUE(ends_with(kOk, after("SELECT lo_unlink(4713), lo_create(4712)")));
}

// Not being allowed to look is neither equal nor missing.
TEST_F(Against, WhatTheRoleMayNotReadIsRefusedByName) {
  cluster().sql("postgres", "DROP ROLE IF EXISTS pana_curious; CREATE ROLE pana_curious");
  cluster().allow_login("pana_curious");
  cluster().sql("target", "GRANT SELECT ON calm, numbers TO pana_curious");
  const std::string url = cluster().url("target", "pana_curious", cluster().password());
  const Outcome outcome = pana({"verify", backup_, "--against", url});
  EXPECT_TRUE(ends_with(kRefused, outcome));
  EXPECT_THAT(outcome.err,
              testing::AllOf(HasSubstr("table public.orders"), HasSubstr("large object 4711"), Not(HasSubstr("calm"))));
  EXPECT_TRUE(ends_with(kOk, pana({"verify", backup_, "--against", url, "-t", "calm"})));
}

// A backup of parts has sequences too: one whose value may not be read is not missing.
TEST_F(Against, ASequenceOfAPartialBackupThatMayNotBeReadIsRefusedByName) {
  cluster().sql("origin", "CREATE SCHEMA aside; CREATE SEQUENCE aside.others");
  backup_ = back_up("origin", {"-N", "aside", "--compression", "zstd"});
  cluster().sql("postgres", "DROP ROLE IF EXISTS pana_curious; CREATE ROLE pana_curious");
  cluster().allow_login("pana_curious");
  cluster().sql("target",
                "CREATE SCHEMA aside; CREATE SEQUENCE aside.others; GRANT SELECT ON orders, calm TO pana_curious; "
                "GRANT SELECT ON LARGE OBJECT 4711 TO pana_curious");
  const std::string url = cluster().url("target", "pana_curious", cluster().password());
  const Outcome outcome = pana({"verify", backup_, "--against", url});
  EXPECT_TRUE(ends_with(kRefused, outcome));
  EXPECT_THAT(outcome.err, testing::AllOf(HasSubstr("value of sequence public.numbers"), Not(HasSubstr("others"))));
  cluster().sql("target", "GRANT SELECT ON numbers TO pana_curious");
  EXPECT_TRUE(ends_with(kOk, pana({"verify", backup_, "--against", url})));
}

// A table that is locked at first is read in the end, as in a backup.
TEST_F(Against, ATableThatSomebodyHasLockedIsWaitedFor) {
  Session migration(url_);
  migration.execute("BEGIN; LOCK TABLE orders");
  Background verify(pana_command({"verify", backup_, "--against", url_}));
  ASSERT_TRUE(becomes_true([&] { return verify.err_so_far().find("lock_retry") != std::string::npos; }));
  migration.execute("UPDATE orders SET t = 'changed' WHERE id = 1; COMMIT");
  EXPECT_TRUE(ends_with(kDifferent, verify.wait()));
}

TEST_F(Against, ADatabaseThatCannotBeReadIsNeitherEqualNorDifferent) {
  const Outcome outcome = pana({"verify", backup_, "--against", cluster().url("not there")});
  EXPECT_TRUE(ends_with(kFailed, outcome));
}

// A schema may hold definitions alone; one that the backup does not have is a mistake.
TEST_F(Against, SchemasThatTheBackupLacksAreNoChoice) {
  fresh_database("schemas");
  cluster().sql("schemas",
                "CREATE TABLE t AS SELECT 1 AS id; CREATE SCHEMA views; CREATE VIEW views.v AS SELECT 1 AS x");
  const std::string backup = back_up("schemas");
  const std::string url = cluster().url("schemas");
  EXPECT_TRUE(ends_with(kOk, pana({"verify", backup, "--against", url, "-n", "public", "-n", "views"})));
  const Outcome outcome = pana({"verify", backup, "--against", url, "-n", "public", "-n", "veiws"});
  EXPECT_TRUE(ends_with(kUsage, outcome));
  EXPECT_THAT(outcome.err, testing::HasSubstr("no schema of the backup matches veiws"));
  const Outcome dotted = pana({"verify", backup, "--against", url, "-n", "views.public"});
  EXPECT_TRUE(ends_with(kUsage, dotted));
  EXPECT_THAT(dotted.err, testing::HasSubstr("the schema pattern views.public has a dot"));
}

TEST_F(Against, OfNothingIsNotEqual) {
  const std::filesystem::path backup = back_up(everything().database);
  const std::string url = cluster().url(everything().database);
  for (const std::vector<std::string>& patterns :
       std::vector<std::vector<std::string>>{{"-t", "nope"}, {"-n", "nope"}, {"-T", "*.*"}}) {
    std::vector<std::string> arguments = {"verify", backup, "--against", url};
    arguments.insert(arguments.end(), patterns.begin(), patterns.end());
    EXPECT_TRUE(ends_with(kUsage, pana(arguments))) << testing::PrintToString(patterns);
  }
  EXPECT_TRUE(ends_with(kUsage, pana({"verify", backup, "-t", "nope"})));
}

}  // namespace
}  // namespace pana::test
