#include "command/prune.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

#include "command/backup_name.h"

namespace pana {
namespace {

const TimePoint kNow = *parse_compact_time("20240401_000000");

BackupSummary backup(const std::string& day, BackupState state = BackupState::complete,
                     std::vector<std::string> filters = {}) {
  BackupSummary summary{.key = "backup_" + day + "_000000.sql", .state = state};
  summary.time = parse_backup_name(summary.key)->time;
  if (state == BackupState::complete) {
    summary.header.database = "shop";
    summary.header.system_identifier = "7301";
    summary.header.filters = std::move(filters);
  }
  return summary;
}

std::string kept(const std::vector<BackupSummary>& backups, const PrunePolicy& policy) {
  std::string keeps;
  for (const PruneDecision& decision : decide_pruning(backups, policy, kNow)) keeps += decision.keep ? 'K' : '-';
  return keeps;
}

TEST(Prune, KeepsWhatAnyRuleKeeps) {
  const std::vector<BackupSummary> backups = {backup("20240101"), backup("20240201"), backup("20240310"),
                                              backup("20240331")};
  EXPECT_EQ(kept(backups, {.keep_days = 30, .keep_last = std::nullopt}), "--KK");
  EXPECT_EQ(kept(backups, {.keep_days = std::nullopt, .keep_last = 3}), "-KKK");
  EXPECT_EQ(kept(backups, {.keep_days = 5, .keep_last = 2}), "--KK");
}

TEST(Prune, NeverRemovesTheNewestCompleteBackup) {
  const std::vector<BackupSummary> backups = {backup("20230101"), backup("20230201"),
                                              backup("20230301", BackupState::damaged)};
  EXPECT_EQ(kept(backups, {.keep_days = 1, .keep_last = 0}), "-KK");
}

TEST(Prune, RemovesADamagedBackupOnlyBehindANewerCompleteOne) {
  std::vector<BackupSummary> backups = {backup("20230101", BackupState::damaged),
                                        backup("20230201", BackupState::damaged)};
  EXPECT_EQ(kept(backups, {.keep_days = 1, .keep_last = 1}), "KK");
  backups.push_back(backup("20230301", BackupState::complete, {"--table=one"}));
  EXPECT_EQ(kept(backups, {.keep_days = 1, .keep_last = 1}), "KKK");
  backups.push_back(backup("20230302"));
  EXPECT_EQ(kept(backups, {.keep_days = 1, .keep_last = 1}), "--KK");
}

TEST(Prune, CountsNoBackupOfTheFuture) {
  const std::vector<BackupSummary> backups = {backup("20240101"), backup("20240331"), backup("20991128")};
  EXPECT_EQ(kept(backups, {.keep_days = std::nullopt, .keep_last = 1}), "-KK");
  EXPECT_EQ(kept(backups, {.keep_days = 0, .keep_last = std::nullopt}), "-KK");
}

TEST(Prune, DoesNotCountADamagedBackupAmongTheLast) {
  const std::vector<BackupSummary> backups = {backup("20240101"), backup("20240201"),
                                              backup("20240301", BackupState::damaged)};
  EXPECT_EQ(kept(backups, {.keep_days = std::nullopt, .keep_last = 2}), "KKK");
}

TEST(Prune, DoesNotTakeABackupOfPartsForAWholeOne) {
  const std::vector<BackupSummary> backups = {backup("20240101"), backup("20240201"),
                                              backup("20240301", BackupState::complete, {"--table=one"}),
                                              backup("20240302", BackupState::complete, {"--table=one"})};
  EXPECT_EQ(kept(backups, {.keep_days = std::nullopt, .keep_last = 1}), "-K-K");
  EXPECT_EQ(decide_pruning(backups, {.keep_days = {}, .keep_last = 1}, kNow)[3].reason,
            "the newest complete backup of shop, parts of it, --table=one");
}

TEST(Prune, RemovesNothingThatWasNotRead) {
  for (const BackupState state : {BackupState::unreadable, BackupState::newer}) {
    const std::vector<BackupSummary> backups = {backup("20230101", state), backup("20240101"), backup("20240201"),
                                                backup("20240301", state)};
    EXPECT_EQ(kept(backups, {.keep_days = 1, .keep_last = 1}), "K-KK");
  }
}

TEST(Prune, CountsEachDatabaseForItself) {
  std::vector<BackupSummary> backups = {backup("20240101"), backup("20240102"), backup("20240201"), backup("20240202"),
                                        backup("20240301")};
  backups[0].header.database = "app";
  backups[2].header.system_identifier = "7302";
  backups[3].header.system_identifier = "";
  const std::vector<PruneDecision> decisions = decide_pruning(backups, {.keep_days = {}, .keep_last = 1}, kNow);
  std::vector<std::string> reasons;
  for (const PruneDecision& decision : decisions) reasons.push_back(decision.keep ? decision.reason : "removed");
  EXPECT_EQ(reasons, (std::vector<std::string>{"the newest complete backup of app", "removed",
                                               "the newest complete backup of shop of the server 7302",
                                               "the newest complete backup of shop of an unknown server",
                                               "the newest complete backup of shop of the server 7301"}));
}

// Nobody knows of which database a damaged one was, and that may have no other.
TEST(Prune, KeepsADamagedBackupThatOneOfTheDatabasesMayNeed) {
  std::vector<BackupSummary> backups = {backup("20230102"), backup("20230201", BackupState::damaged),
                                        backup("20230301")};
  backups[0].header.database = "app";
  EXPECT_EQ(kept(backups, {.keep_days = 1, .keep_last = 1}), "KKK");
  backups.push_back(backup("20230302"));
  backups.back().header.database = "app";
  EXPECT_EQ(kept(backups, {.keep_days = 1, .keep_last = 1}), "--KK");
}

// Whatever there is: what was not read stays, the newest complete one of each series stays, and the others go or stay
// as if what was not read were not there.
TEST(Prune, DecidesAsIfWhatWasNotReadWereNotThere) {
  std::mt19937 random(17);
  const auto below = [&random](unsigned limit) { return static_cast<unsigned>(random() % limit); };
  for (int round = 0; round < 20'000; ++round) {
    std::vector<BackupSummary> all;
    std::vector<BackupSummary> readable;
    for (unsigned i = 0, count = below(12); i < count; ++i) {
      BackupSummary next = backup("20240101", static_cast<BackupState>(below(4)));
      if (next.complete() && below(3) == 0) next.header.filters = {"--table=one"};
      if (next.complete() && below(3) == 0) next.header.database = "app";
      if (next.complete() && below(4) == 0) next.header.system_identifier = "";
      next.time = kNow - std::chrono::hours(24 * (100 - 8 * i));
      next.key = std::to_string(i);
      all.push_back(next);
      if (next.complete() || next.state == BackupState::damaged) readable.push_back(next);
    }
    const PrunePolicy policy{.keep_days = below(2) == 0 ? std::nullopt : std::optional(below(120)),
                             .keep_last = below(2) == 0 ? std::nullopt : std::optional(below(5))};
    std::set<std::string> kept_of_readable;
    for (const PruneDecision& decision : decide_pruning(readable, policy, kNow)) {
      if (decision.keep) kept_of_readable.insert(decision.key);
    }
    std::map<BackupSeries, std::string> newest;
    const std::vector<PruneDecision> decisions = decide_pruning(all, policy, kNow);
    for (std::size_t i = 0; i < all.size(); ++i) {
      const bool was_read = all[i].complete() || all[i].state == BackupState::damaged;
      EXPECT_EQ(decisions[i].keep, !was_read || kept_of_readable.contains(all[i].key));
      if (all[i].complete()) newest[all[i].header.series()] = all[i].key;
    }
    for (const auto& [series, key] : newest) EXPECT_TRUE(kept_of_readable.contains(key));
  }
}

}  // namespace
}  // namespace pana
