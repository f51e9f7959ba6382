// The roles as Terraform renders them: enough for what the functions do, and no more.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "store/s3_store.h"
#include "support/deployment.h"
#include "support/lambda.h"
#include "support/pana.h"
#include "support/s3_server.h"

namespace pana::test {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

class Rights : public EndToEnd {
 protected:
  void SetUp() override {
    EndToEnd::SetUp();
    if (IsSkipped()) return;
    for (const auto& reason : {Deployment::missing(), Topic::missing()}) {
      if (reason) GTEST_SKIP() << *reason;
    }
  }

  static std::string policy_of(const std::string& function) {
    return Deployment::shared().resource("aws_iam_role_policy." + function).at("policy");
  }
};

struct Question {
  std::string action;
  std::string resource;
  bool permitted;
};

void expect_answers(const std::string& policy, const std::vector<Question>& questions) {
  Command command{.argv = {"python3", std::string(PANA_SOURCE_DIR) + "/tests/support/iam_policy.py", policy}};
  for (const Question& question : questions)
    command.argv.insert(command.argv.end(), {question.action, question.resource});
  std::istringstream answers(run_successfully(command));
  for (const Question& question : questions) {
    std::string answer;
    std::getline(answers, answer);
    EXPECT_EQ(question.permitted ? "permitted" : "denied", answer) << question.action << " " << question.resource;
  }
}

// moto checks signatures and what a key's policy says of S3. It miscalculates the signature of a request with an
// encoded slash in its query, so that the look for an earlier run is refused there, and does without.
TEST_F(Rights, OfTheBackupFunctionSufficeForABackupAndForNothingElseInTheBucket) {
  const std::unique_ptr<S3Server> aws = S3Server::moto("pana-db-backups", policy_of("backup"));
  std::map<std::string, std::string> environment = aws->environment();
  environment["PANA_LOCATION"] = "s3://pana-db-backups/backups";
  environment["DATABASE_URL"] = cluster().url(everything().database);
  Topic::shared().new_messages();
  std::string key;
  {
    Function function("backup", environment);
    const RuntimeApi::Answer answer = function.api.invoke("{}");
    ASSERT_TRUE(answer.is_success()) << answer.body;
    key = answer.body.at("key");
  }
  EXPECT_THAT(Topic::shared().new_messages(), IsEmpty());

  const Environment of_the_role(aws->environment());
  const std::string name = key.substr(key.rfind('/') + 1);
  S3Store backups("s3://pana-db-backups/backups", {}, {});
  EXPECT_GT(backups.open(name)->size(), 0u);
  EXPECT_THROW(backups.remove(name), Error);
  EXPECT_GT(backups.open(name)->size(), 0u) << "it is still there";
  S3Store elsewhere("s3://pana-db-backups/elsewhere", {}, {});
  const auto upload = elsewhere.begin_upload(name, 0);
  upload->put({.number = 1, .offset = 0, .bytes = "x", .is_last = true}, {});
  EXPECT_THROW(upload->complete({}), Error);

  // A location where it has no rights: the error says which are missing, and the object is not there.
  environment["PANA_LOCATION"] = "s3://pana-db-backups/elsewhere";
  Function function("backup", environment);
  EXPECT_THAT(function.api.invoke("{}").error(), HasSubstr("s3:PutObject on arn:aws:s3:::pana-db-backups/elsewhere/"));
}

TEST_F(Rights, OfTheFunctionsAreTheseAndNoMore) {
  const std::string topic = Deployment::shared().output("topic_arn");
  const std::string key = Deployment::shared().resource("aws_kms_key.pana").at("arn");
  const std::string logs = Deployment::shared().resource("aws_cloudwatch_log_group.backup").at("arn");
  const std::string watch_logs = Deployment::shared().resource("aws_cloudwatch_log_group.freshness").at("arn");
  const std::string bucket = "arn:aws:s3:::pana-db-backups";
  const std::string object = bucket + "/backups/backup_20260101_000000.sql";
  expect_answers(policy_of("backup"), {{"s3:PutObject", object, true},
                                       {"s3:GetObject", object, true},
                                       {"s3:AbortMultipartUpload", object, true},
                                       {"s3:ListBucket", bucket, true},
                                       {"kms:GenerateDataKey", key, true},
                                       {"kms:Decrypt", key, true},
                                       {"sns:Publish", topic, true},
                                       {"logs:PutLogEvents", logs + ":log-stream:x", true},
                                       {"s3:DeleteObject", object, false},
                                       {"s3:DeleteObjectVersion", object, false},
                                       {"s3:PutBucketPolicy", bucket, false},
                                       {"s3:PutObject", bucket + "/elsewhere/x", false},
                                       {"s3:PutObject", "arn:aws:s3:::another/backups/x", false},
                                       {"s3:ListBucket", "arn:aws:s3:::another", false},
                                       {"kms:Decrypt", key + "0", false},
                                       {"sns:Publish", topic + "-other", false},
                                       {"sns:Subscribe", topic, false},
                                       {"logs:PutLogEvents", watch_logs + ":log-stream:x", false},
                                       {"ssm:GetParameter", "arn:aws:ssm:eu-central-1:123456789012:parameter/x", false},
                                       {"iam:PassRole", "*", false}});
  expect_answers(policy_of("freshness"), {{"s3:ListBucket", bucket, true},
                                          {"s3:GetObject", object, true},
                                          {"logs:PutLogEvents", watch_logs + ":log-stream:x", true},
                                          {"s3:PutObject", object, false},
                                          {"s3:DeleteObject", object, false},
                                          {"s3:GetObject", bucket + "/elsewhere/x", false},
                                          {"sns:Publish", topic, false},
                                          {"logs:PutLogEvents", logs + ":log-stream:x", false}});
}

}  // namespace
}  // namespace pana::test
