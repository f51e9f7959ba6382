// Whoever wants pana to end is not kept waiting by a store that hangs, and is not told anything false of what is there.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>

#include "support/pana.h"
#include "support/s3_server.h"
#include "support/wait.h"

namespace pana::test {
namespace {

using testing::AllOf;
using testing::AnyOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

class S3Stopped : public EndToEnd {
 protected:
  void SetUp() override {
    EndToEnd::SetUp();
    if (IsSkipped()) return;
    if (const auto reason = S3Server::stand_in_missing()) GTEST_SKIP() << *reason;
    server().set_faults(nlohmann::json::array());
    url_ = fresh_database("stopped");
    cluster().sql(
        "stopped",
        "CREATE TABLE t AS SELECT i AS id, repeat(md5(i::text), 12) AS payload FROM generate_series(1, 30000) AS i");
    static int count = 0;
    location_ = fmt::format("s3://stopped/{}", ++count);
  }

  void TearDown() override {
    if (!S3Server::stand_in_missing()) server().set_faults(nlohmann::json::array());
  }

  static S3Server& server() { return S3Server::stand_in(); }

  static Command with_store(Command command) {
    command.environment = server().environment();
    return command;
  }

  Command backup(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments = {"backup", url_,          "--to", location_,        "--compression",
                                          "none",   "--part-size", "5MiB", "--read-timeout", "60"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return with_store(pana_command(arguments));
  }

  static void hang(const std::vector<std::string>& operations, const std::string& when = "hang-before") {
    nlohmann::json faults = nlohmann::json::array();
    for (const std::string& operation : operations)
      faults.push_back({{"operation", operation}, {"fault", when}, {"times", -1}, {"seconds", 20}});
    server().set_faults(faults);
  }

  // Waits until the request is under way, asks pana to end, and returns what it said; it has two seconds.
  static Outcome stop_in(const Command& command, const std::string& operation) {
    const std::uint64_t before = server().requests(operation);
    Background program(command);
    EXPECT_TRUE(becomes_true([&] { return server().requests(operation) > before; })) << program.err_so_far();
    const auto began = std::chrono::steady_clock::now();
    program.send(SIGTERM);
    EXPECT_TRUE(program.ends_within(std::chrono::seconds(2))) << operation;
    Outcome outcome = program.wait();
    fmt::print("{}: ended after {} ms\n", operation,
               std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - began).count());
    EXPECT_TRUE(ends_with(kInterrupted, outcome));
    return outcome;
  }

  std::vector<std::string> keys() const { return server().keys(location_); }

  std::string url_;
  std::string location_;
};

TEST_F(S3Stopped, WhileAPartHangsEndsAndAborts) {
  hang({"UploadPart"});
  stop_in(backup(), "UploadPart");
  EXPECT_THAT(keys(), IsEmpty());
  EXPECT_THAT(server().uploads(location_), IsEmpty());
}

TEST_F(S3Stopped, WhileTheStoreDoesNotEvenAbortEndsAndSaysWhatStays) {
  hang({"UploadPart", "AbortMultipartUpload"});
  const Outcome outcome = stop_in(backup(), "UploadPart");
  EXPECT_THAT(outcome.err, HasSubstr("upload_not_aborted"));
  EXPECT_THAT(keys(), IsEmpty());
}

TEST_F(S3Stopped, WhileTheLastRequestHangsEndsAndAborts) {
  hang({"CompleteMultipartUpload"});
  const Outcome outcome = stop_in(backup(), "CompleteMultipartUpload");
  EXPECT_THAT(outcome.err, Not(HasSubstr("it is there")));
  EXPECT_THAT(keys(), IsEmpty());
  EXPECT_THAT(server().uploads(location_), IsEmpty());
}

TEST_F(S3Stopped, WhenTheObjectHasJustAppearedSaysThatItIsThere) {
  hang({"CompleteMultipartUpload"}, "hang-after");
  const Outcome outcome = stop_in(backup(), "CompleteMultipartUpload");
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("it is there, and whole"), Not(HasSubstr("upload_not_aborted"))));
  server().set_faults(nlohmann::json::array());
  EXPECT_THAT(keys(), SizeIs(1));
  EXPECT_TRUE(ends_with(kOk, pana(with_store(pana_command({"verify", location_})))));
}

TEST_F(S3Stopped, WhenNothingAnswersAnyMoreSaysThatItIsNotKnown) {
  server().set_faults(
      {{{"operation", "CompleteMultipartUpload"}, {"fault", "hang-after"}, {"times", -1}, {"seconds", 20}},
       {{"operation", "AbortMultipartUpload"}, {"fault", "hang-before"}, {"times", -1}, {"seconds", 20}},
       {{"operation", "HeadObject"},
        {"fault", "hang-before"},
        {"times", -1},
        {"after", 2},
        {"seconds", 20}}});  // not the looks at the beginning and before the last request
  const Outcome outcome = stop_in(backup(), "CompleteMultipartUpload");
  EXPECT_THAT(outcome.err, HasSubstr("it may still become visible"));
}

TEST_F(S3Stopped, WhileASmallObjectIsStoredEnds) {
  cluster().sql("stopped", "TRUNCATE t");
  hang({"PutObject"});
  stop_in(backup(), "PutObject");
  EXPECT_THAT(keys(), IsEmpty());
}

TEST_F(S3Stopped, WhileABackupIsReadEnds) {
  ASSERT_TRUE(ends_with(kOk, pana(backup())));
  hang({"GetObject"});
  stop_in(with_store(pana_command({"verify", location_, "--read-timeout", "60"})), "GetObject");
  stop_in(with_store(pana_command({"restore", location_, "--into", fresh_database("target"), "--read-timeout", "60"})),
          "GetObject");
}

// Nobody is in a hurry when a backup fails by itself: a store that takes its time is given it.
TEST_F(S3Stopped, AfterAFailureThePartsAreRemovedByASlowStoreAsWell) {
  server().set_faults({{{"operation", "UploadPart"}, {"fault", "403"}, {"times", -1}, {"after", 1}},
                       {{"operation", "AbortMultipartUpload"}, {"fault", "503"}, {"times", 1}}});
  server().set_delay(1);
  const Outcome outcome = pana(backup({"--jobs", "1"}));
  server().set_delay(0);
  EXPECT_TRUE(ends_with(kFailed, outcome));
  EXPECT_THAT(outcome.err, Not(HasSubstr("upload_not_aborted")));
  EXPECT_THAT(server().uploads(location_), IsEmpty());
}

// Two sessions, one of which the server ends: the other's upload, which hangs, must not keep the error for itself.
TEST_F(S3Stopped, AFailedSessionEndsTheUploadsOfTheOthers) {
  hang({"UploadPart"});
  Background program(backup({"--jobs", "2"}));
  ASSERT_TRUE(becomes_true([&] {
    return server().requests("UploadPart") > 0 && program.err_so_far().find("error") == std::string::npos &&
           cluster().sql("postgres",
                         "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = 'stopped' AND "
                         "application_name = 'pana' AND query LIKE '%COPY%'") == "t";
  }));
  cluster().sql(
      "postgres",
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'stopped' AND application_name = 'pana'");
  EXPECT_TRUE(program.ends_within(std::chrono::seconds(15)));
  const Outcome outcome = program.wait();
  EXPECT_TRUE(ends_with(kFailed, outcome));
  EXPECT_THAT(outcome.err, HasSubstr("terminating connection due to administrator command"));
}

// What cannot be read back can never be called complete: said before anything is uploaded, not after hours.
TEST_F(S3Stopped, ArchivesAreRefusedBeforeAnythingIsUploaded) {
  for (const char* storage_class : {"GLACIER", "DEEP_ARCHIVE"}) {
    const std::uint64_t before = server().requests("CreateMultipartUpload") + server().requests("PutObject");
    const Outcome outcome = pana(backup({"--storage-class", storage_class}));
    EXPECT_TRUE(ends_with(kUsage, outcome));
    EXPECT_THAT(outcome.err, HasSubstr("GLACIER_IR"));
    EXPECT_EQ(before, server().requests("CreateMultipartUpload") + server().requests("PutObject"));
  }
  EXPECT_TRUE(ends_with(kOk, pana(backup({"--storage-class", "GLACIER_IR"}))));
}

}  // namespace
}  // namespace pana::test
