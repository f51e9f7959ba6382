// What killed backups left in a bucket goes, and nothing else does; and no backup fails for it.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "store/s3_store.h"
#include "support/s3_server.h"

namespace pana::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

constexpr std::uint64_t kDay = 24 * 3600;

class S3Abandoned : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto reason = S3Server::stand_in_missing()) GTEST_SKIP() << *reason;
    server().set_faults(nlohmann::json::array());
    static int count = 0;
    location_ = fmt::format("s3://abandoned-{}/a b", ++count);
  }

  void TearDown() override {
    if (!IsSkipped()) server().set_faults(nlohmann::json::array());
  }

  static S3Server& server() { return S3Server::stand_in(); }

  // As a backup that was killed leaves it, or one that is under way.
  void begin_upload(const std::string& key, int parts) const {
    const std::string bucket = location_.substr(5, location_.find('/', 5) - 5);
    const std::string path = fmt::format("/{}/a%20b/{}", bucket, key);
    const std::string id = parse_upload_id(server().request("POST", path, "uploads=").body);
    for (int number = 1; number <= parts; ++number)
      server().request("PUT", path, fmt::format("partNumber={}&uploadId={}", number, id), "part");
  }

  // What the log says of it.
  std::string remove_abandoned(std::stop_token stop = {}) const {
    const Environment environment(server().environment());
    S3Store store(location_, {}, std::move(stop));
    testing::internal::CaptureStderr();
    try {
      store.remove_abandoned([](const std::string& key) { return key.starts_with("ours"); });
    } catch (...) {
      testing::internal::GetCapturedStderr();
      throw;
    }
    return testing::internal::GetCapturedStderr();
  }

  std::string location_;
};

TEST_F(S3Abandoned, UploadsThatStoredNoPartForADayAreRemoved) {
  begin_upload("ours-with-parts", 5);
  begin_upload("ours-without", 0);
  begin_upload("theirs", 1);
  server().age_uploads(kDay + 60);
  EXPECT_THAT(remove_abandoned(),
              AllOf(HasSubstr("abandoned_upload"), HasSubstr("ours-with-parts"), HasSubstr("ours-without")));
  EXPECT_THAT(server().uploads(location_), SizeIs(1));
}

TEST_F(S3Abandoned, ABackupOfMoreThanADayIsNot) {
  begin_upload("ours", 7);  // the parts take several pages
  server().age_uploads(kDay - 60);
  server().age_beginnings(kDay);
  EXPECT_THAT(remove_abandoned(), IsEmpty());
  EXPECT_THAT(server().uploads(location_), SizeIs(1));
  server().age_uploads(120);
  EXPECT_THAT(remove_abandoned(), HasSubstr("abandoned_upload"));
  EXPECT_THAT(server().uploads(location_), IsEmpty());
}

TEST_F(S3Abandoned, AllPagesAreLookedThrough) {
  for (int i = 0; i < 10; ++i) begin_upload(fmt::format("ours-{}", i % 2), 1);  // several of one key
  server().age_uploads(kDay + 60);
  remove_abandoned();
  EXPECT_THAT(server().uploads(location_), IsEmpty());
}

TEST_F(S3Abandoned, AFailureIsNoEndOfABackup) {
  begin_upload("ours", 1);
  server().age_uploads(kDay + 60);
  for (const char* operation : {"ListMultipartUploads", "ListParts", "AbortMultipartUpload"}) {
    for (const char* fault : {"reset-before", "500", "truncate", "403"}) {
      if (std::string(fault) == "truncate" && std::string(operation) == "AbortMultipartUpload")
        continue;  // it has no body
      server().set_faults({{{"operation", operation}, {"fault", fault}, {"times", -1}}});
      const std::string log = remove_abandoned();
      EXPECT_THAT(log, HasSubstr("\"abandoned_uploads\"")) << operation << fault;
      // A right that is not given is no warning.
      if (std::string(fault) == "403") {
        EXPECT_THAT(log, Not(HasSubstr("warning")));
      } else {
        EXPECT_THAT(log, AllOf(HasSubstr("warning"), HasSubstr("s3_retry")));
      }
      EXPECT_THAT(server().uploads(location_), SizeIs(1)) << operation << fault;
    }
  }
}

TEST_F(S3Abandoned, AStopRequestEndsTheLooking) {
  std::stop_source stop;
  stop.request_stop();
  try {
    remove_abandoned(stop.get_token());
    FAIL() << "it did not stop";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::interrupted);
  }
}

}  // namespace
}  // namespace pana::test
