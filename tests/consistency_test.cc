// Bar 1: a backup is one moment of a database that does not stand still.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <memory>
#include <string>

#include "support/pana.h"
#include "support/session.h"
#include "support/wait.h"

namespace pana::test {
namespace {

namespace fs = std::filesystem;

constexpr const char* kBallastRows = "40000";

// What a team does to its schema on a busy day: each step commits, then the next one comes.
constexpr const char* kMigrations = R"(
DO $$
BEGIN
  FOR i IN 1..1000000 LOOP
    ALTER TABLE transfers ADD COLUMN IF NOT EXISTS extra int DEFAULT 5; COMMIT;
    CREATE TABLE short_lived AS SELECT g AS x FROM generate_series(1, 1000) AS g; COMMIT;
    PERFORM pg_sleep(0.05);
    ALTER TABLE ballast ALTER COLUMN id TYPE bigint; COMMIT;
    PERFORM pg_sleep(0.05);
    ALTER TABLE transfers DROP COLUMN extra; COMMIT;
    DROP TABLE short_lived; COMMIT;
    PERFORM pg_sleep(0.05);
    ALTER TABLE ballast ALTER COLUMN id TYPE int; COMMIT;
    CREATE INDEX IF NOT EXISTS passing ON transfers (amount); COMMIT;
    PERFORM pg_sleep(0.05);
    DROP INDEX passing; COMMIT;
  END LOOP;
END $$)";

class Consistency : public EndToEnd {
 protected:
  void SetUp() override {
    EndToEnd::SetUp();
    if (IsSkipped()) return;
    url_ = fresh_database("bank");
    cluster().psql_file("bank", fixture("invariant.sql"));
  }

  // What the restored copy says is broken; and whether the table that migrations rewrite is whole.
  void expect_whole(const std::string& database) const {
    EXPECT_EQ("", cluster().sql(database, "SELECT * FROM broken"));
    EXPECT_EQ(kBallastRows, cluster().sql(database, "SELECT count(*) FROM ballast"));
  }

  std::string url_;
};

TEST_F(Consistency, HoldsWhileWritersWriteAndMigrationsMigrate) {
  constexpr int kRounds = 12;
  std::vector<std::unique_ptr<Session>> busy;
  for (int writer = 0; writer < 4; ++writer) {
    busy.push_back(std::make_unique<Session>(url_));
    busy.back()->send("CALL transfer_some(100000000)");
  }
  busy.push_back(std::make_unique<Session>(url_));
  busy.back()->send(kMigrations);

  std::string transfers_before;
  for (int round = 0; round < kRounds && !HasFailure(); ++round) {
    SCOPED_TRACE(fmt::format("round {}", round));
    const fs::path backup =
        back_up("bank", {"--jobs", std::to_string(1 + round % 4), "--compression", round % 2 == 0 ? "zstd" : "none"});
    const std::string copy_url = fresh_database("copy");
    const Outcome outcome = round % 3 == 0 ? restore_with_psql(cluster(), backup, "copy")
                                           : pana({"restore", backup, "--into", copy_url, "--verify"});
    ASSERT_TRUE(ends_with(kOk, outcome));
    expect_whole("copy");
    // The writers did write: or the invariant would hold for nothing.
    const std::string transfers = cluster().sql("copy", "SELECT max(id) FROM transfers");
    EXPECT_NE(transfers_before, transfers);
    transfers_before = transfers;
    fs::remove(backup);
  }
  cluster().sql("postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'bank'");
}

// Migrations that come one right behind the other always stand in the queue of some lock. pg_dump reads the schema in
// the session that has the locks, and needs to ask for none.
TEST_F(Consistency, IsNotPushedBackByMigrationsWithoutAPause) {
  Session migrations(url_);
  migrations.send(
      "DO $$ BEGIN LOOP ALTER TABLE transfers ADD COLUMN extra int; COMMIT; "
      "ALTER TABLE transfers DROP COLUMN extra; COMMIT; END LOOP; END $$");
  for (int round = 0; round < 5 && !HasFailure(); ++round) {
    const Outcome outcome = pana({"backup", url_, "--to", backups_.path(), "--json"});
    ASSERT_TRUE(ends_with(kOk, outcome));
    EXPECT_THAT(outcome.err, testing::Not(testing::HasSubstr("\"start_over\"")));
  }
  cluster().sql("postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'bank'");
}

// An ALTER TABLE that rewrites commits between snapshot and lock: to the snapshot the new table looks empty.
TEST_F(Consistency, SeesTheRowsOfATableRewrittenAtTheWorstMoment) {
  Session migration(url_);
  migration.execute("BEGIN");
  migration.execute("ALTER TABLE ballast ALTER COLUMN id TYPE bigint");

  Background backup(pana_command({"backup", url_, "--to", backups_.path()}));
  Session observer(url_);
  ASSERT_TRUE(becomes_true([&] {
    return observer.execute("SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'ballast'::regclass") !=
           "0";
  })) << backup.err_so_far();
  migration.execute("COMMIT");

  const Outcome outcome = backup.wait();
  expect_clean_output(outcome);
  ASSERT_TRUE(ends_with(kOk, outcome));
  ASSERT_TRUE(ends_with(kOk, pana({"restore", backups_.path(), "--into", fresh_database("copy")})));
  expect_whole("copy");
}

// What is listed is asked for by name later on; then it is gone, or is of another kind.
TEST_F(Consistency, StartsOverWhenWhatItListedIsGoneOrSomethingElse) {
  cluster().sql("bank", "CREATE SEQUENCE going; CREATE SEQUENCE turning; CREATE TABLE viewed ()");
  for (const std::string change : {"DROP SEQUENCE going", "DROP SEQUENCE turning; CREATE TABLE turning ()",
                                   "DROP TABLE viewed; CREATE MATERIALIZED VIEW viewed AS SELECT 1 AS x"}) {
    SCOPED_TRACE(change);
    Session migration(url_);
    migration.execute("BEGIN; " + change);

    Background backup(pana_command({"backup", url_, "--to", backups_.path()}));
    Session observer(url_);
    ASSERT_TRUE(becomes_true([&] {
      return observer.execute("SELECT count(*) FROM pg_locks WHERE NOT granted") != "0";
    })) << backup.err_so_far();
    migration.execute("COMMIT");
    ASSERT_TRUE(ends_with(kOk, backup.wait()));
  }
}

TEST_F(Consistency, StartsOverWhenATableIsMadeOrDroppedBeforeTheSnapshot) {
  cluster().sql("bank", "CREATE TABLE doomed AS SELECT 1 AS x");
  Session migration(url_);
  migration.execute("BEGIN");
  migration.execute("DROP TABLE doomed");
  migration.execute("CREATE TABLE newcomer AS SELECT 7 AS x");

  Background backup(pana_command({"backup", url_, "--to", backups_.path()}));
  Session observer(url_);
  ASSERT_TRUE(becomes_true([&] { return observer.execute("SELECT count(*) FROM pg_locks WHERE NOT granted") != "0"; }))
      << backup.err_so_far();
  migration.execute("COMMIT");

  const Outcome outcome = backup.wait();
  ASSERT_TRUE(ends_with(kOk, outcome));
  ASSERT_TRUE(ends_with(kOk, pana({"restore", backups_.path(), "--into", fresh_database("copy")})));
  EXPECT_EQ("7", cluster().sql("copy", "SELECT x FROM newcomer"));
  EXPECT_EQ("", cluster().sql("copy", "SELECT to_regclass('doomed')"));
}

TEST_F(Consistency, LeavesNothingBehindWhenItIsInterrupted) {
  const std::string url = cluster().url(big().database);
  Session observer(url);
  for (const int signal : {SIGTERM, SIGHUP}) {
    Background backup(pana_command({"backup", url, "--to", backups_.path()}));
    ASSERT_TRUE(becomes_true([&] {
      return observer.execute("SELECT count(*) FROM pg_locks WHERE granted AND relation = 'big'::regclass") != "0";
    })) << backup.err_so_far();
    backup.send(signal);
    const Outcome outcome = backup.wait();
    expect_clean_output(outcome);
    EXPECT_TRUE(ends_with(kInterrupted, outcome));
    EXPECT_TRUE(fs::is_empty(backups_.path()));
    EXPECT_TRUE(becomes_true([&] {
      return observer.execute(
                 "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND "
                 "backend_type = 'client backend' AND pid <> pg_backend_pid()") == "0";
    }));
  }
}

}  // namespace
}  // namespace pana::test
