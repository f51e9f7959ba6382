// From each major version of PostgreSQL into the same and each later one, by pana and by psql, against what pg_dump and
// psql make of it.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>

#include "support/compare.h"
#include "support/pana.h"
#include "support/server_tree.h"

namespace pana::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

constexpr std::array kMajors = {13, 14, 15, 16, 17, 18};

class Versions : public testing::TestWithParam<int> {
 protected:
  void SetUp() override {
    for (const int major : kMajors) {
      const auto programs = find_server_programs(major);
      if (!programs) GTEST_SKIP() << fmt::format("there is no PostgreSQL {0} here (scripts/get-postgresql {0})", major);
      if (const auto closed = closed_to_others(*programs))
        GTEST_SKIP() << "the server's account may not pass " << closed->string();
    }
  }

  // Each is started at first use, and stopped behind the last test.
  static void TearDownTestSuite() { clusters().clear(); }

  static const Cluster& of(int major) {
    std::unique_ptr<Cluster>& cluster = clusters()[major];
    if (!cluster) {
      cluster = Cluster::of_major(major);
      cluster->psql_file("postgres", fixture("roles.sql"));
      cluster->create_database("everything");
      cluster->psql_file("everything", fixture("everything.sql"));
    }
    return *cluster;
  }

  // With the clients of all versions at hand, from which it has to choose.
  static Outcome pana_by_path(const std::vector<std::string>& arguments) {
    std::vector<std::string> path;
    for (const int major : kMajors) path.push_back(find_server_programs(major).value());
    Command command = pana_command(arguments);
    command.environment["PATH"] = fmt::format("{}:{}", fmt::join(path, ":"), std::getenv("PATH"));
    return pana(command);
  }

  fs::path back_up(int major) const {
    EXPECT_TRUE(ends_with(kOk, pana_by_path({"backup", of(major).url("everything"), "--to", backups_.path()})));
    return backups_in(backups_.path()).at(0);
  }

  TemporaryDirectory backups_;

 private:
  static std::map<int, std::unique_ptr<Cluster>>& clusters() {
    static std::map<int, std::unique_ptr<Cluster>> clusters;
    return clusters;
  }
};

TEST_P(Versions, AreCarriedIntoTheSameAndLaterOnes) {
  const Cluster& source = of(GetParam());
  const fs::path backup = back_up(GetParam());
  const std::string script = source.pg_dump({}, "everything");
  const Content content = content_of(source, "everything");
  for (const int major : kMajors) {
    if (major < GetParam()) continue;
    // Into the same one others restore: tests/server_tests.
    const bool is_looked_at = major == GetParam() + 1 || major == kMajors.back();
    if (!is_looked_at && std::getenv("PANA_ALL_PAIRS") == nullptr) continue;
    SCOPED_TRACE(fmt::format("from {} into {}", GetParam(), major));
    const Cluster& target = of(major);
    for (const char* const database : {"by_pg_dump", "by_psql", "by_pana"}) target.create_database(database);
    Command by_pg_dump = target.client("psql", {"-X", "-q", "-o", "/dev/null", "-v", "ON_ERROR_STOP=1"}, "by_pg_dump");
    by_pg_dump.input = script;
    run_successfully(by_pg_dump);
    const Content expected = content_of(target, "by_pg_dump");
    EXPECT_EQ("", different_lines(content.tables, expected.tables)) << "pg_dump and psql";

    EXPECT_TRUE(ends_with(kOk, restore_with_psql(target, backup, "by_psql")));
    EXPECT_EQ("", differences(expected, content_of(target, "by_psql"))) << "psql";
    const Outcome outcome = pana_by_path({"restore", backup, "--into", target.url("by_pana"), "--verify"});
    EXPECT_TRUE(ends_with(kOk, outcome));
    EXPECT_THAT(outcome.err, Not(HasSubstr("older_server")));
    EXPECT_EQ("", differences(expected, content_of(target, "by_pana"))) << "pana";
    for (const char* const database : {"by_pg_dump", "by_psql", "by_pana"}) target.drop_database(database);
  }
}

// What both know arrives; what does not is named by the server, behind a word about the cause.
TEST_P(Versions, AreCarriedOneDownAsFarAsTheServerKnowsThem) {
  if (GetParam() == kMajors.front()) return;
  const Cluster& source = of(GetParam());
  const Cluster& target = of(GetParam() - 1);
  source.create_database("plain");
  source.sql("plain",
             "CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, v text CHECK (v <> '')); INSERT INTO t "
             "(v) VALUES ('a'), ('b'); CREATE VIEW w AS SELECT * FROM t");
  target.create_database("plain");
  ASSERT_TRUE(ends_with(kOk, pana_by_path({"backup", source.url("plain"), "--to", backups_ / "plain"})));
  const Outcome outcome = pana_by_path({"restore", backups_ / "plain", "--into", target.url("plain"), "--verify"});
  EXPECT_TRUE(ends_with(kOk, outcome));
  const std::string words =
      fmt::format("the backup is of PostgreSQL {}, the target's server is {}", GetParam(), GetParam() - 1);
  EXPECT_THAT(outcome.err, HasSubstr(words));
  target.create_database("plain");
  const Outcome whole = pana_by_path({"restore", back_up(GetParam()), "--into", target.url("plain"), "--keep-going"});
  EXPECT_THAT(whole.err, HasSubstr(words));
  EXPECT_EQ("", different_lines(source.sql("everything", "SELECT count(*), sum(id) FROM tables.several_pages"),
                                target.sql("plain", "SELECT count(*), sum(id) FROM tables.several_pages")));
  source.drop_database("plain");
  target.drop_database("plain");
}

// pg_dump says so in words that servers before 15 do not know, where they all are logged.
TEST_P(Versions, KeepTheSequenceOfAnUnloggedTableLogged) {
  const Cluster& source = of(GetParam());
  source.create_database("numbered");
  source.sql(
      "numbered",
      R"(CREATE UNLOGGED TABLE "it's; $$" ("i'd" int GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME "LOGGED 'x'"), v text);
                            INSERT INTO "it's; $$" (v) VALUES ('a'), ('b'))");
  if (GetParam() >= 15) source.sql("numbered", R"(ALTER SEQUENCE "LOGGED 'x'" SET LOGGED)");
  ASSERT_TRUE(ends_with(kOk, pana_by_path({"backup", source.url("numbered"), "--to", backups_.path()})));
  source.drop_database("numbered");
  const fs::path backup = backups_in(backups_.path()).at(0);
  for (const int major : {kMajors.front(), kMajors.back()}) {
    SCOPED_TRACE(fmt::format("from {} into {}", GetParam(), major));
    const Cluster& target = of(major);
    for (const char* const database : {"by_psql", "by_pana"}) target.create_database(database);
    EXPECT_TRUE(ends_with(kOk, restore_with_psql(target, backup, "by_psql")));
    EXPECT_TRUE(ends_with(kOk, pana_by_path({"restore", backup, "--into", target.url("by_pana"), "--verify"})));
    for (const char* const database : {"by_psql", "by_pana"}) {
      EXPECT_EQ("u,p,3", target.sql(database, R"(INSERT INTO "it's; $$" (v) VALUES ('c');
                                                 SELECT concat_ws(',', (SELECT relpersistence FROM pg_class WHERE relname = 'it''s; $$'),
                                                                  (SELECT relpersistence FROM pg_class WHERE relkind = 'S'), max("i'd")) FROM "it's; $$")"))
          << database;
      target.drop_database(database);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(From, Versions, testing::ValuesIn(kMajors), testing::PrintToStringParamName());

}  // namespace
}  // namespace pana::test
