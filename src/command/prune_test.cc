#include "command/prune.h"

#include <gtest/gtest.h>

namespace pana {
namespace {

const TimePoint kNow = *parse_compact_time("20240401_000000");

BackupListing backup(const std::string& day, bool complete = true) {
  BackupListing listing;
  listing.object.key = "backup_" + day + "_000000.sql";
  listing.time = *backup_time(listing.object.key);
  if (complete) listing.index.emplace();
  return listing;
}

std::string kept(const std::vector<BackupListing>& backups, const PrunePolicy& policy) {
  std::string keeps;
  for (const PruneDecision& decision : decide_pruning(backups, policy, kNow)) keeps += decision.keep ? 'K' : '-';
  return keeps;
}

TEST(Prune, KeepsWhatAnyRuleKeeps) {
  const std::vector<BackupListing> backups = {backup("20240101"), backup("20240201"), backup("20240310"),
                                              backup("20240331")};
  EXPECT_EQ(kept(backups, {.keep_days = 30, .keep_last = std::nullopt}), "--KK");
  EXPECT_EQ(kept(backups, {.keep_days = std::nullopt, .keep_last = 3}), "-KKK");
  EXPECT_EQ(kept(backups, {.keep_days = 5, .keep_last = 2}), "--KK");
}

TEST(Prune, NeverRemovesTheNewestCompleteBackup) {
  const std::vector<BackupListing> backups = {backup("20230101"), backup("20230201"), backup("20230301", false)};
  EXPECT_EQ(kept(backups, {.keep_days = 1, .keep_last = 0}), "-K-");
}

TEST(Prune, DoesNotCountADamagedBackupAmongTheLast) {
  const std::vector<BackupListing> backups = {backup("20240101"), backup("20240201"), backup("20240301", false)};
  EXPECT_EQ(kept(backups, {.keep_days = std::nullopt, .keep_last = 2}), "KK-");
}

TEST(Prune, DoesNotTakeABackupOfPartsForAWholeOne) {
  std::vector<BackupListing> backups = {backup("20240101"), backup("20240201"), backup("20240301"), backup("20240302")};
  backups[2].index->header.filters = backups[3].index->header.filters = {"--table=one"};
  EXPECT_EQ(kept(backups, {.keep_days = std::nullopt, .keep_last = 1}), "-K-K");
  EXPECT_EQ(decide_pruning(backups, {.keep_days = {}, .keep_last = 1}, kNow)[3].reason, "the newest complete backup of parts, --table=one");
}

TEST(BackupTime, KnowsOnlyNamesOfBackups) {
  EXPECT_TRUE(backup_time("backup_20240101_000000.sql"));
  EXPECT_TRUE(backup_time("backup_20240101_000000.sql.zst"));
  for (const char* const key : {"backup_20240101_000000.sql.gz", "backup_2024.sql", "old_backup_20240101_000000.sql", ""}) {
    EXPECT_FALSE(backup_time(key)) << key;
  }
}

}  // namespace
}  // namespace pana
