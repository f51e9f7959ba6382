// pana verify --against: equal means equal, and what differs is named.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/pana.h"

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

TEST_F(Against, AMissingTableIsDifferent) {
  expect_only_orders_named(after("DROP TABLE orders"));
}

TEST_F(Against, ADatabaseThatCannotBeReadIsNeitherEqualNorDifferent) {
  const Outcome outcome = pana({"verify", backup_, "--against", cluster().url("not there")});
  EXPECT_TRUE(ends_with(kFailed, outcome));
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
