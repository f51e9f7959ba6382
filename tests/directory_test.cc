// Backups in a directory: never overwritten, listed, pruned, and nothing else beside them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/time.h"
#include "support/pana.h"

namespace pana::test {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class Directory : public EndToEnd {
 protected:
  void SetUp() override {
    EndToEnd::SetUp();
    if (IsSkipped()) return;
    fresh_database("small");
    cluster().sql("small", "CREATE TABLE t AS SELECT generate_series(1, 10) AS x");
  }

  // A complete backup under the name it would have had some days ago.
  fs::path backup_of_days_ago(int days) const {
    const fs::path made = back_up("small", {"--compression", "none"});
    const TimePoint then = std::chrono::system_clock::now() - std::chrono::hours(24 * days);
    const fs::path renamed = backups_.path() / ("backup_" + compact_time(then) + ".sql");
    fs::rename(made, renamed);
    return renamed;
  }

  std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const fs::path& backup : backups_in(backups_.path())) names.push_back(backup.filename());
    return names;
  }
};

TEST_F(Directory, KeepsEveryBackupOfTheSameSecond) {
  constexpr int kRuns = 5;
  std::vector<std::unique_ptr<Background>> runs;
  for (int i = 0; i < kRuns; ++i) {
    runs.push_back(
        std::make_unique<Background>(pana_command({"backup", cluster().url("small"), "--to", backups_.path()})));
  }
  std::size_t succeeded = 0;
  for (const auto& run : runs) succeeded += run->wait().succeeded() ? 1U : 0U;
  EXPECT_GE(succeeded, 1U);
  EXPECT_EQ(succeeded, backups_in(backups_.path()).size()) << "every success is a file of its own";
  EXPECT_THAT(strangers_in(backups_.path()), IsEmpty());
  for (const fs::path& backup : backups_in(backups_.path())) EXPECT_TRUE(ends_with(kOk, pana({"verify", backup})));
}

TEST_F(Directory, IsMadeWhenItIsNotThereAndRefusedWhenItCannotBe) {
  EXPECT_TRUE(ends_with(kOk, pana({"backup", cluster().url("small"), "--to", backups_ / "new"})));
  EXPECT_EQ(1U, backups_in(backups_ / "new").size());
  const Outcome outcome = pana({"backup", cluster().url("small"), "--to", "/proc/nowhere"});
  EXPECT_NE(kOk, outcome.exit_status);
  EXPECT_THAT(outcome.err, HasSubstr("/proc/nowhere"));
  // What cannot even be examined.
  fs::create_symlink("loop", backups_ / "loop");
  for (const std::vector<std::string>& command :
       std::vector<std::vector<std::string>>{{"backup", cluster().url("small"), "--to", backups_ / "loop"},
                                             {"list", backups_ / "loop"},
                                             {"verify", backups_ / "loop"}}) {
    const Outcome in_circles = pana(command);
    EXPECT_TRUE(ends_with(kFailed, in_circles));
    EXPECT_THAT(in_circles.err,
                AllOf(HasSubstr("loop: Too many levels of symbolic links"), Not(HasSubstr("filesystem error"))));
  }
}

TEST_F(Directory, HoldsBackupsOnlyTheirOwnerCanRead) {
  const fs::perms permissions = fs::status(back_up("small")).permissions();
  EXPECT_EQ(fs::perms::none, permissions & (fs::perms::others_all | fs::perms::group_all));
}

TEST_F(Directory, ListsWhatItHolds) {
  const fs::path old = backup_of_days_ago(3);
  const fs::path young = back_up("small", {"--compression", "zstd"});
  std::ofstream(backups_ / "notes.txt") << "not a backup";
  const Outcome text = pana({"list", backups_.path()});
  ASSERT_TRUE(ends_with(kOk, text));
  EXPECT_THAT(text.out, HasSubstr(old.filename().string()));
  EXPECT_THAT(text.out, HasSubstr(young.filename().string()));
  EXPECT_THAT(text.out, Not(HasSubstr("notes.txt")));

  const Outcome printed = pana({"list", backups_.path(), "--json"});
  ASSERT_TRUE(ends_with(kOk, printed));
  EXPECT_TRUE(nlohmann::json::accept(printed.out)) << printed.out;
  EXPECT_THAT(printed.out, HasSubstr(young.filename().string()));
}

TEST_F(Directory, ShowsWhatABackupHolds) {
  const fs::path backup = back_up("small");
  const Outcome text = pana({"show", backup});
  ASSERT_TRUE(ends_with(kOk, text));
  EXPECT_THAT(text.out, HasSubstr("public.t"));
  EXPECT_THAT(text.out, HasSubstr("10"));
  const Outcome printed = pana({"show", backup, "--json"});
  ASSERT_TRUE(ends_with(kOk, printed));
  EXPECT_TRUE(nlohmann::json::accept(printed.out)) << printed.out;
}

TEST_F(Directory, ReportsABackupAsOneJsonObject) {
  const Outcome outcome = pana({"backup", cluster().url("small"), "--to", backups_.path(), "--json"});
  ASSERT_TRUE(ends_with(kOk, outcome));
  const nlohmann::json report = nlohmann::json::parse(outcome.out);
  EXPECT_EQ(fs::file_size(backups_.path() / report.at("key").get<std::string>()),
            report.at("bytes").get<std::uintmax_t>());
  EXPECT_EQ(10, report.at("rows"));
  EXPECT_EQ(1, report.at("tables"));
  EXPECT_TRUE(report.at("seconds").is_number());
  EXPECT_TRUE(report.at("snapshot_time").is_string());
}

TEST_F(Directory, MeansItsNewestCompleteBackup) {
  backup_of_days_ago(2);
  cluster().sql("small", "UPDATE t SET x = 99");
  back_up("small");
  // Newer by its name, but torn: as a copy that was interrupted would be.
  std::ofstream(backups_ / "backup_21990101_000000.sql") << "SELECT 1;\n";
  ASSERT_TRUE(ends_with(kOk, pana({"restore", backups_.path(), "--into", fresh_database("restored")})));
  EXPECT_EQ("99", cluster().sql("restored", "SELECT DISTINCT x FROM t"));
}

TEST_F(Directory, WithoutBackupsIsAnErrorThatSaysSo) {
  const Outcome outcome = pana({"verify", backups_.path()});
  EXPECT_NE(kOk, outcome.exit_status);
  EXPECT_THAT(outcome.err, HasSubstr("no complete backup"));
  EXPECT_TRUE(ends_with(kOk, pana({"list", backups_.path()})));
}

TEST_F(Directory, IsPrunedByAgeButNeverBelowTheLastOnes) {
  const std::string d40 = backup_of_days_ago(40).filename();
  const std::string d35 = backup_of_days_ago(35).filename();
  const std::string d10 = backup_of_days_ago(10).filename();
  const std::string d1 = backup_of_days_ago(1).filename();
  std::ofstream(backups_ / "notes.txt") << "not a backup";

  const Outcome rehearsal = pana({"prune", backups_.path(), "--keep-days", "30", "--keep-last", "1", "--dry-run"});
  ASSERT_TRUE(ends_with(kOk, rehearsal));
  EXPECT_THAT(rehearsal.out + rehearsal.err, HasSubstr(d40));
  EXPECT_THAT(names(), ElementsAre(d40, d35, d10, d1));

  ASSERT_TRUE(ends_with(kOk, pana({"prune", backups_.path(), "--keep-days", "30", "--keep-last", "3"})));
  EXPECT_THAT(names(), ElementsAre(d35, d10, d1));
  ASSERT_TRUE(ends_with(kOk, pana({"prune", backups_.path(), "--keep-days", "30", "--keep-last", "1"})));
  EXPECT_THAT(names(), ElementsAre(d10, d1));
  ASSERT_TRUE(ends_with(kOk, pana({"prune", backups_.path(), "--keep-days", "0", "--keep-last", "1"})));
  EXPECT_THAT(names(), ElementsAre(d1));
  EXPECT_THAT(strangers_in(backups_.path()), ElementsAre("notes.txt"));
}

TEST_F(Directory, IsNotPrunedOfItsLastGoodBackupForTheSakeOfADamagedOne) {
  const std::string good = backup_of_days_ago(40).filename();
  std::ofstream(backups_ / ("backup_" + compact_time(std::chrono::system_clock::now()) + ".sql")) << "SELECT 1;\n";
  const Outcome outcome = pana({"prune", backups_.path(), "--keep-days", "30", "--keep-last", "1"});
  EXPECT_THAT(names(), testing::Contains(good)) << outcome.description();
}

// Somebody stored one table beside the whole database: who names the location must not get that table alone.
TEST_F(Directory, IsNoBackupWhereTheNewestHoldsOtherParts) {
  fresh_database("two");
  cluster().sql("two", "CREATE TABLE a AS SELECT 1 AS i; CREATE TABLE b AS SELECT 2 AS i");
  const fs::path whole = back_up("two");
  const fs::path part = back_up("two", {"-t", "a"});
  for (const std::vector<std::string>& reading :
       {std::vector<std::string>{"restore", backups_.path(), "--into", fresh_database("target")},
        {"verify", backups_.path(), "--against", cluster().url("two")},
        {"show", backups_.path()}}) {
    const Outcome refused = pana(reading);
    EXPECT_TRUE(ends_with(kRefused, refused)) << reading.front();
    EXPECT_THAT(refused.err, testing::AllOf(HasSubstr("--table=a"),
                                            HasSubstr("name the one that is meant, such as " + whole.string())));
  }
  const std::string url = cluster().url("two");
  EXPECT_THAT(pana({"check", url, "--to", backups_.path()}).out,
              HasSubstr("the newest complete backup is " + whole.filename().string()));
  EXPECT_THAT(pana({"check", url, "--to", backups_.path(), "-t", "a"}).out,
              HasSubstr("the newest complete backup is " + part.filename().string()));
  EXPECT_TRUE(ends_with(kOk, pana({"restore", whole, "--into", cluster().url("target"), "--verify"})));

  fs::remove(whole);
  EXPECT_THAT(pana({"check", url, "--to", backups_.path()}).out,
              HasSubstr("there is no complete backup of the whole database yet"));
  back_up("two", {"-t", "a"});
  const Outcome same_parts = pana({"verify", backups_.path(), "--against", url});
  EXPECT_TRUE(ends_with(kOk, same_parts));
  EXPECT_THAT(same_parts.err, HasSubstr("partial_backup"));
  back_up("two");
  EXPECT_TRUE(ends_with(kOk, pana({"verify", backups_.path(), "--against", url})));
}

// Two databases of one name on two servers, as all are called at some providers, and a third of another name.
TEST_F(Directory, TellsTheDatabasesApartThatShareIt) {
  const Cluster other;
  fresh_database("app");
  const std::string app = cluster().url("app");
  const std::string small = cluster().url("small");
  other.create_database("small");
  other.sql("small", "CREATE TABLE elsewhere AS SELECT 1 AS i");
  const fs::path oldest = back_up("app");
  const auto back_up_elsewhere = [&] {
    const Outcome made = pana({"backup", other.url("small"), "--to", backups_.path(), "--json"});
    EXPECT_TRUE(ends_with(kOk, made));
    return backups_.path() / nlohmann::json::parse(made.out).at("key").get<std::string>();
  };
  const fs::path elsewhere = back_up_elsewhere();
  back_up("small");
  const fs::path newest = back_up("small");

  const Outcome listed = pana({"list", backups_.path()});
  EXPECT_THAT(listed.out, AllOf(HasSubstr("rows of app\n"),
                                HasSubstr("row of small of the server " +
                                          other.sql("small", "SELECT system_identifier FROM pg_control_system()"))));
  for (const std::vector<std::string>& reading :
       {std::vector<std::string>{"restore", backups_.path(), "--into", fresh_database("target")},
        {"verify", backups_.path(), "--against", small},
        {"show", backups_.path()}}) {
    const Outcome refused = pana(reading);
    EXPECT_TRUE(ends_with(kRefused, refused)) << reading.front();
    EXPECT_THAT(refused.err, AllOf(HasSubstr("holds backups of several databases"),
                                   HasSubstr("such as " + newest.string() + " or " + oldest.string())));
  }
  const Outcome checked = pana({"check", app, "--to", backups_.path()});
  EXPECT_THAT(checked.out, HasSubstr("the newest complete backup is " + oldest.filename().string()));
  fresh_database("third");
  EXPECT_THAT(pana({"check", cluster().url("third"), "--to", backups_.path()}).out,
              HasSubstr("no complete backup yet of this database, only of others"));

  ASSERT_TRUE(ends_with(kOk, pana({"prune", backups_.path(), "--keep-last", "1"})));
  EXPECT_THAT(names(), ElementsAre(oldest.filename(), elsewhere.filename(), newest.filename()));
  fs::remove(oldest);
  const Outcome succeeded = pana({"verify", backups_.path(), "--against", small});
  EXPECT_TRUE(ends_with(kOk, succeeded)) << "the server of before is gone, as after an upgrade";
  EXPECT_THAT(succeeded.err, AllOf(HasSubstr("other_server"), HasSubstr(elsewhere.filename().string())));
  const fs::path again = back_up_elsewhere();
  EXPECT_THAT(pana({"show", backups_.path()}).err, HasSubstr("such as " + again.string() + " or " + newest.string()))
      << "both are there";

  // Nobody knows where the newest one is from, and it can be of either.
  other.sql("small",
            "REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC; CREATE ROLE reader LOGIN; GRANT SELECT ON "
            "elsewhere TO reader");
  other.allow_login("reader");
  EXPECT_TRUE(
      ends_with(kOk, pana({"backup", other.url("small", "reader", other.password()), "--to", backups_.path()})));
  EXPECT_THAT(pana({"show", backups_.path()}).err, HasSubstr("the newest is of small of an unknown server"));
}

TEST_F(Directory, PassesTheCheckOfTonight) {
  EXPECT_TRUE(ends_with(kOk, pana({"check", cluster().url("small"), "--to", backups_.path()})));
  EXPECT_TRUE(fs::is_empty(backups_.path()));
  const Outcome outcome = pana({"check", cluster().url("no such database"), "--to", backups_.path()});
  EXPECT_NE(kOk, outcome.exit_status);
  EXPECT_THAT(outcome.out + outcome.err, HasSubstr("no such database"));
}

TEST_F(Directory, TakesBackupsThatBeginInTheSameSecond) {
  std::vector<std::unique_ptr<Background>> backups;
  for (int i = 0; i < 3; ++i) {
    backups.push_back(
        std::make_unique<Background>(pana_command({"backup", cluster().url("small"), "--to", backups_.path()})));
  }
  for (const auto& backup : backups) EXPECT_TRUE(ends_with(kOk, backup->wait()));
  EXPECT_EQ(3u, names().size());
}

TEST_F(Directory, IsNotTouchedByACommandThatMakesNoSense) {
  for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
           {},
           {"unknown"},
           {"backup"},
           {"backup", cluster().url("small")},
           {"restore", backups_.path()},
           {"restore", backups_.path(), "--into", ""},
           {"verify", backups_.path(), "--against", ""},
           {"backup", "", "--to", backups_.path()},
           {"check", ""},
           {"backup", cluster().url("small"), "--to", backups_.path(), "--jobs", "0"},
           {"backup", cluster().url("small"), "--to", backups_.path(), "--compression", "rot13"},
           {"backup", cluster().url("small"), "--to", backups_.path(), "--no-such-option"},
           {"prune", backups_.path()}}) {
    EXPECT_TRUE(ends_with(kUsage, pana(arguments))) << testing::PrintToString(arguments);
  }
  EXPECT_TRUE(fs::is_empty(backups_.path()));
  const auto says = [](const std::vector<std::string>& arguments, const std::string& words) {
    EXPECT_THAT(pana(arguments).err, HasSubstr(words)) << testing::PrintToString(arguments);
  };
  says({"backup", "--to", backups_.path(), "--jobs", "some"}, "some is neither auto nor a number from 1 to 64");
  says({"backup", "--to", backups_.path(), "--max-rate", "fast"}, "fast is not a size such as 20MiB");
  says({"backup", "--to", backups_.path(), "--max-rate", "-1"}, "-1 is not a size such as 20MiB");
  says({"backup", cluster().url("small"), "--to", backups_.path(), "--max-rate", "5"}, "less than 64 KiB");
  says({"backup", cluster().url("small"), "--to", "s3:/bucket"}, "s3:/bucket is no location that pana knows");
  says({"backup", "--log-format", "text", "--jobs", "0"}, "pana: error: ");
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{"list", backups_.path()}, {"backup", "--help"}, {"--help"}}) {
    Command with_bad_jobs = pana_command(arguments);
    with_bad_jobs.environment["PANA_JOBS"] = "0";
    EXPECT_TRUE(ends_with(kOk, pana(with_bad_jobs))) << "it is no concern of theirs";
  }
  Command backup = pana_command({"backup", cluster().url("small")});
  backup.environment["PANA_JOBS"] = "0";
  backup.environment["PANA_TO"] = backups_.path();
  EXPECT_THAT(pana(backup).err,
              HasSubstr("the environment variable PANA_JOBS: 0 is neither auto nor a number from 1 to 64"));
  backup.argv.insert(backup.argv.end(), {"--jobs", "2"});
  backup.environment["PANA_LOG_FORMAT"] = "text";
  backup.environment["PANA_COMPRESSION"] = "zstd";
  const Outcome made = pana(backup);
  EXPECT_TRUE(ends_with(kOk, made));
  EXPECT_EQ("", made.err) << "text, and nobody watches the progress";
  ASSERT_EQ(1U, names().size());
  EXPECT_THAT(names().front(), testing::EndsWith(".sql.zst"));
  says({"bakcup"}, "did you mean backup? see pana --help");
  says({"-q", "--region", "eu-west-1", "--log-format=json", "bakcup"}, "did you mean backup? see pana --help");
  says({"backup", "--to", backups_.path(), "-Z", "zstd:20"}, "with a level from 1 to 19");
  says({"restore", "--exclude-tabel", "x"}, "did you mean --exclude-table?");
  says({"restore", "--wholly-unknown"}, "\"see pana --help, or pana COMMAND --help\"");
  says({"list", backups_ / "none"}, "pana backup makes it if the one above it is there");
  says({"restore", backups_ / "none.sql", "--into", cluster().url("small")}, "run pana list LOCATION to see");
  for (const char* command : {"backup", "list", "show", "restore", "verify", "check", "prune"}) {
    const Outcome help = pana({command, "--help"});
    EXPECT_TRUE(ends_with(kOk, help));
    EXPECT_THAT(help.out, HasSubstr(command));
  }
}

// Not what its name says: a clock was wrong.
TEST_F(Directory, SaysThatABackupIsDatedInTheFuture) {
  fresh_database("early");
  const fs::path backup = back_up("early");
  const fs::path later = backups_.path() / "backup_20990101_000000.sql";
  fs::rename(backup, later);
  const Outcome checked = pana({"check", cluster().url("early"), "--to", backups_.path(), "--json"});
  ASSERT_TRUE(ends_with(kOk, checked));
  EXPECT_THAT(checked.out, AllOf(HasSubstr(later.filename().string() + ", which is dated in the future"),
                                 HasSubstr("look at the clocks")));
}

}  // namespace
}  // namespace pana::test
