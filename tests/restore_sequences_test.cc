// The values of sequences, where --data-only finds them in use.
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

class RestoreSequences : public OriginAndTarget {
 protected:
  // Three sequences, each ten numbers on its way.
  fs::path back_up_tables() {
    origin(
        "CREATE TABLE t (id serial, n text); INSERT INTO t (n) SELECT 'n' FROM generate_series(1, 10);"
        "CREATE TABLE \"Odd\" (id int GENERATED ALWAYS AS IDENTITY (INCREMENT -5)); "
        "INSERT INTO \"Odd\" SELECT FROM generate_series(1, 10); CREATE SEQUENCE free; SELECT setval('free', 10)");
    return back_up("origin");
  }

  std::string positions() const {
    return target(
        "SELECT (SELECT last_value FROM t_id_seq), (SELECT last_value FROM \"Odd_id_seq\"), "
        "(SELECT last_value FROM free)");
  }
};

// What they have given out since the backup is in rows that were lost, and perhaps elsewhere: it is given out again.
TEST_F(RestoreSequences, GoBackWithAWord) {
  const fs::path backup = back_up_tables();
  ASSERT_TRUE(ends_with(kOk, restore(backup, {})));
  target("SELECT nextval('t_id_seq'), nextval('\"Odd_id_seq\"'); SELECT setval('free', 5)");
  ASSERT_EQ("11|-51|5", positions());
  const Outcome outcome = restore(backup, {"--clean", "--data-only", "--verify"});
  ASSERT_TRUE(ends_with(kOk, outcome));
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("the restore set the sequence public.t_id_seq back from 11 to 10"),
                                 HasSubstr("the restore set the sequence public.Odd_id_seq back from -51 to -46"),
                                 Not(HasSubstr("public.free"))));
  EXPECT_EQ("10|-46|10", positions());
  const std::string hint = "SELECT pg_catalog.setval('\"public\".\"Odd_id_seq\"', -51, true)";
  EXPECT_THAT(outcome.err, HasSubstr(nlohmann::json(hint).dump().substr(1, hint.size())));
  target(hint);
  EXPECT_EQ("10|-51|10", positions());
  EXPECT_THAT(restore(backup, {"--clean"}).err, Not(HasSubstr("sequence_set_back"))) << "they are made anew";
}

// All or nothing, as far as that goes for sequences, which belong to no transaction: they are put back.
TEST_F(RestoreSequences, AreWhereTheyWereWhenOneIsRefused) {
  const fs::path backup = back_up_tables();
  ASSERT_TRUE(ends_with(kOk, restore(backup, {})));
  target("SELECT setval('t_id_seq', 500); ALTER SEQUENCE free MAXVALUE 5 RESTART 1; UPDATE t SET n = 'mine'");
  const Outcome refused = restore(backup, {"--clean", "--data-only"});
  EXPECT_TRUE(ends_with(kFailed, refused));
  EXPECT_THAT(refused.err, AllOf(HasSubstr("the value of sequence public.free"), HasSubstr("out of bounds"),
                                 HasSubstr("the tables hold the rows that they held")));
  EXPECT_EQ("500|-46|1|10", target("SELECT (SELECT last_value FROM t_id_seq), (SELECT last_value FROM \"Odd_id_seq\"), "
                                   "(SELECT last_value FROM free), (SELECT count(*) FROM t WHERE n = 'mine')"));
  const Outcome partial = restore(backup, {"--clean", "--data-only", "--keep-going"});
  EXPECT_TRUE(ends_with(kFailed, partial));
  EXPECT_THAT(partial.err, HasSubstr("the restore set the sequence public.t_id_seq back from 500 to 10"));
  EXPECT_EQ("10|-46|1", positions());
}

// Never used when the backup was made: the same number comes again.
TEST_F(RestoreSequences, GoBackToBeforeTheirFirstNumber) {
  const fs::path backup = both("CREATE SEQUENCE s");
  target("SELECT nextval('s')");
  const Outcome outcome = restore(backup, {"--clean", "--data-only"});
  ASSERT_TRUE(ends_with(kOk, outcome));
  EXPECT_THAT(outcome.err, HasSubstr("the restore set the sequence public.s back from 1 to before 1"));
}

// The log is Unicode, whatever the databases are.
TEST_F(RestoreSequences, AreNamedInUnicode) {
  for (const char* const name : {"origin", "target"}) {
    cluster().drop_database(name);
    cluster().create_database(name, "LATIN1");
    cluster().sql(name, "SET client_encoding = 'UTF8'; CREATE TABLE \"Straße\" (id serial)");
  }
  const fs::path backup = back_up("origin");
  target("SET client_encoding = 'UTF8'; SELECT nextval('\"Straße_id_seq\"')");
  const Outcome outcome = restore(backup, {"--clean", "--data-only"});
  ASSERT_TRUE(ends_with(kOk, outcome));
  EXPECT_THAT(outcome.err,
              AllOf(HasSubstr(R"(Stra\u00dfe_id_seq back from)"), HasSubstr(R"(Stra\u00dfe_id_seq\"', 1)")));
}

TEST_F(RestoreSequences, StayWhereTheyAreWhenTheyAreExcluded) {
  const fs::path backup = back_up_tables();
  ASSERT_TRUE(ends_with(kOk, restore(backup, {})));
  target("SELECT nextval('t_id_seq'), nextval('\"Odd_id_seq\"')");
  const Outcome outcome =
      restore(backup, {"--clean", "--data-only", "-t", "t", "-T", "t_id_seq", "-t", "\"Odd\"", "--verify"});
  ASSERT_TRUE(ends_with(kOk, outcome));
  EXPECT_THAT(outcome.err, AllOf(Not(HasSubstr("t_id_seq")), HasSubstr("public.Odd_id_seq back from")));
  EXPECT_EQ("11|-46|10", positions());
}

// A role that may set a sequence, but not read it, is not told.
TEST_F(RestoreSequences, AreSetWhereTheyCannotBeRead) {
  const fs::path backup = back_up_tables();
  ASSERT_TRUE(ends_with(kOk, restore(backup, {})));
  target(
      "SELECT nextval('t_id_seq'); GRANT INSERT, SELECT, TRUNCATE ON t TO pana_writer; "
      "GRANT UPDATE ON SEQUENCE t_id_seq TO pana_writer");
  ASSERT_TRUE(
      ends_with(kOk, pana({"restore", backup, "--into", url_of("pana_writer"), "--clean", "--data-only", "-t", "t"})));
  EXPECT_EQ("10|-46|10", positions());
}

}  // namespace
}  // namespace pana::test
