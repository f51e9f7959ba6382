// What others do to the tables while their rows are read: every row is in the backup once, or there is no backup.
//
// PANA_BESIDE_RUNS chooses how many backups have somebody beside them at a random moment; with PANA_WRITE_DOCS=1 what
// 200 or more came to goes into docs/faults-beside.md.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <map>
#include <memory>
#include <random>

#include "support/pana.h"
#include "support/session.h"
#include "support/wait.h"

namespace pana::test {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class Beside : public EndToEnd {
 protected:
  void SetUp() override {
    EndToEnd::SetUp();
    if (IsSkipped()) return;
    url_ = fresh_database("beside");
    observer_ = std::make_unique<Session>(cluster().url("postgres"));
  }

  std::string query(const std::string& sql) const { return observer_->execute(sql); }

  // Whether one of pana's sessions waits for a lock.
  bool waits() const {
    return query(
               "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid) "
               "WHERE NOT granted AND application_name = 'pana' AND datname = 'beside'") != "0";
  }

  // Whether a COPY of pana's reads rows of the table.
  bool reads(const std::string& table) const {
    return query(fmt::format(
               "SELECT count(*) FROM pg_stat_activity WHERE datname = 'beside' AND application_name = 'pana' "
               "AND state = 'active' AND query LIKE '%COPY%{}%'",
               table)) != "0";
  }

  void expect_whole() const {
    EXPECT_TRUE(ends_with(kOk, pana({"verify", backups_.path()})));
    EXPECT_TRUE(ends_with(kOk, pana({"restore", backups_.path(), "--into", fresh_database("copy"), "--verify"})));
    EXPECT_EQ("", differences(content_of(cluster(), "beside"), content_of(cluster(), "copy")));
  }

  std::string url_;
  std::unique_ptr<Session> observer_;
};

// Every value in TOAST looks its index up anew, and REINDEX wants that index for itself.
TEST_F(Beside, AReindexInTheMiddleOfATablesRowsIsWaitedFor) {
  cluster().sql("beside",
                "CREATE TABLE docs (id int, body text); ALTER TABLE docs ALTER body SET STORAGE EXTERNAL;"
                "INSERT INTO docs SELECT i, repeat(md5(i::text), 160000) FROM generate_series(1, 6) AS i");
  Background backup(pana_command({"backup", url_, "--to", backups_.path(), "--jobs", "1", "--max-rate", "8MiB"}));
  ASSERT_TRUE(becomes_true([this] { return reads("docs"); })) << backup.err_so_far();
  Session reindex(url_);
  reindex.execute("BEGIN; REINDEX TABLE docs");
  ASSERT_TRUE(becomes_true([this] { return waits(); })) << backup.err_so_far();
  reindex.execute("SELECT pg_sleep(0.5)");  // longer than anybody stands in a queue before the first row
  reindex.execute("COMMIT");
  const Outcome outcome = backup.wait();
  ASSERT_TRUE(ends_with(kOk, outcome));
  EXPECT_THAT(outcome.err, Not(HasSubstr("start_over")));
  EXPECT_THAT(pana({"list", backups_.path(), "--json"}).out, HasSubstr("\"rows\": 6"));
  expect_whole();
}

// The frame that is open then holds rows of another table.
TEST_F(Beside, AReindexBehindRowsThatWentIntoTheSameFrameBreaksNothing) {
  cluster().sql("beside", R"(
    CREATE TABLE first AS SELECT i, repeat(md5(i::text), 20) AS t FROM generate_series(1, 36000) AS i;
    CREATE TABLE docs (id int, body text); ALTER TABLE docs ALTER body SET STORAGE EXTERNAL;
    INSERT INTO docs SELECT i, 'short' FROM generate_series(1, 1000) AS i;
    INSERT INTO docs SELECT i, repeat(md5(i::text), 1500) FROM generate_series(1001, 1600) AS i)");
  for (int round = 0; round < 3; ++round) {
    Background backup(pana_command({"backup", url_, "--to", backups_.path(), "--jobs", "1", "--max-rate", "24MiB"}));
    ASSERT_TRUE(becomes_true([this] { return reads("docs"); })) << backup.err_so_far();
    Session reindex(url_);
    reindex.execute("BEGIN; REINDEX TABLE docs");
    becomes_true([this] { return waits(); }, std::chrono::seconds(1));
    reindex.execute("SELECT pg_sleep(0.3); COMMIT");
    ASSERT_TRUE(ends_with(kOk, backup.wait()));
    expect_whole();
  }
}

// A lock that closes a circle in the middle of the rows ends one of the two. If it is us, nothing of the attempt stays.
TEST_F(Beside, ADeadlockInTheMiddleOfATablesRowsStartsOver) {
  cluster().sql("beside",
                "CREATE TABLE docs (id int, body text); ALTER TABLE docs ALTER body SET STORAGE EXTERNAL;"
                "INSERT INTO docs SELECT i, repeat(md5(i::text), 160000) FROM generate_series(1, 6) AS i");
  std::string said;
  for (int attempt = 0; attempt < 5 && said.find("deadlock") == std::string::npos; ++attempt) {
    cluster().sql("beside", "ALTER ROLE postgres SET deadlock_timeout = '10ms'");
    Background backup(pana_command({"backup", url_, "--to", backups_.path(), "--jobs", "1", "--max-rate", "8MiB"}));
    ASSERT_TRUE(becomes_true([this] { return reads("docs"); })) << backup.err_so_far();
    cluster().sql("beside", "ALTER ROLE postgres RESET deadlock_timeout");
    // It waits for us before we wait for it, unless the machine is slow: the circle is closed, and seen, by us.
    Session reindex(url_);
    reindex.execute("SET deadlock_timeout = '1h'; BEGIN");
    reindex.send("REINDEX TABLE docs; ALTER TABLE docs ADD COLUMN IF NOT EXISTS more int; COMMIT");
    const Outcome outcome = backup.wait();
    ASSERT_TRUE(ends_with(kOk, outcome));
    said = outcome.err;
    reindex.finish();
    EXPECT_THAT(pana({"list", backups_.path(), "--json"}).out, HasSubstr("\"rows\": 6"));
    EXPECT_TRUE(ends_with(kOk, pana({"verify", backups_.path()})));
  }
  EXPECT_THAT(said, testing::AllOf(HasSubstr("start_over"), HasSubstr("deadlock")));
}

// The server sees no circle in which the backup has part with two sessions: one holds all tables, the other reads.
TEST_F(Beside, AMigrationThatHoldsWhatIsReadAndWaitsForAnotherTableIsGivenWayTo) {
  cluster().sql(
      "beside",
      "CREATE TABLE docs (id int, body text); ALTER TABLE docs ALTER body SET STORAGE EXTERNAL;"
      "INSERT INTO docs SELECT i, repeat(md5(i::text), 160000) FROM generate_series(1, 6) AS i; CREATE TABLE other ()");
  Background backup(pana_command({"backup", url_, "--to", backups_.path(), "--jobs", "1", "--max-rate", "8MiB"}));
  ASSERT_TRUE(becomes_true([this] { return reads("docs"); })) << backup.err_so_far();
  Session migration(url_);
  migration.execute("BEGIN");
  migration.send("REINDEX TABLE docs; LOCK TABLE other; COMMIT");
  const Outcome outcome = backup.wait();
  ASSERT_TRUE(ends_with(kOk, outcome));
  migration.finish();
  EXPECT_THAT(outcome.err, testing::AllOf(HasSubstr("start_over"), HasSubstr("neither would ever end")));
  expect_whole();
}

// What is left for the end is what somebody waits for: it is then, above all, that others must be looked for.
TEST_F(Beside, WaitersAreGivenWayToWhileWhatWasLeftOverIsRead) {
  cluster().sql("beside",
                "CREATE TABLE a AS SELECT i, repeat(md5(i::text), 20) AS t FROM generate_series(1, 9000) AS i; "
                "CREATE TABLE b AS SELECT i, repeat(md5(i::text), 20) AS t FROM generate_series(1, 8000) AS i");
  Background backup(pana_command(
      {"backup", url_, "--to", backups_.path(), "--jobs", "1", "--max-rate", "1MiB", "--yield-to-waiters", "8"}));
  ASSERT_TRUE(becomes_true([this] { return reads("a"); })) << backup.err_so_far();
  Session migration(url_);
  migration.send("ALTER TABLE b ADD COLUMN more int");
  const Outcome outcome = backup.wait();
  EXPECT_TRUE(ends_with(kFailed, outcome));
  EXPECT_THAT(outcome.err, testing::AllOf(HasSubstr("lock_queue"), HasSubstr("gave up because session")));
  EXPECT_THAT(backups_in(backups_.path()), IsEmpty());
  migration.finish();
}

// A change that comes late in a backup that has lasted for longer than it would wait for locks.
TEST_F(Beside, ALabelRenamedLateStartsOverAsWell) {
  cluster().sql("beside",
                "CREATE TYPE mood AS ENUM ('good', 'bad'); CREATE TABLE t AS SELECT 'good'::mood AS m, i, "
                "repeat(md5(i::text), 20) AS x FROM generate_series(1, 12000) AS i");
  Background backup(
      pana_command({"backup", url_, "--to", backups_.path(), "--jobs", "1", "--max-rate", "3MiB", "--lock-wait", "1"}));
  ASSERT_TRUE(becomes_true([this] { return reads("t"); })) << backup.err_so_far();
  cluster().sql("beside", "SELECT pg_sleep(1.2); ALTER TYPE mood RENAME VALUE 'good' TO 'fine'");
  const Outcome outcome = backup.wait();
  ASSERT_TRUE(ends_with(kOk, outcome));
  EXPECT_THAT(outcome.err, HasSubstr("start_over"));
  expect_whole();
}

// What the server calls an internal error is no change of the schema, and does not go away by trying again.
TEST_F(Beside, ADamagedCatalogIsAnErrorAtOnce) {
  cluster().sql("beside",
                "CREATE TABLE t (i int DEFAULT 5); CREATE VIEW v AS SELECT i FROM t; "
                "SET allow_system_table_mods = on; DELETE FROM pg_rewrite WHERE ev_class = 'v'::regclass; "
                "DELETE FROM pg_attribute WHERE attrelid = 't'::regclass AND attnum = 1");
  const auto began = std::chrono::steady_clock::now();
  const Outcome outcome = pana({"backup", url_, "--to", backups_.path()});
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(20));
  EXPECT_TRUE(ends_with(kFailed, outcome));
  EXPECT_THAT(outcome.err, Not(HasSubstr("start_over")));
  EXPECT_THAT(outcome.err, Not(HasSubstr("run backups when no migrations run")));
  EXPECT_THAT(backups_in(backups_.path()), IsEmpty());
}

struct Neighbour {
  const char* name;
  std::vector<std::string> statements;  // one transaction each, over and over
};

const std::array<Neighbour, 7> kNeighbours = {{
    {"REINDEX TABLE", {"REINDEX TABLE docs", "REINDEX TABLE plain", "REINDEX TABLE parent_1"}},
    {"VACUUM FULL", {"VACUUM FULL plain", "VACUUM FULL docs", "VACUUM FULL small_7"}},
    {"CLUSTER", {"CLUSTER plain USING plain_i", "CLUSTER docs USING docs_id"}},
    {"TRUNCATE and fill",
     {"BEGIN; TRUNCATE churn; INSERT INTO churn SELECT g, 'x' FROM generate_series(1, 100) AS g; COMMIT",
      "BEGIN; TRUNCATE small_3; INSERT INTO small_3 SELECT g FROM generate_series(1, 100) AS g; COMMIT"}},
    {"ATTACH and DETACH",
     {"ALTER TABLE parent DETACH PARTITION parent_2",
      "ALTER TABLE parent ATTACH PARTITION parent_2 FOR VALUES IN (2)"}},
    {"REINDEX then ALTER",
     {"BEGIN; REINDEX TABLE docs; ALTER TABLE docs ADD COLUMN more int; ALTER TABLE docs DROP COLUMN more; COMMIT"}},
    {"several at once",
     {"BEGIN; REINDEX TABLE docs; LOCK TABLE small_9; SELECT pg_sleep(0.15); COMMIT",
      "BEGIN; LOCK TABLE plain; SELECT pg_sleep(0.12); COMMIT"}},
}};

struct Tally {
  int runs = 0;
  int stored = 0;
  int failed = 0;
  int left_over = 0;  // items left for the end
  int started_over = 0;
};

void write_docs(const std::map<std::string, Tally>& tallies, int runs) {
  std::ofstream file(std::filesystem::path(PANA_SOURCE_DIR) / "docs" / "faults-beside.md");
  file << fmt::format(R"(# What others do beside a backup

Written by the test `Beside` (tests/beside_test.cc) with PANA_BESIDE_RUNS={}: while a backup reads, another session begins, at a
random moment, to do one thing over and over to the tables that are read. *Stored* backups ended with status 0; each was
restored into an empty database, and every table compared row by row with the source, by psql. *Failed* ones left nothing
visible. How often items were left for the end and backups started over is counted from their logs.

| beside | backups | stored | failed | left over | started over | false successes |
|---|---|---|---|---|---|---|
)",
                      runs);
  for (const auto& [name, tally] : tallies) {
    file << fmt::format("| {} | {} | {} | {} | {} | {} | 0 |\n", name, tally.runs, tally.stored, tally.failed,
                        tally.left_over, tally.started_over);
  }
}

int count_of(const std::string& text, const std::string& part) {
  int count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

// The statements change no rows for good, so that the database is what every stored backup must be equal to.
TEST_F(Beside, EveryStoredBackupIsEqualWhateverIsDoneBesideIt) {
  const char* const chosen = std::getenv("PANA_BESIDE_RUNS");
  const int runs = chosen == nullptr ? 14 : std::atoi(chosen);
  cluster().sql("beside", R"(
    CREATE TABLE docs (id int PRIMARY KEY, body text); ALTER TABLE docs ALTER body SET STORAGE EXTERNAL;
    ALTER TABLE docs RENAME CONSTRAINT docs_pkey TO docs_id;
    INSERT INTO docs SELECT i, repeat(md5(i::text), 3000) FROM generate_series(1, 60) AS i;
    CREATE TABLE plain AS SELECT i, md5(i::text) AS t FROM generate_series(1, 40000) AS i; CREATE INDEX plain_i ON plain (i);
    CREATE TABLE churn AS SELECT g, 'x' AS t FROM generate_series(1, 100) AS g;
    CREATE TABLE parent (k int, t text) PARTITION BY LIST (k);
    CREATE TABLE parent_1 PARTITION OF parent FOR VALUES IN (1); CREATE TABLE parent_2 PARTITION OF parent FOR VALUES IN (2);
    CREATE INDEX ON parent (t); INSERT INTO parent SELECT 1 + i % 2, md5(i::text) FROM generate_series(1, 20000) AS i;
    DO $$ BEGIN FOR i IN 1..30 LOOP EXECUTE format('CREATE TABLE small_%s AS SELECT g FROM generate_series(1, 100) AS g', i); END LOOP; END $$)");
  std::map<std::string, Tally> tallies;
  std::minstd_rand random(20261127);
  for (int run = 0; run < runs && !HasFailure(); ++run) {
    const Neighbour& neighbour = kNeighbours[static_cast<std::size_t>(run) % kNeighbours.size()];
    SCOPED_TRACE(fmt::format("run {} beside {}", run, neighbour.name));
    std::string loop;
    const int wait = std::uniform_int_distribution(0, 700)(random);
    for (const std::string& statement : neighbour.statements) loop += statement + ";\n";
    Tally& tally = tallies[neighbour.name];
    ++tally.runs;
    Background backup(pana_command({"backup", url_, "--to", backups_.path(), "--jobs", std::to_string(1 + run % 3),
                                    "--max-rate", "12MiB", "--lock-wait", "20"}));
    backup.ends_within(std::chrono::milliseconds(wait));
    {
      Command psql = cluster().client("psql", {"-X", "-q"}, "beside");
      for (int i = 0; i < 30; ++i) psql.input += loop;
      Background other(psql);
      const Outcome outcome = backup.wait();
      expect_clean_output(outcome);
      tally.left_over += count_of(outcome.err, "\"lock_queue\"");
      tally.started_over += count_of(outcome.err, "\"start_over\"");
      other.send(SIGTERM);
      other.wait();
      if (outcome.exit_status != 0) {
        ++tally.failed;
        EXPECT_THAT(backups_in(backups_.path()), IsEmpty());
        continue;
      }
    }
    ++tally.stored;
    cluster().sql(
        "beside",
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'beside' AND pid <> pg_backend_pid()");
    ASSERT_TRUE(becomes_true(
        [this] { return query("SELECT count(*) FROM pg_stat_activity WHERE datname = 'beside'") == "0"; }));
    ASSERT_TRUE(ends_with(kOk, pana({"restore", backups_.path(), "--into", fresh_database("copy")})));
    EXPECT_EQ("", different_lines(tables_of(cluster(), "beside"), tables_of(cluster(), "copy")));
    for (const auto& file : backups_in(backups_.path())) std::filesystem::remove(file);
  }
  for (const auto& [name, tally] : tallies) {
    fmt::print("{}: {} backups, {} stored, {} failed, {} left over, {} started over\n", name, tally.runs, tally.stored,
               tally.failed, tally.left_over, tally.started_over);
  }
  if (runs >= 200 && std::getenv("PANA_WRITE_DOCS") != nullptr && !HasFailure()) write_docs(tallies, runs);
}

}  // namespace
}  // namespace pana::test
