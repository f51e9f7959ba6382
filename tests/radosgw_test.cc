// What only Ceph's gateway has among the servers of the tests: encryption, lifecycle rules, and session tokens that are
// checked.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "support/pana.h"
#include "support/s3_server.h"

namespace pana::test {
namespace {

using testing::AllOf;
using testing::AnyOf;
using testing::HasSubstr;

class S3Radosgw : public EndToEnd {
 protected:
  void SetUp() override {
    EndToEnd::SetUp();
    if (IsSkipped()) return;
    if (const auto reason = S3Server::radosgw_missing()) GTEST_SKIP() << *reason;
    static int count = 0;
    bucket_ = fmt::format("radosgw-{}", ++count);
    server().create_bucket(bucket_);
    location_ = fmt::format("s3://{}/backups", bucket_);
  }

  static S3Server& server() { return S3Server::radosgw(); }

  static Command with_server(Command command) {
    command.environment = server().environment();
    return command;
  }
  static Outcome run_pana(const std::vector<std::string>& arguments) {
    return pana(with_server(pana_command(arguments)));
  }

  Command backup(const std::vector<std::string>& options) const {
    std::vector<std::string> arguments = {"backup", cluster().url(everything().database), "--to", location_};
    arguments.insert(arguments.end(), options.begin(), options.end());
    return with_server(pana_command(arguments));
  }

  std::string bucket_;
  std::string location_;
};

TEST_F(S3Radosgw, RefusesAWrongSessionTokenAndPanaSaysThatItIsTheToken) {
  Command list = with_server(pana_command({"list", location_}));
  for (Command command : {backup({}), list}) {  // the first request is a HEAD, whose answer has no body, or a GET
    command.environment["AWS_SESSION_TOKEN"] = "secret-wrong";
    const Outcome outcome = pana(command);
    EXPECT_TRUE(ends_with(kFailed, outcome));
    EXPECT_THAT(outcome.err,
                AllOf(HasSubstr("400"), HasSubstr("get new credentials: the store may not accept the session token")));
  }
}

TEST_F(S3Radosgw, EncryptsBackupsWithAKeyOfItsOwn) {
  for (const char* compression : {"none", "zstd"}) {  // in parts, and in one piece
    const Outcome outcome = pana(backup({"--compression", compression, "--part-size", "5MiB", "--sse", "aws:kms",
                                         "--sse-kms-key-id", "tests-key", "--json"}));
    ASSERT_TRUE(ends_with(kOk, outcome));
    const std::string object = nlohmann::json::parse(outcome.out).at("backup");
    const HttpResponse head = server().request("HEAD", object.substr(std::string("s3:/").size()));
    EXPECT_EQ(head.header("etag").find('-') != std::string::npos, compression == std::string("none"));
    EXPECT_EQ(head.header("x-amz-server-side-encryption"), "aws:kms");
    EXPECT_EQ(head.header("x-amz-server-side-encryption-aws-kms-key-id"), "tests-key");
    ASSERT_TRUE(ends_with(kOk, run_pana({"restore", object, "--into", fresh_database("encrypted"), "--verify"})));
    EXPECT_EQ("", differences(everything().content, content_of(cluster(), "encrypted")));
  }
}

// It takes the header of SSE-S3, answers 200 and encrypts nothing.
TEST_F(S3Radosgw, EncryptsNothingWhenItSaysNothingAndPanaSaysSo) {
  for (const char* compression : {"none", "zstd"}) {
    const Outcome outcome = pana(backup({"--compression", compression, "--part-size", "5MiB", "--sse", "AES256"}));
    EXPECT_TRUE(ends_with(kFailed, outcome));
    EXPECT_THAT(outcome.err, AnyOf(HasSubstr("the store does not say that it encrypted it with AES256"),
                                   HasSubstr("400 InvalidArgument")))
        << "Ceph since 18 refuses it";
  }
}

TEST_F(S3Radosgw, HasALifecycleRuleForUploadsBesideBackups) {
  server().request(
      "PUT", "/" + bucket_, "lifecycle=",
      "<LifecycleConfiguration><Rule><ID>parts</ID><Filter><Prefix>backups/</Prefix></Filter><Status>Enabled</Status>"
      "<AbortIncompleteMultipartUpload><DaysAfterInitiation>1</DaysAfterInitiation></AbortIncompleteMultipartUpload>"
      "</Rule></LifecycleConfiguration>");
  ASSERT_TRUE(ends_with(kOk, pana(backup({"--compression", "none", "--part-size", "5MiB"}))));
  EXPECT_TRUE(ends_with(kOk, run_pana({"verify", location_})));
  EXPECT_THAT(server().request("GET", "/" + bucket_, "lifecycle=").body,
              HasSubstr("<DaysAfterInitiation>1</DaysAfterInitiation>"));
}

}  // namespace
}  // namespace pana::test
