// The format is for ever: every golden backup that was ever committed must restore, with the content it was made of.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "support/pana.h"

namespace pana::test {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> golden_backups() {
  std::vector<fs::path> backups;
  for (const fs::directory_entry& entry : fs::directory_iterator(fs::path(PANA_SOURCE_DIR) / "tests" / "golden")) {
    if (entry.path().filename().string().starts_with("format")) backups.push_back(entry.path());
  }
  std::sort(backups.begin(), backups.end());
  return backups;
}

class Golden : public EndToEnd, public testing::WithParamInterface<fs::path> {
 protected:
  void expect_content(const std::string& database) const {
    const auto value = [&](const std::string& sql) { return cluster().sql(database, sql); };
    EXPECT_EQ(value("SELECT count(*), count(email), min(mood), max(mood) FROM customers"), "50|34|sad|happy");
    EXPECT_EQ(value("SELECT count(*), sum(net), sum(gross) FROM orders"), "500|156562.50|186309.3750");
    EXPECT_EQ(value("SELECT count(*) FROM no_columns"), "2");
    EXPECT_EQ(value("SELECT mood, count(*), sum(n) FROM by_mood GROUP BY 1 ORDER BY 1"),
              "sad|10|165\nit's \"ok\"|10|145\nhappy|10|155");
    EXPECT_EQ(value("SELECT convert_from(lo_get(4711), 'UTF8'), length(lo_get(4712))"), "a large object|0");
    EXPECT_EQ(value("SELECT nextval('customers_id_seq'), nextval('orders_id_seq')"), "51|501");
    EXPECT_EQ(value("SELECT count(*) FROM sums"), "50");
    EXPECT_EQ(value("SELECT count(*) FROM pg_constraint WHERE contype IN ('p', 'u', 'f') AND "
                    "connamespace = 'public'::regnamespace"),
              "4");
    EXPECT_EQ(value("SELECT md5(string_agg(t::text, '|' ORDER BY t::text COLLATE \"C\")) FROM "
                    "\"odd\nschema\".\"t\"\"able\" AS t"),
              "3338006a3308c296a65a37c4336403dd");
  }
};

TEST_P(Golden, RestoresWithPana) {
  fresh_database("golden");
  ASSERT_TRUE(ends_with(kOk, pana({"verify", GetParam()})));
  ASSERT_TRUE(ends_with(kOk, pana({"restore", GetParam(), "--into", cluster().url("golden"), "--verify"})));
  expect_content("golden");
}

TEST_P(Golden, RestoresWithPsql) {
  fresh_database("golden");
  ASSERT_TRUE(ends_with(kOk, restore_with_psql(cluster(), GetParam(), "golden")));
  ASSERT_TRUE(ends_with(kOk, pana({"verify", GetParam(), "--against", cluster().url("golden")})));
  expect_content("golden");
}

TEST(GoldenBackups, AreOfBothForms) { EXPECT_GE(golden_backups().size(), 2U); }

INSTANTIATE_TEST_SUITE_P(Formats, Golden, testing::ValuesIn(golden_backups()), [](const auto& backup) {
  std::string name = backup.param.filename().string();
  std::replace_if(
      name.begin(), name.end(), [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; }, '_');
  return name;
});

}  // namespace
}  // namespace pana::test
