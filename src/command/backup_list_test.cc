// A store in memory whose objects fail in every way: each failure is a state of its own backup, and no more.
#include "command/backup_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <map>

#include "format/backup_writer.h"

namespace pana {
namespace {

using testing::ElementsAre;

class KeptUpload : public ObjectUpload {
 public:
  std::uint64_t part_bytes() const override { return 1 << 20; }
  void put(const Part& part, const std::stop_token&) override { bytes += part.bytes; }
  void complete(const std::stop_token&) override {}
  std::string bytes;
};

std::string empty_backup(IndexHeader header) {
  KeptUpload upload;
  header.encoding = "UTF8";
  BackupWriter(upload, {}).finish({.header = std::move(header)}, {});
  return upload.bytes;
}

class KeptObject : public ObjectReader {
 public:
  explicit KeptObject(const std::string& bytes) : bytes_(bytes) {}
  std::uint64_t size() const override { return bytes_.size(); }
  void read(std::uint64_t offset, std::span<char> into, const std::stop_token&) const override {
    std::copy_n(bytes_.data() + offset, into.size(), into.data());
  }

 private:
  const std::string& bytes_;
};

class MemoryStore : public ObjectStore {
 public:
  std::string describe(const std::string& key) const override { return "memory/" + key; }
  std::unique_ptr<ObjectUpload> begin_upload(const std::string&, std::uint64_t) override { return nullptr; }
  std::unique_ptr<ObjectReader> open(const std::string& key) override {
    ++opened;
    const auto failure = failures.find(key);
    if (failure != failures.end()) throw Error(failure->second, "cannot open memory/" + key, "do something");
    return std::make_unique<KeptObject>(objects.at(key));
  }
  void remove_abandoned(const std::function<bool(const std::string&)>&) override {}
  std::vector<ObjectInfo> list() override {
    std::vector<ObjectInfo> list;
    for (const auto& [key, bytes] : objects) list.push_back({.key = key, .bytes = bytes.size()});
    return list;
  }
  void remove(const std::string& key) override { objects.erase(key); }

  std::map<std::string, std::string> objects;
  std::map<std::string, ErrorKind> failures;
  std::atomic<int> opened{0};
};

constexpr const char* kComplete = "backup_20240101_000000.sql";
constexpr const char* kDamaged = "backup_20240102_000000.sql";
constexpr const char* kNewer = "backup_20240103_000000.sql";
constexpr const char* kUnreadable = "backup_20240104_000000.sql";

void fill(MemoryStore& store) {
  store.objects = {{kComplete, empty_backup({.database = "shop"})},
                   {kDamaged, "SELECT 1;\n"},
                   {kNewer, empty_backup({.format = 2})},
                   {kUnreadable, ""},
                   {"notes.txt", "no backup"}};
  store.failures = {{kUnreadable, ErrorKind::failed}};
}

TEST(BackupList, HoldsEachBackupWithItsState) {
  MemoryStore store;
  fill(store);
  const std::vector<BackupSummary> backups = list_backups(store, {});
  std::vector<BackupState> states;
  for (const BackupSummary& backup : backups) states.push_back(backup.state);
  EXPECT_THAT(states,
              ElementsAre(BackupState::complete, BackupState::damaged, BackupState::newer, BackupState::unreadable));
  EXPECT_EQ(backups[0].header.database, "shop");
  EXPECT_THAT(backups[1].why, testing::StartsWith("memory/backup_20240102_000000.sql: "));
  EXPECT_EQ(backups[3].why, "cannot open memory/backup_20240104_000000.sql");
  EXPECT_EQ(backups[3].hint, "do something");
}

TEST(BackupList, IsEmptyWhereNothingIs) {
  MemoryStore store;
  EXPECT_TRUE(list_backups(store, {}).empty());
}

TEST(BackupList, EndsWhenItIsStopped) {
  MemoryStore store;
  fill(store);
  store.failures[kDamaged] = ErrorKind::interrupted;
  EXPECT_THROW(list_backups(store, {}), Error);
  EXPECT_THROW(visit_newest_first(store, [](const BackupSummary&) { return true; }, {}), Error);
}

TEST(BackupList, IsVisitedFromTheNewestAndReadNoFurtherThanWanted) {
  MemoryStore store;
  fill(store);
  std::vector<std::string> seen;
  visit_newest_first(store,
                     [&seen](const BackupSummary& backup) {
                       seen.push_back(backup.key);
                       return seen.size() < 2;
                     },
                     {});
  EXPECT_THAT(seen, ElementsAre(kUnreadable, kNewer));
  EXPECT_EQ(store.opened, 2);
}

}  // namespace
}  // namespace pana
