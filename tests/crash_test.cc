// Bar 4: whatever dies at whatever moment, what is visible is complete, and success means complete.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <optional>
#include <random>

#include "support/pana.h"

namespace pana::test {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

enum class Victim { pana, pg_dump, backend, terminated_backend };
constexpr const char* kVictimNames[] = {"pana", "pg_dump", "a backend (kill -9)", "a backend (terminated)"};

int number_of_runs() {
  const char* runs = std::getenv("PANA_CRASH_RUNS");
  return runs ? std::atoi(runs) : 12;
}

bool is_zombie(pid_t pid) {
  std::ifstream file(fmt::format("/proc/{}/stat", pid));
  std::string text;
  std::getline(file, text);
  const std::size_t end_of_name = text.rfind(") ");
  return end_of_name == std::string::npos || text[end_of_name + 2] == 'Z';
}

// A cluster of its own: the death of a backend takes the connections of everybody.
class Crash : public EndToEnd {
 protected:
  void SetUp() override {
    EndToEnd::SetUp();
    if (IsSkipped()) return;
    cluster_ = std::make_unique<Cluster>();
    cluster_->create_database("crashing");
    cluster_->psql_file("crashing", fixture("big.sql"));
    url_ = cluster_->url("crashing");
  }

  Command backup_command() const {
    return pana_command({"backup", url_, "--to", backups_.path(), "--compression", "zstd", "--jobs", "3"});
  }

  // A connection of the backup, by a number drawn before: which one is not known in advance.
  std::optional<pid_t> some_backend(unsigned drawn) const {
    const std::string pid = cluster_->sql(
        "postgres",
        fmt::format("WITH b AS (SELECT pid, row_number() OVER (ORDER BY pid) - 1 AS place, count(*) OVER () AS n "
                    "FROM pg_stat_activity WHERE datname = 'crashing' AND backend_type = 'client backend') "
                    "SELECT pid FROM b WHERE place = {} % n",
                    drawn));
    if (pid.empty()) return std::nullopt;
    return std::stoi(pid);
  }

  // Says whether there was a victim to hit.
  bool strike(Victim victim, Background& backup, unsigned drawn) const {
    if (victim == Victim::pana) {
      backup.send(SIGKILL);
      return true;
    }
    if (victim == Victim::pg_dump) {
      for (const pid_t child : children_of(backup.pid())) {
        if (program_of(child) == "pg_dump" && !is_zombie(child)) return ::kill(child, SIGKILL) == 0;
      }
      return false;
    }
    const std::optional<pid_t> backend = some_backend(drawn);
    if (!backend) return false;
    if (victim == Victim::backend) return ::kill(*backend, SIGKILL) == 0;
    return cluster_->sql("postgres", fmt::format("SELECT pg_terminate_backend({})", *backend)) == "t";
  }

  void expect_all_visible_backups_complete() const {
    for (const fs::path& backup : backups_in(backups_.path())) EXPECT_TRUE(ends_with(kOk, pana({"verify", backup})));
  }

  std::unique_ptr<Cluster> cluster_;
  std::string url_;
};

TEST_F(Crash, NeverLeavesAVisibleIncompleteBackupAndNeverCallsItSuccess) {
  const Clock::time_point start = Clock::now();
  ASSERT_TRUE(ends_with(kOk, pana(backup_command())));
  const auto undisturbed = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start);

  const unsigned seed = std::random_device()();
  std::mt19937 random(seed);
  int hits = 0;
  for (int run = 0; run < number_of_runs() && !HasFailure(); ++run) {
    const auto victim = static_cast<Victim>(run % 4);
    const std::chrono::milliseconds moment(random() % static_cast<unsigned>(undisturbed.count() + 50));
    SCOPED_TRACE(fmt::format("seed {}, run {}, {} after {} ms of {}", seed, run, kVictimNames[run % 4], moment.count(),
                             undisturbed.count()));
    for (const fs::path& backup : backups_in(backups_.path())) fs::remove(backup);
    const std::vector<std::string> of_a_killed_run = strangers_in(backups_.path());

    Background backup(backup_command());
    const bool was_running = !backup.ends_within(moment);
    const bool hit = was_running && strike(victim, backup, static_cast<unsigned>(random()));
    ASSERT_TRUE(backup.ends_within(std::chrono::minutes(2))) << backup.err_so_far();
    const Outcome outcome = backup.wait();
    expect_clean_output(outcome);
    cluster_->wait_until_ready();

    hits += hit ? 1 : 0;
    if (!hit) {
      EXPECT_TRUE(ends_with(kOk, outcome));
    }
    if (victim != Victim::pana) {
      EXPECT_EQ(0, outcome.signal) << outcome.description();
    }
    if (outcome.exit_status == kOk) {
      // The blow came after all was read, or hit nobody: then the backup is whole.
      ASSERT_EQ(1U, backups_in(backups_.path()).size());
      EXPECT_TRUE(ends_with(kOk, pana({"verify", backups_.path(), "--against", url_})));
    } else if (outcome.signal == 0) {
      EXPECT_THAT(backups_in(backups_.path()), testing::IsEmpty()) << outcome.description();
      EXPECT_THAT(strangers_in(backups_.path()), testing::AnyOf(testing::IsEmpty(), testing::Eq(of_a_killed_run)))
          << "a failed run tidies up after itself";
      EXPECT_TRUE(ends_with(kFailed, outcome));
      EXPECT_FALSE(outcome.err.empty());
    }
    expect_all_visible_backups_complete();
  }
  EXPECT_GE(hits, number_of_runs() / 4) << "the blows came too late to prove anything";

  ASSERT_TRUE(ends_with(kOk, pana(backup_command())));
  EXPECT_THAT(strangers_in(backups_.path()), testing::IsEmpty()) << "the next run removes what a killed one left";
  EXPECT_TRUE(ends_with(kOk, pana({"verify", backups_.path(), "--against", url_})));
}

// pana asks pg_dump for its version before it dumps.
TEST_F(Crash, OfPgDumpAtItsFirstWordIsNotItsAbsence) {
  const fs::path program = backups_ / "pg_dump";
  Command backup = backup_command();
  backup.environment["PANA_PG_DUMP"] = program;
  const auto expect_refusal = [&](int status, std::string_view reason) {
    const Outcome outcome = pana(backup);
    EXPECT_TRUE(ends_with(status, outcome));
    EXPECT_THAT(outcome.err, testing::HasSubstr(reason));
    EXPECT_THAT(backups_in(backups_.path()), testing::IsEmpty());
  };
  expect_refusal(kRefused, "names no program");
  write_script(program, "kill -KILL $$");
  expect_refusal(kFailed, "--version ended with signal 9");
  write_script(program, "exit 127");
  expect_refusal(kRefused, "--version ended with exit status 127");
  write_script(program, "echo 'rm (GNU coreutils) 9.1'");
  expect_refusal(kRefused, "is not pg_dump");
}

TEST_F(Crash, OfTheServerDuringARestoreIsAFailure) {
  ASSERT_TRUE(ends_with(kOk, pana(backup_command())));
  cluster_->create_database("target");
  Background restore(pana_command({"restore", backups_.path(), "--into", cluster_->url("target")}));
  ASSERT_FALSE(restore.ends_within(std::chrono::milliseconds(300))) << restore.err_so_far();
  cluster_->sql("postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'target'");
  const Outcome outcome = restore.wait();
  EXPECT_TRUE(ends_with(kFailed, outcome));
  EXPECT_FALSE(outcome.err.empty());
}

}  // namespace
}  // namespace pana::test
