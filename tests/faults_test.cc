// Faults of the network, the server and pana's own processes at random moments of a backup: no false success, nothing
// incomplete to be seen, nothing left running on the server.
//
// PANA_FAULT_RUNS chooses how many backups are disturbed; with PANA_WRITE_DOCS=1 the table of 300 or more goes to
// docs/faults.md.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <map>
#include <optional>
#include <random>

#include "support/fault_proxy.h"
#include "support/pana.h"
#include "support/pgbouncer.h"
#include "support/session.h"
#include "support/wait.h"

namespace pana::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr int kDefaultRuns = 28;

constexpr const char* kIntroduction = R"(# What faults lead to

Written by the test `Faults` (tests/faults_test.cc) with PANA_FAULT_RUNS={runs}: a backup of {bytes:.0f} MB with 3 jobs and
`--stall-timeout 2` is disturbed once at a random moment, counted in bytes from the server. In the first tenth of them it
connects, looks for a pooler, locks the tables, reads the catalog, and pg_dump reads the schema; after that come rows, in
the last tenth the last rows and the end. Faults of S3: [s3-faults.md](s3-faults.md).

* `reset`, `fin`, `stall`: one connection of pana is cut by RST or FIN, or nothing passes any more; *all*: every connection
  at that moment. `refuse`: one is cut, and no new one gets through.
* `backend`: a random server process of the backup is terminated (as `pg_terminate_backend` does), `locks`: the one that holds
  the tables' locks; `crash`: one is killed, and the server restarts all.
* `SIGTERM`, `SIGKILL`: what pana itself gets, or its child, if there is one at that moment.

Beside every backup runs a session that empties and fills again each table that nobody has locked: a backup that went on
without its locks would lack rows. *Stored* backups ended with status 0 before or in spite of the fault; each was compared
with the database. *Failed* ones ended with the status that stands there. The columns of moments say how many were stored and
how many failed. In every run: nothing incomplete was visible, no temporary file was left but after SIGKILL (the next backup
removes it), and no session or query of the backup was left on the server.

)";

constexpr std::array kMoments = {"first tenth", "middle", "last tenth"};

struct FaultTally {
  int runs = 0;
  int stored = 0;
  std::map<int, int> statuses;
  std::array<int, kMoments.size()> runs_at{};
  std::array<int, kMoments.size()> stored_at{};
  std::string message;  // the last one
};

// A cluster of its own: the death of a backend makes the others lose what is in no log (unlogged tables).
class Faults : public EndToEnd {
 protected:
  void SetUp() override {
    EndToEnd::SetUp();
    if (IsSkipped()) return;
    cluster_ = std::make_unique<Cluster>();
    cluster_->create_database("disturbed");
    cluster_->sql("disturbed", R"(
      DO $$ BEGIN
        FOR i IN 1..3 LOOP
          EXECUTE format('CREATE TABLE large_%s AS SELECT j AS id, repeat(md5(j::text), 12) AS t FROM generate_series(1, 12000) AS j', i);
          EXECUTE format('CREATE INDEX ON large_%s (id)', i);
        END LOOP;
        FOR i IN 1..60 LOOP
          EXECUTE format('CREATE TABLE small_%s AS SELECT j AS id, repeat(md5(j::text), 12) AS t FROM generate_series(1, 100) AS j', i);
        END LOOP;
      END $$;
      SELECT lo_from_bytea(0, convert_to(repeat(md5(i::text), 100), 'UTF8')) FROM generate_series(1, 50) AS i;
      CREATE PROCEDURE keep_rewriting() LANGUAGE plpgsql AS $$ DECLARE i int := 0; BEGIN LOOP
        i := i % 60 + 1;
        BEGIN
          EXECUTE format('LOCK TABLE small_%s NOWAIT', i);
          EXECUTE format('TRUNCATE small_%s', i);
          EXECUTE format('INSERT INTO small_%s SELECT j, repeat(md5(j::text), 12) FROM generate_series(1, 100) AS j', i);
        EXCEPTION WHEN lock_not_available THEN NULL;
        END;
        COMMIT;
        PERFORM pg_sleep(0.002);
      END LOOP; END $$)");
    network_ = std::make_unique<FaultProxy>(*cluster_);
  }

  Command command() const {
    Command command = pana_command({"backup", network_->url("disturbed"), "--to", backups_.path(), "--jobs", "3",
                                    "--stall-timeout", "2", "--lock-wait", "20"});
    return command;
  }

  // Empties and fills every small table as often as nobody holds a lock on it: a table looks empty to a snapshot that
  // is older. So a backup that goes on without its locks does not compare equal.
  class Rewriter {
   public:
    explicit Rewriter(const Cluster& cluster) : session_(cluster.url("disturbed")) {
      session_.execute("SET application_name = 'rewriter'");
      backend_ = std::stoi(session_.execute("SELECT pg_backend_pid()"));
      session_.send("CALL keep_rewriting()");
    }
    ~Rewriter() {
      ::kill(backend_, SIGTERM);
      EXPECT_ANY_THROW(session_.finish());  // waits for its end
    }
    Rewriter(const Rewriter&) = delete;
    Rewriter& operator=(const Rewriter&) = delete;

    bool is_alive() const { return ::kill(backend_, 0) == 0; }

   private:
    Session session_;
    pid_t backend_ = -1;
  };

  int sessions(const std::string& database = "disturbed") const {
    return std::stoi(
        cluster_->sql("postgres", "SELECT count(*) FROM pg_stat_activity WHERE datname = " + sql_literal(database)));
  }

  // The process id of a session of the backup, chosen at random or the one that holds the locks; empty when there is
  // none.
  std::string backend(bool of_the_locks) const {
    return cluster_->sql(
        "postgres",
        fmt::format("SELECT pid FROM pg_stat_activity WHERE datname = 'disturbed' AND application_name <> 'rewriter' "
                    "ORDER BY {} LIMIT 1",
                    of_the_locks ? "backend_start" : "random()"));
  }

  // One backup with the fault after so many bytes.
  void disturb(const std::string& fault, std::uint64_t after_bytes, FaultTally& tally) {
    SCOPED_TRACE(fmt::format("{} after {} bytes", fault, after_bytes));
    for (const auto& file : strangers_in(backups_.path())) std::filesystem::remove(backups_ / file);
    for (const auto& file : backups_in(backups_.path())) std::filesystem::remove(file);
    const bool is_of_the_network =
        fault.starts_with("reset") || fault.starts_with("fin") || fault.starts_with("stall") || fault == "refuse";
    // Of the others the proxy only tells the moment.
    const std::string kind = fault.substr(0, fault.find(' '));
    network_->set_fault(is_of_the_network ? kind : "none", after_bytes, fault.ends_with(" all"));
    network_->set_rate(is_of_the_network ? 0 : 6 << 20);  // or it would be over before the hand has fallen
    std::optional<Rewriter> rewriter(std::in_place, *cluster_);
    Background backup(command());
    const bool has_crashed = !is_of_the_network && strike(fault, after_bytes, backup);
    const bool has_ended = backup.ends_within(std::chrono::seconds(40));
    EXPECT_TRUE(has_ended) << backup.err_so_far();
    if (!has_ended) backup.send(SIGKILL);
    const Outcome outcome = backup.wait();
    network_->clear_fault();
    if (has_crashed) {
      EXPECT_TRUE(becomes_true([&] { return !rewriter->is_alive(); }, std::chrono::seconds(60)))
          << "the server has not noticed";
      cluster_->wait_until_ready();
    }
    rewriter.reset();
    judge(fault, outcome, tally);
  }

  // Whether the server is about to restart its sessions.
  bool strike(const std::string& fault, std::uint64_t after_bytes, Background& backup) {
    becomes_true([&] { return backup.ends_within(std::chrono::milliseconds(1)) || network_->bytes() >= after_bytes; });
    if (fault == "SIGTERM") backup.send(SIGTERM);
    if (fault == "SIGKILL") backup.send(SIGKILL);
    if (fault.starts_with("pg_dump")) {
      for (const pid_t child : children_of(backup.pid())) ::kill(child, fault == "pg_dump SIGTERM" ? SIGTERM : SIGKILL);
    }
    if (fault != "backend" && fault != "locks" && fault != "crash") return false;
    const std::string victim = backend(/*of_the_locks=*/fault == "locks");
    if (victim.empty()) return false;
    const bool has_hit = ::kill(std::stoi(victim), fault == "crash" ? SIGKILL : SIGTERM) ==
                         0;  // as pg_terminate_backend() does, but now
    return has_hit && fault == "crash";
  }

  void judge(const std::string& fault, const Outcome& outcome, FaultTally& tally) {
    ++tally.runs;
    const auto visible = backups_in(backups_.path());
    EXPECT_TRUE(fault == "SIGKILL" || strangers_in(backups_.path()).empty());
    if (outcome.exit_status == kOk) {
      ++tally.stored;
      EXPECT_EQ(1u, visible.size());
      EXPECT_TRUE(ends_with(kOk, pana({"verify", backups_.path(), "--against", cluster_->url("disturbed")})));
    } else {
      ++tally.statuses[outcome.signal != 0 ? -outcome.signal : outcome.exit_status];
      // Killed in the moment between the name and the end: then it is whole.
      EXPECT_TRUE(visible.empty() || fault == "SIGKILL") << outcome.description();
      for (const auto& file : visible) EXPECT_TRUE(ends_with(kOk, pana({"verify", file})));
      if (!outcome.err.empty()) {
        const std::size_t line = outcome.err.rfind('\n', outcome.err.size() - 2);
        tally.message =
            nlohmann::json::parse(outcome.err.substr(line == std::string::npos ? 0 : line + 1)).value("message", "");
        EXPECT_FALSE(tally.message.empty());
      } else {
        EXPECT_EQ("SIGKILL", fault);
      }
    }
    EXPECT_TRUE(becomes_true([this] { return sessions() == 0; }, std::chrono::seconds(10))) << cluster_->sql(
        "postgres",
        "SELECT application_name, state, wait_event, query FROM pg_stat_activity WHERE datname = 'disturbed'");
  }

  // Restores of a backup, disturbed in the same ways; a table of what came of them.
  std::string restores_table(int runs) {
    cluster_->create_database("restored");
    const Outcome made = pana({"backup", cluster_->url("disturbed"), "--to", restored_from_.path(), "--json"});
    EXPECT_TRUE(ends_with(kOk, made));
    network_->clear_fault();
    EXPECT_TRUE(ends_with(kOk, pana(restore_command())));
    const std::uint64_t bytes = network_->clear_fault();
    std::string table =
        "\n## Of a restore\n\nThe same, of `pana restore --clean` into a database: status 0 was believed only if "
        "`pana verify --against` found it equal.\n\n| fault | runs | equal | failed |\n|---|---|---|---|\n";
    for (const std::string fault : {"reset", "reset all", "fin all", "stall", "stall all", "SIGTERM", "SIGKILL"}) {
      int equal = 0;
      for (int run = 0; run < std::max(runs / 7, 1); ++run)
        equal += disturb_restore(fault, bytes * static_cast<std::uint64_t>(run % 8 + 1) / 10) ? 1 : 0;
      table +=
          fmt::format("| {} | {} | {} | {} |\n", fault, std::max(runs / 7, 1), equal, std::max(runs / 7, 1) - equal);
    }
    return table;
  }

  Command restore_command() const {
    return pana_command({"restore", restored_from_.path(), "--into", network_->url("restored"), "--clean",
                         "--allow-non-empty", "--jobs", "3", "--stall-timeout", "2"});
  }

  // Whether it succeeded all the same. What comes from the server during a restore is little: its bytes give the
  // moments.
  bool disturb_restore(const std::string& fault, std::uint64_t after_bytes) {
    SCOPED_TRACE(fmt::format("restore: {} after {} bytes", fault, after_bytes));
    const bool is_signal = fault.starts_with("SIG");
    network_->set_fault(is_signal ? "none" : fault.substr(0, fault.find(' ')), after_bytes, fault.ends_with(" all"));
    network_->set_rate(0);
    Background restore(restore_command());
    if (is_signal) {
      becomes_true(
          [&] { return restore.ends_within(std::chrono::milliseconds(1)) || network_->bytes() >= after_bytes; });
      restore.send(fault == "SIGTERM" ? SIGTERM : SIGKILL);
    }
    const bool has_ended = restore.ends_within(std::chrono::seconds(40));
    EXPECT_TRUE(has_ended) << restore.err_so_far();
    if (!has_ended) restore.send(SIGKILL);
    const Outcome outcome = restore.wait();
    network_->clear_fault();
    EXPECT_TRUE(outcome.succeeded() || fault == "SIGKILL" || outcome.err.find("\"error\"") != std::string::npos)
        << outcome.description();
    if (fault == "SIGTERM" && !outcome.succeeded()) {
      EXPECT_THAT(outcome.err, HasSubstr("the target may hold a part of the backup"));
    }
    EXPECT_TRUE(becomes_true([this] { return sessions("restored") == 0; }, std::chrono::seconds(10)));
    if (outcome.succeeded()) {
      EXPECT_TRUE(ends_with(kOk, pana({"verify", restored_from_.path(), "--against", cluster_->url("restored")})));
    }
    return outcome.succeeded();
  }

  std::unique_ptr<Cluster> cluster_;
  std::unique_ptr<FaultProxy> network_;
  TemporaryDirectory restored_from_;
};

// What can go wrong before there is a connection.
using Connecting = EndToEnd;

TEST_F(Connecting, AskedForAPasswordTriesTheWrongOneOnce) {
  const Cluster server({"logging_collector = on", "log_filename = 'server.log'"});
  const Outcome outcome =
      pana({"backup", server.url("postgres", "postgres", "wrong"), "--to", backups_.path(), "--jobs", "8"});
  EXPECT_TRUE(ends_with(kFailed, outcome));
  EXPECT_THAT(outcome.err, HasSubstr("password authentication failed"));
  const std::string log = server.sql("postgres", "SELECT pg_read_file('log/server.log')");
  std::size_t failures = 0;
  for (std::size_t at = 0; (at = log.find("FATAL:  password authentication failed", at)) != std::string::npos; ++at)
    ++failures;
  EXPECT_EQ(1u, failures) << log;
}

TEST_F(Connecting, ToNobodySaysWhy) {
  const std::string url = cluster().url("postgres");
  const auto refused = [this](const std::string& to, const std::string& words, int status = kFailed) {
    Command command = pana_command({"backup", to, "--to", backups_.path()});
    command.timeout = std::chrono::seconds(30);
    const Outcome outcome = pana(command);
    EXPECT_TRUE(ends_with(status, outcome));
    EXPECT_THAT(outcome.err, AllOf(HasSubstr(words), HasSubstr("\"hint\"")));
    EXPECT_TRUE(backups_in(backups_.path()).empty());
  };
  refused("postgresql://u:p@no-such-host.invalid/postgres", "could not translate host name");
  refused("postgresql://u:p@127.0.0.1:1/postgres", "Connection refused");
  refused(url + "?sslmode=require", "server does not support SSL");
  refused(url + "?sslmode=bogus", "options behind the ?", kUsage);
}

TEST_F(Connecting, WithTlsBelievesNoStrangersCertificate) {
  if (const auto reason = PgBouncer::missing()) GTEST_SKIP() << *reason;
  const PgBouncer pooler(cluster(), {.pool_mode = "session", .tls = true});
  const PgBouncer stranger(cluster(), {.pool_mode = "session", .tls = true});
  const auto certificate = [this](const PgBouncer& of, const char* name) {
    const std::string file = backups_ / name;
    std::ofstream(file) << of.certificate();
    return file;
  };
  const std::string own = certificate(pooler, "own.crt");
  const std::string other = certificate(stranger, "other.crt");
  const auto check = [&](const std::string& host, const std::string& mode, const std::string& root) {
    std::string url = pooler.url(everything().database);
    url.replace(url.find("127.0.0.1"), 9, host);
    url = url.substr(0, url.find('?'));
    return pana({"backup", fmt::format("{}?sslmode={}&sslrootcert={}", url, mode, root), "--to", backups_.path()});
  };
  EXPECT_TRUE(ends_with(kOk, check("127.0.0.1", "verify-full", own)));
  EXPECT_THAT(check("127.0.0.1", "verify-ca", other).err, HasSubstr("certificate verify failed"));
  EXPECT_THAT(check("localhost", "verify-full", own).err, HasSubstr("does not match host name"));
  EXPECT_THAT(check("127.0.0.1", "verify-full", "/nowhere.crt").err, HasSubstr("/nowhere.crt"));
  EXPECT_EQ(1u, backups_in(backups_.path()).size());
  EXPECT_TRUE(ends_with(kOk, pana({"verify", backups_.path(), "--against", cluster().url(everything().database)})));
}

// A trickle is no stall: bytes do come. It is waited for, and can be stopped like everything else.
TEST_F(Connecting, OverATrickleCanBeStopped) {
  FaultProxy network(cluster());
  network.set_rate(2000);
  Background backup(
      pana_command({"backup", network.url(everything().database), "--to", backups_.path(), "--stall-timeout", "2"}));
  EXPECT_FALSE(backup.ends_within(std::chrono::seconds(6))) << backup.err_so_far();
  backup.send(SIGTERM);
  EXPECT_TRUE(backup.ends_within(std::chrono::seconds(2)));
  EXPECT_TRUE(ends_with(kInterrupted, backup.wait()));
  EXPECT_TRUE(backups_in(backups_.path()).empty());
}

TEST_F(Faults, AtAnyMomentLeadToAWholeBackupOrToNone) {
  const char* const chosen = std::getenv("PANA_FAULT_RUNS");
  const int runs = chosen == nullptr ? kDefaultRuns : std::atoi(chosen);
  network_->clear_fault();
  ASSERT_TRUE(ends_with(kOk, pana(command())));
  const std::uint64_t bytes = network_->clear_fault();

  const std::vector<std::string> faults = {
      "reset",   "reset all", "fin",   "fin all", "stall",   "stall all",       "refuse",
      "backend", "locks",     "crash", "SIGTERM", "SIGKILL", "pg_dump SIGTERM", "pg_dump SIGKILL"};
  std::map<std::string, FaultTally> tallies;
  std::random_device device;
  const auto seed = device();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::minstd_rand random(seed);
  const std::array<std::pair<std::uint64_t, std::uint64_t>, kMoments.size()> ranges = {
      {{0, bytes / 10}, {bytes / 10, bytes - bytes / 10}, {bytes - bytes / 10, bytes}}};
  for (int run = 0; run < runs; ++run) {
    const std::string& fault = faults[static_cast<std::size_t>(run) % faults.size()];
    const std::size_t moment = static_cast<std::size_t>(run) / faults.size() % kMoments.size();
    const auto [from, to] = ranges[moment];
    FaultTally& tally = tallies[fault];
    const int stored_before = tally.stored;
    disturb(fault, std::uniform_int_distribution<std::uint64_t>(from, to)(random), tally);
    ++tally.runs_at[moment];
    tally.stored_at[moment] += tally.stored - stored_before;
  }

  std::string table = "| fault | runs | stored | failed, by exit status |";
  for (const char* const moment : kMoments) table += fmt::format(" {} |", moment);
  table += " the last message |\n|---|---|---|---|---|---|---|---|\n";
  for (const std::string& fault : faults) {
    const FaultTally& tally = tallies[fault];
    std::string statuses;
    for (const auto& [status, count] : tally.statuses) {
      statuses += fmt::format("{}{} with {}", statuses.empty() ? "" : ", ", count,
                              status < 0 ? fmt::format("signal {}", -status) : std::to_string(status));
    }
    table += fmt::format("| {} | {} | {} | {} |", fault, tally.runs, tally.stored, statuses);
    for (std::size_t moment = 0; moment < kMoments.size(); ++moment) {
      table += fmt::format(" {} + {} |", tally.stored_at[moment], tally.runs_at[moment] - tally.stored_at[moment]);
    }
    table += fmt::format(" {} |\n", tally.message);
    EXPECT_TRUE(runs < 100 || tally.stored < tally.runs || fault.starts_with("pg_dump")) << fault << " never struck";
  }
  table += restores_table(runs / 4);
  std::printf("%s", table.c_str());
  if (std::getenv("PANA_WRITE_DOCS") == nullptr || runs < 300) return;
  std::ofstream(std::string(PANA_SOURCE_DIR) + "/docs/faults.md")
      << fmt::format(kIntroduction, fmt::arg("runs", runs), fmt::arg("bytes", static_cast<double>(bytes) / 1e6))
      << table;
}

}  // namespace
}  // namespace pana::test
