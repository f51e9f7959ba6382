// A location with backups of all kinds: one that cannot be read is named, and no command fails for its sake.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <iterator>

#include "base/time.h"
#include "support/fault_proxy.h"
#include "support/pana.h"
#include "support/s3_server.h"
#include "support/synthetic_backup.h"

namespace pana::test {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

std::string key_of_days_ago(int days) {
  return "backup_" + compact_time(std::chrono::system_clock::now() - std::chrono::hours(24 * days)) + ".sql";
}

std::vector<std::string> states_of(const Outcome& list) {
  std::vector<std::string> states;
  const nlohmann::json parsed = nlohmann::json::parse(list.out);
  for (const auto& backup : parsed.at("backups")) states.push_back(backup.at("state"));
  return states;
}

std::vector<std::string> kept_of(const Outcome& prune) {
  std::vector<std::string> kept;
  const nlohmann::json parsed = nlohmann::json::parse(prune.out);
  for (const auto& backup : parsed.at("backups")) {
    if (backup.at("keep")) kept.push_back(backup.at("key"));
  }
  return kept;
}

// Two good backups, then one of each kind that is none, the newest being the worst.
class Locations : public EndToEnd {
 protected:
  void SetUp() override {
    EndToEnd::SetUp();
    if (IsSkipped()) return;
    fresh_database("small");
    cluster().sql("small", "CREATE TABLE t AS SELECT generate_series(1, 10) AS x");
    for (const std::string& key : {older_, good_})
      fs::rename(back_up("small", {"--compression", "none"}), backups_ / key);
    std::ofstream(backups_ / damaged_) << "SELECT 1;\n";
    std::ofstream(backups_ / newer_) << tiny_backup({.format = 2});
    std::ofstream(backups_ / unreadable_) << tiny_backup();
    give(backups_.path());
    for (const auto& entry : fs::directory_iterator(backups_.path())) give(entry.path());
    fs::permissions(backups_ / unreadable_, fs::perms::none);
  }

  // To whom rights matter: root may read everything.
  static void give(const fs::path& path) {
    const std::optional<Account> account = server_account();
    ASSERT_TRUE(!account || ::chown(path.c_str(), account->user_id, account->group_id) == 0) << path;
  }

  static Outcome pana_as_user(const std::vector<std::string>& arguments) {
    Command command = pana_command(arguments);
    command.account = server_account();
    return pana(command);
  }

  std::string older_ = key_of_days_ago(50);
  std::string good_ = key_of_days_ago(40);
  std::string damaged_ = key_of_days_ago(30);
  std::string newer_ = key_of_days_ago(20);
  std::string unreadable_ = key_of_days_ago(10);
};

TEST_F(Locations, AreListedWithTheStateOfEach) {
  const Outcome printed = pana_as_user({"list", backups_.path(), "--json"});
  ASSERT_TRUE(ends_with(kOk, printed));
  EXPECT_THAT(states_of(printed), ElementsAre("complete", "complete", "damaged", "newer", "unreadable"));
  EXPECT_THAT(printed.out,
              AllOf(HasSubstr("Permission denied"), HasSubstr("the backup has format 2, this pana reads format 1")));
  const Outcome text = pana_as_user({"list", backups_.path()});
  ASSERT_TRUE(ends_with(kOk, text));
  EXPECT_THAT(text.out, AllOf(HasSubstr("10 rows of small"), HasSubstr("DAMAGED: "), HasSubstr("NEWER: "),
                              HasSubstr("UNREADABLE: ")));
}

TEST_F(Locations, AreReadPastWhatCannotBeRead) {
  const auto names_all_that_it_passes_over =
      AllOf(HasSubstr("unreadable_backup"), HasSubstr("newer_backup"), HasSubstr("damaged_backup"),
            HasSubstr(unreadable_), HasSubstr("others_unknown"));
  for (const std::vector<std::string>& options :
       std::vector<std::vector<std::string>>{{}, {"--against", cluster().url("small")}, {"--json"}}) {
    std::vector<std::string> arguments = {"verify", backups_.path()};
    arguments.insert(arguments.end(), options.begin(), options.end());
    const Outcome verified = pana_as_user(arguments);
    EXPECT_TRUE(ends_with(kFailed, verified)) << "the newest was not looked at";
    EXPECT_THAT(verified.out, HasSubstr(good_));
    EXPECT_THAT(verified.err, AllOf(names_all_that_it_passes_over,
                                    HasSubstr(fmt::format("is older than {}, which is unreadable", unreadable_))));
  }
  const Outcome restored =
      pana_as_user({"restore", backups_.path(), "--into", fresh_database("restored"), "--verify", "--json"});
  ASSERT_TRUE(ends_with(kOk, restored));
  const nlohmann::json report = nlohmann::json::parse(restored.out);
  EXPECT_THAT(report.at("backup").get<std::string>(), HasSubstr(good_));
  std::vector<std::string> passed_over;
  for (const auto& newer : report.at("passed_over")) passed_over.push_back(newer.at("key"));
  EXPECT_THAT(passed_over, ElementsAre(unreadable_, newer_, damaged_));
  EXPECT_THAT(restored.err, names_all_that_it_passes_over);
  const Outcome checked = pana_as_user({"check", cluster().url("small"), "--to", backups_.path()});
  ASSERT_TRUE(ends_with(kOk, checked));
  EXPECT_THAT(checked.out,
              AllOf(HasSubstr("the newest complete backup is " + good_), HasSubstr(unreadable_ + " is unreadable")));
}

TEST_F(Locations, AreNotProvenByABackupThatIsOlderThanADamagedOne) {
  fs::remove(backups_ / unreadable_);
  fs::remove(backups_ / newer_);
  const Outcome verified = pana_as_user({"verify", backups_.path(), "--json"});
  EXPECT_TRUE(ends_with(kDamaged, verified));
  EXPECT_EQ(nlohmann::json::parse(verified.out).at("passed_over").at(0).at("state"), "damaged");
  EXPECT_TRUE(ends_with(kOk, pana_as_user({"verify", backups_ / good_})));
  fs::rename(backups_ / damaged_, backups_ / "away");
  EXPECT_TRUE(ends_with(kOk, pana_as_user({"verify", backups_.path()})));
  fs::rename(backups_ / "away", backups_ / damaged_);
  fs::remove(backups_ / good_);
  fs::remove(backups_ / older_);
  EXPECT_TRUE(ends_with(kDamaged, pana_as_user({"verify", backups_.path()}))) << "it is all there is";
}

// What was not read may be a good backup: it is neither removed nor counted. Nor is a damaged one removed that is newer
// than all complete ones.
TEST_F(Locations, ArePrunedOfNothingThatCouldNotBeRead) {
  const Outcome last = pana_as_user({"prune", backups_.path(), "--keep-last", "1", "--json"});
  ASSERT_TRUE(ends_with(kOk, last));
  EXPECT_THAT(kept_of(last), ElementsAre(good_, damaged_, newer_, unreadable_));
  const Outcome days = pana_as_user({"prune", backups_.path(), "--keep-days", "1", "--json"});
  ASSERT_TRUE(ends_with(kOk, days));
  EXPECT_THAT(kept_of(days), ElementsAre(good_, damaged_, newer_, unreadable_));
}

// A long index that is damaged behind its header looks complete to a summary. Nothing else is removed on its account,
// and nobody is told that it is the newest good one.
TEST_F(Locations, AreNotPrunedForABackupWhoseLongIndexIsDamaged) {
  for (const std::string& key : {older_, damaged_, newer_, unreadable_}) fs::remove(backups_ / key);
  std::ofstream(backups_ / good_) << tiny_backup();
  const std::string newest = key_of_days_ago(1);
  write_plain_terabyte(backups_ / newest);
  {
    std::fstream file(backups_ / newest, std::ios::in | std::ios::out | std::ios::binary);
    const std::string frame = "\"xxh64\":\"";
    file.seekg(-4096, std::ios::end);
    const auto tail_at = file.tellg();
    std::string tail(4096, '\0');
    file.read(tail.data(), 4096);
    const std::size_t digit = tail.rfind(frame) + frame.size();
    file.seekp(tail_at + static_cast<std::streamoff>(digit));
    file.put(tail[digit] == '0' ? '1' : '0');
  }
  give(backups_ / newest);
  EXPECT_THAT(states_of(pana_as_user({"list", backups_.path(), "--json"})), ElementsAre("complete", "complete"))
      << "as far as a summary sees";
  EXPECT_THAT(pana_as_user({"check", cluster().url("small"), "--to", backups_.path()}).out,
              HasSubstr("the newest complete backup is " + good_));
  EXPECT_THAT(pana_as_user({"verify", backups_.path()}).out, HasSubstr(good_));
  const Outcome pruned = pana_as_user({"prune", backups_.path(), "--keep-last", "1", "--json"});
  ASSERT_TRUE(ends_with(kOk, pruned));
  EXPECT_THAT(kept_of(pruned), ElementsAre(good_, newest)) << "part of the damaged one can still be restored";
  EXPECT_TRUE(fs::exists(backups_ / good_));
}

TEST_F(Locations, SayWhyThereIsNoCompleteBackup) {
  fs::remove(backups_ / older_);
  fs::remove(backups_ / good_);
  const Outcome outcome = pana_as_user({"verify", backups_.path()});
  EXPECT_TRUE(ends_with(kFailed, outcome));
  EXPECT_THAT(outcome.err,
              AllOf(HasSubstr("holds no complete backup"), HasSubstr(unreadable_), HasSubstr("Permission denied")));
}

TEST_F(Locations, ArePrunedOfTheOthersWhenOneCannotBeRemoved) {
  const std::string first = key_of_days_ago(60);
  fs::copy_file(backups_ / older_, backups_ / first);
  give(backups_ / first);
  fs::permissions(backups_.path(), fs::perms::owner_read | fs::perms::owner_exec);
  const Outcome outcome = pana_as_user({"prune", backups_.path(), "--keep-last", "1"});
  fs::permissions(backups_.path(), fs::perms::owner_all);
  EXPECT_TRUE(ends_with(kFailed, outcome));
  EXPECT_THAT(outcome.out,
              AllOf(HasSubstr("not removed   " + first), HasSubstr("not removed   " + older_), HasSubstr("keep")));
}

TEST_F(Locations, ListOlderBackupsThatHaveNoTotals) {
  const TemporaryDirectory golden;
  const fs::path source = fs::path(PANA_SOURCE_DIR) / "tests" / "golden";
  fs::copy_file(source / "format1.sql", golden / "backup_20240101_000000.sql");
  fs::copy_file(source / "format1.sql.zst", golden / "backup_20240102_000000.sql.zst");
  const Outcome listed = pana({"list", golden.path(), "--json"});
  ASSERT_TRUE(ends_with(kOk, listed));
  const Outcome shown = pana({"show", golden.path(), "--json"});
  ASSERT_TRUE(ends_with(kOk, shown));
  const nlohmann::json whole = nlohmann::json::parse(shown.out);
  const nlohmann::json list = nlohmann::json::parse(listed.out);
  ASSERT_EQ(list.at("backups").size(), 2U);
  for (const auto& backup : list.at("backups")) {
    EXPECT_EQ(backup.at("state"), "complete");
    EXPECT_EQ(backup.at("rows"), whole.at("rows"));
    EXPECT_EQ(backup.at("text_bytes"), whole.at("text_bytes"));
  }
}

// A server that falls silent holds up neither the check of tonight nor a proof.
TEST_F(Locations, AreCheckedAndProvenWithinALimitOfSilence) {
  FaultProxy network(cluster());
  const auto expect_an_end = [&](std::vector<std::string> arguments, int status) {
    SCOPED_TRACE(arguments.front());
    network.set_fault("stall", 1 << 30);
    ASSERT_TRUE(ends_with(kOk, pana(arguments)));
    network.set_fault("stall", network.clear_fault() * 9 / 10, /*all_connections=*/true);
    arguments.insert(arguments.end(), {"--stall-timeout", "1"});
    const Outcome outcome = pana(arguments);
    network.clear_fault();
    EXPECT_TRUE(ends_with(status, outcome));
    EXPECT_THAT(outcome.out + outcome.err, HasSubstr("the server said nothing for 1 s"));
  };
  expect_an_end({"check", network.url("small")}, kRefused);
  expect_an_end({"verify", backups_ / good_, "--against", network.url("small")}, kFailed);
  fresh_database("restored");
  expect_an_end({"restore", backups_ / good_, "--clean", "--into", network.url("restored"), "--verify"}, kFailed);
}

class Buckets : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto reason = S3Server::stand_in_missing()) GTEST_SKIP() << *reason;
    environment_.emplace(server().environment());
    server().set_faults(nlohmann::json::array());
  }

  void TearDown() override {
    if (IsSkipped()) return;
    server().set_faults(nlohmann::json::array());
    server().set_delay(0);
    server().set_page(3);
  }

  static S3Server& server() { return S3Server::stand_in(); }

  std::optional<Environment> environment_;
};

TEST_F(Buckets, AreReadPastAnObjectThatIsInAnArchive) {
  const std::string old_key = key_of_days_ago(3);
  const std::string new_key = key_of_days_ago(1);
  for (const std::string& key : {old_key, new_key}) server().request("PUT", "/archive/" + key, "", tiny_backup());
  const nlohmann::json first_is_archived = {{{"operation", "GetObject"}, {"fault", "archived"}, {"times", 1}}};

  server().set_faults(first_is_archived);
  const Outcome verified = pana({"verify", "s3://archive"});
  EXPECT_TRUE(ends_with(kFailed, verified));
  EXPECT_THAT(verified.out, HasSubstr(old_key));
  EXPECT_THAT(verified.err,
              AllOf(HasSubstr("unreadable_backup"), HasSubstr(new_key), HasSubstr("the object is in an archive")));

  server().set_faults(first_is_archived);
  const Outcome listed = pana({"list", "s3://archive", "--json"});
  ASSERT_TRUE(ends_with(kOk, listed));
  EXPECT_THAT(states_of(listed), testing::UnorderedElementsAre("complete", "unreadable"));
  EXPECT_THAT(listed.out, AllOf(HasSubstr("the object is in an archive"), Not(HasSubstr("s3:GetObject"))));

  server().set_faults(first_is_archived);
  const Outcome pruned = pana({"prune", "s3://archive", "--keep-last", "1", "--json"});
  ASSERT_TRUE(ends_with(kOk, pruned));
  EXPECT_THAT(kept_of(pruned), ElementsAre(old_key, new_key));
}

// An empty object has no tail that could be asked for.
TEST_F(Buckets, AreReadPastAnEmptyObject) {
  server().request("PUT", "/empty/" + key_of_days_ago(1), "", "");
  const Outcome listed = pana({"list", "s3://empty", "--json"});
  ASSERT_TRUE(ends_with(kOk, listed));
  EXPECT_THAT(states_of(listed), ElementsAre("damaged"));
}

// Each takes three requests: its end, the rest of its seek table, and the header of its index.
TEST_F(Buckets, OfAYearOfLargeBackupsAreListedInSeconds) {
  constexpr int kBackups = 365;
  const std::string backup = terabyte_backup();
  for (int day = 0; day < kBackups; ++day)
    server().request("PUT", "/year/" + key_of_days_ago(day) + ".zst", "", backup);
  server().set_page(1000);
  server().set_delay(0.02);
  server().set_faults(nlohmann::json::array());  // counts from here
  const auto began = std::chrono::steady_clock::now();
  const Outcome listed = pana({"list", "s3://year", "--json"});
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - began;
  ASSERT_TRUE(ends_with(kOk, listed));
  const nlohmann::json backups = nlohmann::json::parse(listed.out).at("backups");
  EXPECT_EQ(backups.size(), kBackups);
  for (const auto& each : backups) EXPECT_EQ(each.at("rows"), terabyte_totals().rows);
  EXPECT_EQ(server().requests("HeadObject"), 0U);
  EXPECT_EQ(server().requests("GetObject"), 3U * kBackups);
  RecordProperty("seconds", fmt::format("{:.2f}", seconds.count()));
  EXPECT_TRUE(kSanitized || seconds.count() <= 3.0) << seconds.count();
}

}  // namespace
}  // namespace pana::test
