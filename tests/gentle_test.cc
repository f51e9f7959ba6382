// A backup is gentle with the server that it reads, and does not wait for ever.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>

#include "support/fault_proxy.h"
#include "support/pana.h"
#include "support/session.h"
#include "support/wait.h"

namespace pana::test {
namespace {

using testing::AllOf;
using testing::AnyOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// A backup that holds its locks until it is released: its one worker reads slowly.
class Slow : public EndToEnd {
 protected:
  void SetUp() override {
    EndToEnd::SetUp();
    if (IsSkipped()) return;
    fresh_database("slow");
    cluster().sql(
        "slow", "CREATE TABLE t AS SELECT i, repeat(md5(i::text), 20) AS payload FROM generate_series(1, 40000) AS i");
  }
  Command command(const std::vector<std::string>& options, const std::string& jobs = "2") const {
    Command command = pana_command({"backup", cluster().url("slow"), "--to", backups_.path(), "--jobs", jobs});
    command.argv.insert(command.argv.end(), options.begin(), options.end());
    return command;
  }
  // Rows are being read, and pg_dump, which would give way by itself, has come and gone.
  static bool reads_rows(const Background& backup) {
    return becomes_true([&] {
      const std::vector<pid_t> children = children_of(backup.pid());
      return cluster().sql(
                 "postgres",
                 "SELECT count(*) > 0 FROM pg_stat_activity WHERE application_name = 'pana' AND query LIKE '%COPY%'") ==
                 "t" &&
             std::none_of(children.begin(), children.end(), [](pid_t child) { return program_of(child) == "pg_dump"; });
    });
  }
  // pg_dump stands in the queue of a view's lock, in a database named "changing"; for two seconds at most.
  static bool waits_for_a_view() {
    Session watch(cluster().url("postgres"));
    return becomes_true([&] {
      return watch.execute(
                 "SELECT count(*) FROM pg_stat_activity WHERE datname = 'changing' AND wait_event_type = 'Lock' "
                 "AND query LIKE '%pg_get_viewdef%'") == "1";
    });
  }
  static std::string sessions() {
    return cluster().sql("postgres",
                         "SELECT count(*) FROM pg_stat_activity WHERE application_name IN ('pana', 'pg_dump')");
  }
};

// pg_dump asks for the definition of a view that somebody is changing, and would wait in a session that holds all
// tables.
TEST_F(Slow, DoesNotHoldItsTablesWhileItStandsInAQueueItself) {
  cluster().sql("slow", "CREATE VIEW v AS SELECT i FROM t; CREATE TABLE wanted ()");
  Session migration(cluster().url("slow"));
  migration.execute("BEGIN; CREATE OR REPLACE VIEW v AS SELECT i, payload FROM t");
  Background backup(command({}));
  EXPECT_TRUE(becomes_true([&] { return backup.err_so_far().find("\"start_over\"") != std::string::npos; }))
      << backup.err_so_far();
  Session other(cluster().url("slow"));
  const auto began = std::chrono::steady_clock::now();
  other.execute("ALTER TABLE wanted ADD COLUMN extra int");
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(5)) << "2 s of lock_timeout, and a start";
  migration.execute("COMMIT");
  EXPECT_TRUE(ends_with(kOk, backup.wait()));
  EXPECT_TRUE(ends_with(kOk, pana({"verify", backups_.path(), "--against", cluster().url("slow")})));
}

// pg_dump reads the catalog as it was in the snapshot, but what it asks the server's functions is answered with
// today's.
TEST_F(Slow, IsOfOneMomentThoughWhatItReadsIsChangedMeanwhile) {
  for (const char* const change :
       {"ALTER TYPE mood RENAME TO temper", "ALTER SCHEMA place RENAME TO other_place",
        "ALTER FUNCTION place.one() RENAME TO uno", "DROP VIEW w", "ALTER TYPE mood RENAME VALUE 'bad' TO 'worse'",
        "ALTER TYPE mood RENAME TO x; ALTER TYPE x RENAME TO mood", "DROP STATISTICS s",
        "CREATE OR REPLACE FUNCTION place.two(a int, b int DEFAULT 5) RETURNS int LANGUAGE sql AS 'SELECT 2'",
        "CREATE OR REPLACE TRIGGER tr BEFORE INSERT ON m FOR EACH ROW EXECUTE FUNCTION second()",
        "ALTER COLLATION c RENAME TO d", "ALTER TYPE pair RENAME ATTRIBUTE f TO g",
        "ALTER OPERATOR ###(int, int) SET SCHEMA place", "ALTER SEQUENCE q MAXVALUE 1000000 RESTART 500000",
        "ALTER ROLE clerk RENAME TO officer", "DROP OWNED BY clerk; DROP ROLE clerk",
        "CREATE TABLE newer (b int); CREATE OR REPLACE FUNCTION place.three(int) RETURNS int BEGIN ATOMIC SELECT b "
        "FROM newer; END",
        "CREATE OR REPLACE FUNCTION place.three(n int) RETURNS int LANGUAGE sql AS 'SELECT 4'",
        "ALTER FUNCTION place.deep(int) RENAME TO deeper"}) {
    SCOPED_TRACE(change);
    if (cluster().version() < 14 && std::string(change).find("BEGIN ATOMIC") != std::string::npos) continue;
    if (cluster().version() < 14 && std::string(change).find("REPLACE TRIGGER") != std::string::npos) continue;
    const std::string url = fresh_database("changing");
    fresh_database("changed");
    cluster().sql("changing", "DROP ROLE IF EXISTS clerk, officer; CREATE ROLE clerk");
    cluster().sql("changing", R"(
      CREATE TYPE mood AS ENUM ('good', 'bad'); CREATE TABLE m AS SELECT 'good'::mood AS mood, 1 AS n;
      CREATE SCHEMA place; CREATE FUNCTION place.one() RETURNS int LANGUAGE sql AS 'SELECT 1'; ALTER TABLE m ADD one int DEFAULT place.one();
      CREATE FUNCTION place.two(a int, b int DEFAULT 4) RETURNS int LANGUAGE sql AS 'SELECT 2';
      CREATE FUNCTION place.three(int) RETURNS int LANGUAGE sql AS 'SELECT 3';
      CREATE FUNCTION place.deep(n int) RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN CASE WHEN n > 0 THEN place.deep(n - 1) ELSE 0 END; END';
      ALTER TABLE m ADD deep int DEFAULT place.deep(1);
      CREATE FUNCTION first() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
      CREATE FUNCTION second() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
      CREATE TRIGGER tr BEFORE INSERT ON m FOR EACH ROW EXECUTE FUNCTION first(); CREATE STATISTICS s ON mood, n FROM m;
      CREATE COLLATION c FROM "C"; CREATE TYPE pair AS (f int); CREATE SEQUENCE q MAXVALUE 100;
      CREATE FUNCTION distance(int, int) RETURNS int LANGUAGE sql AS 'SELECT $1 - $2'; CREATE OPERATOR ### (FUNCTION = distance, LEFTARG = int, RIGHTARG = int);
      CREATE VIEW v AS SELECT mood, 'good'::mood AS other FROM m; CREATE VIEW w AS SELECT 1 AS one; GRANT SELECT ON w TO clerk)");
    Session migration(url);
    Session other(url);
    migration.execute("BEGIN; ALTER VIEW v RENAME COLUMN other TO another");
    Background backup(pana_command({"backup", url, "--to", backups_.path()}));
    EXPECT_TRUE(waits_for_a_view());
    other.execute(change);
    migration.execute("ROLLBACK");
    const Outcome outcome = backup.wait();
    ASSERT_TRUE(ends_with(kOk, outcome));
    EXPECT_THAT(outcome.err, HasSubstr("\"start_over\""));
    EXPECT_THAT(outcome.err, AnyOf(HasSubstr("while the schema was read"), HasSubstr("while pg_dump read it")));
    EXPECT_TRUE(ends_with(kOk, pana({"restore", backups_.path(), "--into", cluster().url("changed"), "--verify"})));
    EXPECT_EQ("", different_lines(schema_of(cluster(), "changing"), schema_of(cluster(), "changed")));
  }
}

// Changes that came to nothing, temporary objects, and what pg_dump reads from the catalog alone, as the snapshot has
// it.
TEST_F(Slow, IsNotStartedOverForWhatChangesNothing) {
  const std::string url = fresh_database("changing");
  cluster().sql("changing",
                "CREATE TYPE mood AS ENUM ('good'); CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1'; "
                "CREATE TABLE m (mood mood); "
                "CREATE VIEW v AS SELECT one() AS other; DROP ROLE IF EXISTS passer_by; CREATE ROLE passer_by; CREATE "
                "SCHEMA granted; CREATE SEQUENCE q MAXVALUE 100");
  Session other(url);
  other.execute("CREATE TEMPORARY TABLE scratch (id int CHECK (id > 0)); CREATE TYPE pg_temp.kind AS ENUM ('a')");
  Session migration(url);
  migration.execute("BEGIN; ALTER VIEW v RENAME COLUMN other TO another");
  Background backup(pana_command({"backup", url, "--to", backups_.path()}));
  EXPECT_TRUE(waits_for_a_view());
  other.execute(
      "BEGIN; CREATE OR REPLACE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 2'; ALTER TYPE mood RENAME VALUE "
      "'good' TO 'fine'; ROLLBACK");
  other.execute("DROP TABLE scratch; DROP TYPE pg_temp.kind; DROP ROLE passer_by; ANALYZE m");
  other.execute(
      "CREATE OR REPLACE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 3'; GRANT USAGE ON SCHEMA granted TO "
      "PUBLIC; ALTER SEQUENCE q RESTART 50");
  migration.execute("ROLLBACK");
  const Outcome outcome = backup.wait();
  EXPECT_TRUE(ends_with(kOk, outcome));
  EXPECT_THAT(outcome.err, Not(HasSubstr("\"start_over\"")));
  EXPECT_TRUE(ends_with(kOk, pana({"restore", backups_.path(), "--into", fresh_database("changed")})));
  EXPECT_EQ("1|", cluster().sql("changed", "SELECT one(), nspacl FROM pg_namespace WHERE nspname = 'granted'"))
      << "as in the snapshot";
}

// COPY writes the labels and names that there are when it begins.
TEST_F(Slow, IsOfOneMomentThoughLabelsAndNamesInItsRowsAreChangedMeanwhile) {
  const std::vector<std::pair<std::string, std::string>> changes_and_values = {
      {"ALTER TYPE mood RENAME VALUE 'good' TO 'fine'", "'good'::mood"},
      {"ALTER TYPE pair ADD ATTRIBUTE g int", "'(1,2)'::pair"},
      {"ALTER TYPE pair DROP ATTRIBUTE f", "'(1,2)'::pair"},
      {"ALTER FUNCTION one() RENAME TO uno", "'one()'::regprocedure"},
      {"ALTER FUNCTION one() RENAME TO uno", "'one()'::named"},
      {"ALTER FUNCTION one() RENAME TO uno", "'one()'::renamed"}};
  for (const auto& [change, value] : changes_and_values) {
    SCOPED_TRACE(change);
    cluster().sql("slow",
                  "DROP TABLE IF EXISTS late; DROP TYPE IF EXISTS mood, pair, renamed, named; DROP FUNCTION IF EXISTS "
                  "one(), uno()");
    cluster().sql(
        "slow",
        "CREATE TYPE mood AS ENUM ('good', 'bad'); CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1'; "
        "CREATE TYPE pair AS (e int, f int); CREATE DOMAIN named AS regprocedure; CREATE DOMAIN renamed AS named; "
        "CREATE TABLE late AS SELECT " +
            value + " AS value");
    Background backup(command({"--max-rate", "12MiB"}, "1"));
    ASSERT_TRUE(reads_rows(backup));
    cluster().sql("slow", change);
    const Outcome outcome = backup.wait();
    EXPECT_TRUE(ends_with(kOk, outcome));
    EXPECT_THAT(outcome.err, AllOf(HasSubstr("\"start_over\""), HasSubstr("changed, renamed or dropped while")));
    fresh_database("changed");
    EXPECT_TRUE(ends_with(kOk, pana({"restore", backups_.path(), "--into", cluster().url("changed"), "--verify"})));
    EXPECT_EQ(cluster().sql("slow", "TABLE late"), cluster().sql("changed", "TABLE public.late"));
  }
}

TEST_F(Slow, IsNotEndedForBeingIdleWhileItWaitsForALock) {
  if (cluster().version() < 14) GTEST_SKIP() << "idle_session_timeout came with PostgreSQL 14";
  cluster().sql("slow", "ALTER DATABASE slow SET idle_session_timeout = '1s'");
  Session migration(cluster().url("slow"));
  migration.execute("SET idle_session_timeout = 0; BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE");
  Background backup(command({}));
  EXPECT_FALSE(backup.ends_within(std::chrono::seconds(3)));
  migration.execute("COMMIT");
  EXPECT_TRUE(ends_with(kOk, backup.wait()));
}

TEST_F(Slow, SaysWhyItsSessionWasEndedWhilePgDumpUsedIt) {
  cluster().sql("slow", "CREATE VIEW v AS SELECT i FROM t");
  Session migration(cluster().url("slow"));
  migration.execute("BEGIN; CREATE OR REPLACE VIEW v AS SELECT i, payload FROM t");
  Background backup(command({}));
  EXPECT_TRUE(becomes_true([] {
    return cluster().sql("postgres",
                         "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = 'slow' AND "
                         "wait_event_type = 'Lock' AND query LIKE '%pg_get_viewdef%'") == "1";
  }));
  const Outcome outcome = backup.wait();
  EXPECT_TRUE(ends_with(kFailed, outcome));
  EXPECT_THAT(outcome.err, HasSubstr("terminating connection due to administrator command"));
  EXPECT_THAT(backups_in(backups_.path()), IsEmpty());
}

// Without its locks somebody could empty a table between two of a worker's: the snapshot does not protect from that.
TEST_F(Slow, IsNoBackupWhenTheLocksWereLost) {
  cluster().sql("slow", "CREATE TABLE z AS SELECT 1 AS i");
  Background backup(command({"--max-rate", "6MiB"}, "1"));
  ASSERT_TRUE(reads_rows(backup));
  cluster().sql(
      "slow",
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'slow' AND application_name = 'pana' "
      "ORDER BY backend_start LIMIT 1");
  cluster().sql("slow", "TRUNCATE z");
  const Outcome outcome = backup.wait();
  EXPECT_TRUE(ends_with(kFailed, outcome));
  EXPECT_THAT(outcome.err, HasSubstr("run pana again"));
  EXPECT_THAT(backups_in(backups_.path()), IsEmpty());
}

TEST_F(Slow, SaysWhoHasTheLockThatItCannotHave) {
  Session migration(cluster().url("slow"));
  const std::string session = migration.execute("SELECT pg_backend_pid()");
  migration.execute("BEGIN; LOCK TABLE t");
  const Outcome outcome = pana(command({"--lock-wait", "1"}));
  EXPECT_TRUE(ends_with(kFailed, outcome));
  EXPECT_THAT(outcome.err, HasSubstr(fmt::format("session {} (in its transaction since ", session)));
  EXPECT_THAT(outcome.err, HasSubstr("UTC) has locked public.t"));
}

TEST_F(Slow, SaysWhoWaitsForItsLocks) {
  Background backup(command({"--max-rate", "3MiB"}));
  ASSERT_TRUE(reads_rows(backup));
  Session migration(cluster().url("slow"));
  migration.send("ALTER TABLE t ADD COLUMN extra int");
  EXPECT_TRUE(becomes_true([&] { return backup.err_so_far().find("\"waiter\"") != std::string::npos; }));
  EXPECT_THAT(backup.err_so_far(), HasSubstr("waits for the backup's lock on public.t"));
  EXPECT_TRUE(ends_with(kOk, backup.wait()));
  migration.finish();
}

// CREATE INDEX CONCURRENTLY waits for the transactions that are older than it, one after the other, in an order of its
// own.
TEST_F(Slow, SaysWhoWaitsForItsSnapshot) {
  Background backup(command({"--max-rate", "3MiB"}, "4"));
  ASSERT_TRUE(reads_rows(backup));
  Session index(cluster().url("slow"));
  index.send("CREATE INDEX CONCURRENTLY ON t (i)");
  EXPECT_TRUE(becomes_true([&] { return backup.err_so_far().find("\"waiter\"") != std::string::npos; }));
  EXPECT_THAT(backup.err_so_far(), HasSubstr("waits for the backup's transactions to end"));
  EXPECT_TRUE(ends_with(kOk, backup.wait()));
  index.finish();
}

TEST_F(Slow, GivesWayToWhoHasWaitedLongEnough) {
  Background backup(command({"--max-rate", "1MiB", "--yield-to-waiters", "2"}));
  ASSERT_TRUE(reads_rows(backup));
  Session migration(cluster().url("slow"));
  migration.send("ALTER TABLE t ADD COLUMN extra int");
  const auto began = std::chrono::steady_clock::now();
  migration.finish();
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(8));
  const Outcome outcome = backup.wait();
  EXPECT_TRUE(ends_with(kFailed, outcome));
  EXPECT_THAT(outcome.err, HasSubstr("gave up because session"));
  EXPECT_THAT(backups_in(backups_.path()), IsEmpty());
}

// The server's memory for locks is the application's as well.
TEST_F(Slow, LetsGoOfTheTablesThatItHasRead) {
  cluster().sql("slow",
                "DO $$ BEGIN FOR i IN 1..1000 LOOP EXECUTE format('CREATE TABLE small_%s AS SELECT repeat(''x'', 2000) "
                "AS t', i); "
                "END LOOP; END $$; DROP TABLE t");
  Background backup(command({"--max-rate", "512KiB"}, "1"));
  int most = 0;
  while (!backup.ends_within(std::chrono::milliseconds(20))) {
    most = std::max(
        most, std::stoi(cluster().sql("postgres",
                                      "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid) "
                                      "WHERE locktype = 'relation' AND datname = 'slow' AND query LIKE '%COPY%'")));
  }
  EXPECT_TRUE(ends_with(kOk, backup.wait()));
  EXPECT_GT(most, 100) << "it was seen";
  EXPECT_LT(most, 400);
  EXPECT_TRUE(ends_with(kOk, pana({"verify", backups_.path(), "--against", cluster().url("slow")})));
}

TEST_F(Slow, ReadsNoFasterThanItMay) {
  const auto began = std::chrono::steady_clock::now();
  const Outcome outcome = pana(command({"--max-rate", "8MiB", "--json"}));
  ASSERT_TRUE(ends_with(kOk, outcome));
  const std::chrono::duration<double> time = std::chrono::steady_clock::now() - began;
  const double bytes = nlohmann::json::parse(outcome.out).at("text_bytes");
  EXPECT_GT(time.count(), 0.8 * bytes / (8 << 20));
  EXPECT_LT(time.count(), 3 + 1.5 * bytes / (8 << 20));
}

TEST_F(Slow, StopsWithinTwoSecondsAndLeavesNoQueryRunning) {
  for (const int signal : {SIGINT, SIGTERM}) {
    Background backup(command({"--max-rate", "1MiB"}));
    ASSERT_TRUE(reads_rows(backup));
    backup.send(signal);
    EXPECT_TRUE(backup.ends_within(std::chrono::seconds(2)));
    EXPECT_TRUE(ends_with(kInterrupted, backup.wait()));
    EXPECT_TRUE(becomes_true([] { return sessions() == "0"; }, std::chrono::seconds(2))) << sessions();
    EXPECT_THAT(strangers_in(backups_.path()), IsEmpty());
  }
}

// A terminal's Ctrl-C is for all of its foreground processes: pg_dump must not end by it, and be taken for broken.
TEST_F(Slow, StoppedFromTheTerminalSaysSoAndNotThatPgDumpFailed) {
  FaultProxy network(cluster());
  network.set_rate(200'000);
  Background backup(pana_command({"backup", network.url(everything().database), "--to", backups_.path()}));
  ASSERT_TRUE(becomes_true([&] {
    const std::vector<pid_t> children = children_of(backup.pid());
    return std::any_of(children.begin(), children.end(), [](pid_t child) { return program_of(child) == "pg_dump"; });
  }));
  ::kill(-backup.pid(), SIGINT);  // its process group
  EXPECT_TRUE(backup.ends_within(std::chrono::seconds(2)));
  const Outcome outcome = backup.wait();
  EXPECT_TRUE(ends_with(kInterrupted, outcome));
  EXPECT_THAT(outcome.err, Not(HasSubstr("pg_dump failed")));
}

TEST_F(Slow, StopsWithinTwoSecondsWhenTheServerIsSilent) {
  FaultProxy network(cluster());
  network.set_rate(2 << 20);
  network.set_fault("stall", 1 << 20, /*all_connections=*/true);
  Command stalled = pana_command({"backup", network.url("slow"), "--to", backups_.path(), "--jobs", "2"});
  Background backup(stalled);
  EXPECT_FALSE(backup.ends_within(std::chrono::seconds(3))) << backup.err_so_far();
  backup.send(SIGTERM);
  EXPECT_TRUE(backup.ends_within(std::chrono::seconds(2)));
  EXPECT_TRUE(ends_with(kInterrupted, backup.wait()));
  EXPECT_THAT(backups_in(backups_.path()), IsEmpty());
}

TEST_F(Slow, GivesUpOnAServerThatSaysNothing) {
  FaultProxy network(cluster());
  network.set_rate(2 << 20);
  network.set_fault("stall", 1 << 20, /*all_connections=*/true);
  Command stalled =
      pana_command({"backup", network.url("slow"), "--to", backups_.path(), "--jobs", "2", "--stall-timeout", "2"});
  stalled.timeout = std::chrono::seconds(30);
  const Outcome outcome = pana(stalled);
  EXPECT_TRUE(ends_with(kFailed, outcome));
  EXPECT_THAT(outcome.err, HasSubstr("said nothing for 2 s"));
  EXPECT_THAT(backups_in(backups_.path()), IsEmpty());
}

TEST_F(Slow, ChoosesItsJobsItselfAndSplitsNoTableWhenToldNotTo) {
  const Outcome few = pana(command({"--json"}, "auto"));
  ASSERT_TRUE(ends_with(kOk, few));
  EXPECT_EQ(1, nlohmann::json::parse(few.out).at("workers"));
  Command large = pana_command(
      {"backup", cluster().url(big().database), "--to", backups_.path(), "--jobs", "auto", "--no-split", "--json"});
  const Outcome more = pana(large);
  ASSERT_TRUE(ends_with(kOk, more));
  EXPECT_GT(nlohmann::json::parse(more.out).at("workers"), 1);
  for (const char* wrong : {"0", "65", "some"}) EXPECT_TRUE(ends_with(kUsage, pana(command({}, wrong))));
}

}  // namespace
}  // namespace pana::test
