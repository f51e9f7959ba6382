// What is deployed keeps the rules that scanners of Terraform and CloudFormation check, and everybody has just the
// rights that they need.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/deployment.h"

namespace pana::test {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class DeploymentRules : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto reason = Deployment::missing()) GTEST_SKIP() << *reason;
  }

  static json resource(const std::string& address) { return Deployment::shared().resource(address); }
  static json policy_of(const std::string& address, const std::string& attribute = "policy") {
    return json::parse(resource(address).at(attribute).get<std::string>());
  }
  static std::string arn_of(const std::string& address) { return resource(address).at("arn"); }
};

// "Action, Action on Resource if Condition" of each statement, as readable as the AWS console shows it.
std::vector<std::string> statements(const json& policy) {
  const auto list = [](const json& value) {
    return value.is_array() ? fmt::format("{}", fmt::join(value.get<std::vector<std::string>>(), ", "))
                            : value.get<std::string>();
  };
  std::vector<std::string> lines;
  for (const json& statement : policy.at("Statement")) {
    std::string line = fmt::format("{} {} on {}", statement.at("Effect").get<std::string>(),
                                   list(statement.at("Action")), list(statement.value("Resource", json("itself"))));
    if (statement.contains("Principal")) line += " by " + statement.at("Principal").dump();
    if (statement.contains("Condition")) line += " if " + statement.at("Condition").dump();
    lines.push_back(line);
  }
  return lines;
}

TEST_F(DeploymentRules, TheBackupMayWriteBackupsAndTellAboutThem) {
  const std::string bucket = arn_of("aws_s3_bucket.backups");
  EXPECT_EQ(bucket, "arn:aws:s3:::pana-db-backups");
  EXPECT_THAT(statements(policy_of("aws_iam_role_policy.backup")),
              ElementsAre("Allow s3:PutObject, s3:AbortMultipartUpload, s3:GetObject on " + bucket + "/backups/*",
                          "Allow s3:ListBucket on " + bucket + R"( if {"StringEquals":{"s3:prefix":"backups/"}})",
                          "Allow kms:Decrypt, kms:GenerateDataKey on " + arn_of("aws_kms_key.pana"),
                          "Allow logs:CreateLogStream, logs:PutLogEvents on " +
                              arn_of("aws_cloudwatch_log_group.backup") + ":*",
                          "Allow sns:Publish on " + arn_of("aws_sns_topic.alerts")));
}

TEST_F(DeploymentRules, FreshnessMayOnlyLook) {
  const std::string bucket = arn_of("aws_s3_bucket.backups");
  EXPECT_THAT(
      statements(policy_of("aws_iam_role_policy.freshness")),
      ElementsAre(
          "Allow s3:ListBucket on " + bucket + R"( if {"StringEquals":{"s3:prefix":"backups/"}})",
          "Allow s3:GetObject on " + bucket + "/backups/*", "Allow kms:Decrypt on " + arn_of("aws_kms_key.pana"),
          "Allow logs:CreateLogStream, logs:PutLogEvents on " + arn_of("aws_cloudwatch_log_group.freshness") + ":*"));
  const json environment = resource("aws_lambda_function.freshness").at("environment").at(0).at("variables");
  EXPECT_EQ(environment, (json{{"PANA_LOCATION", "s3://pana-db-backups/backups"}, {"PANA_EXCLUDE_SCHEMAS", "[]"}}));
}

TEST_F(DeploymentRules, OnlyLambdaOfThisAccountTakesTheRoles) {
  for (const char* role : {"aws_iam_role.backup", "aws_iam_role.freshness"}) {
    EXPECT_THAT(statements(policy_of(role, "assume_role_policy")),
                ElementsAre(R"(Allow sts:AssumeRole on itself by {"Service":"lambda.amazonaws.com"})"
                            R"( if {"StringEquals":{"aws:SourceAccount":"123456789012"}})"));
  }
}

TEST_F(DeploymentRules, TheTopicAndItsKeyTakeAlarmsOfThisAccount) {
  const std::string condition =
      R"( by {"Service":"cloudwatch.amazonaws.com"} if {"StringEquals":{"aws:SourceAccount":"123456789012"}})";
  const std::string topic = arn_of("aws_sns_topic.alerts");
  EXPECT_THAT(statements(policy_of("aws_sns_topic_policy.alerts")),
              ElementsAre("Allow sns:Publish on " + topic + condition));
  EXPECT_THAT(statements(policy_of("aws_kms_key.pana")),
              ElementsAre(R"(Allow kms:* on * by {"AWS":"arn:aws:iam::123456789012:root"})",
                          "Allow kms:GenerateDataKey*, kms:Decrypt on *" + condition));
  EXPECT_EQ(resource("aws_kms_key.pana").at("enable_key_rotation"), true);
  EXPECT_EQ(resource("aws_sns_topic.alerts").at("kms_master_key_id"), arn_of("aws_kms_key.pana"));

  const json subscription = resource("aws_sns_topic_subscription.email");
  EXPECT_EQ(subscription.at("topic_arn"), topic);
  EXPECT_EQ(subscription.at("protocol"), "email");
  EXPECT_EQ(subscription.at("endpoint"), "ops@example.com");
}

TEST_F(DeploymentRules, TheBucketIsPrivateEncryptedVersionedAndTidiesUp) {
  const json access = resource("aws_s3_bucket_public_access_block.backups");
  for (const char* block :
       {"block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets"}) {
    EXPECT_EQ(access.at(block), true) << block;
  }
  EXPECT_EQ(resource("aws_s3_bucket_ownership_controls.backups").at("/rule/0/object_ownership"_json_pointer),
            "BucketOwnerEnforced");
  EXPECT_EQ(resource("aws_s3_bucket_versioning.backups").at("/versioning_configuration/0/status"_json_pointer),
            "Enabled");
  EXPECT_EQ(resource("aws_s3_bucket_server_side_encryption_configuration.backups")
                .at("/rule/0/apply_server_side_encryption_by_default/0/sse_algorithm"_json_pointer),
            "AES256");
  EXPECT_EQ(resource("aws_s3_bucket.backups").at("force_destroy"), false);
  EXPECT_THAT(statements(policy_of("aws_s3_bucket_policy.backups")),
              ElementsAre("Deny s3:* on arn:aws:s3:::pana-db-backups, arn:aws:s3:::pana-db-backups/*"
                          R"( by "*" if {"Bool":{"aws:SecureTransport":"false"}})"));

  const json rules = resource("aws_s3_bucket_lifecycle_configuration.backups").at("rule");
  ASSERT_EQ(rules.size(), 2U);
  for (const json& rule : rules) {
    EXPECT_EQ(rule.at("status"), "Enabled");
    EXPECT_EQ(rule.at("/filter/0/prefix"_json_pointer), "backups/");
  }
  EXPECT_EQ(rules.at(0).at("/expiration/0/days"_json_pointer), 30);
  EXPECT_EQ(rules.at(0).at("/noncurrent_version_expiration/0/noncurrent_days"_json_pointer), 7);
  EXPECT_EQ(rules.at(0).at("/abort_incomplete_multipart_upload/0/days_after_initiation"_json_pointer), 1);
  EXPECT_EQ(rules.at(1).at("/expiration/0/expired_object_delete_marker"_json_pointer), true);
}

TEST_F(DeploymentRules, TheFunctionsHaveTheNamesThatPeopleKnow) {
  for (const std::string name : {"backup", "freshness"}) {
    const json function = resource("aws_lambda_function." + name);
    EXPECT_EQ(function.at("function_name"), "pana_db_" + name);
    EXPECT_EQ(function.at("handler"), name);
    EXPECT_EQ(function.at("runtime"), "provided.al2023");
    EXPECT_EQ(function.at("architectures"), json::array({"x86_64"}));
    EXPECT_EQ(function.at("kms_key_arn"), arn_of("aws_kms_key.pana"));
    EXPECT_EQ(function.at("/logging_config/0/log_format"_json_pointer), "JSON");
    EXPECT_EQ(function.at("/logging_config/0/log_group"_json_pointer), "/aws/lambda/pana_db_" + name);

    const json logs = resource("aws_cloudwatch_log_group." + name);
    EXPECT_EQ(logs.at("name"), "/aws/lambda/pana_db_" + name);
    EXPECT_EQ(logs.at("retention_in_days"), 90);
  }
  const json backup = resource("aws_lambda_function.backup");
  EXPECT_EQ(backup.at("timeout"), 900);
  EXPECT_EQ(backup.at("memory_size"), 1769);
  const json failures = resource("aws_lambda_function_event_invoke_config.backup");
  EXPECT_EQ(failures.at("maximum_retry_attempts"), 1);
  EXPECT_EQ(failures.at("/destination_config/0/on_failure/0/destination"_json_pointer), arn_of("aws_sns_topic.alerts"));
}

TEST_F(DeploymentRules, OnlyTheRulesStartTheFunctions) {
  for (const std::string name : {"backup", "freshness"}) {
    const std::string function = "aws_lambda_function." + name, rule = "aws_cloudwatch_event_rule." + name;
    EXPECT_EQ(resource(rule).at("name"), name + "_schedule");
    EXPECT_EQ(resource(rule).at("schedule_expression"), name == "backup" ? "rate(7 days)" : "rate(12 hours)");
    const json target = resource("aws_cloudwatch_event_target." + name);
    EXPECT_EQ(target.at("rule"), name + "_schedule");
    EXPECT_EQ(target.at("arn"), arn_of(function));
    // The backup gets the event itself, whose id tells a second delivery; a constant would take it away.
    EXPECT_EQ(target.at("input"), name == "backup" ? "" : "{}");
    const json permission = resource("aws_lambda_permission." + name);
    EXPECT_EQ(permission.at("principal"), "events.amazonaws.com");
    EXPECT_EQ(permission.at("source_arn"), arn_of(rule));
  }
  EXPECT_EQ(Deployment::shared().resources("aws_lambda_permission").size(), 2U);
}

TEST_F(DeploymentRules, EachAlarmReachesThePersonAndSaysWhatToDo) {
  std::vector<std::string> alarms;
  for (const auto& [address, alarm] : Deployment::shared().resources("aws_cloudwatch_metric_alarm")) {
    alarms.push_back(fmt::format("{}/{} of {}: {} in {} s {} {}, missing: {}", alarm.at("namespace").get<std::string>(),
                                 alarm.at("metric_name").get<std::string>(),
                                 alarm.at("dimensions").front().get<std::string>(),
                                 alarm.at("statistic").get<std::string>(), alarm.at("period").get<int>(),
                                 alarm.at("comparison_operator").get<std::string>(), alarm.at("threshold").get<int>(),
                                 alarm.at("treat_missing_data").get<std::string>()));
    EXPECT_EQ(alarm.at("evaluation_periods"), 1) << address;
    for (const char* actions : {"alarm_actions", "ok_actions"}) {
      EXPECT_EQ(alarm.at(actions), json::array({arn_of("aws_sns_topic.alerts")})) << address;
    }
    const std::string description = alarm.at("alarm_description");
    EXPECT_LT(description.size(), 1024U) << address << ": CloudWatch allows no more";
    EXPECT_THAT(description, testing::ContainsRegex("aws |terraform apply|Raise")) << address << ": says nothing to do";
  }
  EXPECT_THAT(
      alarms,
      testing::UnorderedElementsAre(
          "AWS/Lambda/Errors of pana_db_backup: Sum in 3600 s GreaterThanOrEqualToThreshold 1, missing: notBreaching",
          "AWS/Lambda/Throttles of pana_db_backup: Sum in 3600 s GreaterThanOrEqualToThreshold 1, missing: "
          "notBreaching",
          "AWS/Lambda/Duration of pana_db_backup: Maximum in 3600 s GreaterThanThreshold 720000, missing: notBreaching",
          "AWS/Lambda/DestinationDeliveryFailures of pana_db_backup: Sum in 3600 s GreaterThanOrEqualToThreshold 1, "
          "missing: notBreaching",
          "AWS/Events/FailedInvocations of backup_schedule: Sum in 3600 s GreaterThanOrEqualToThreshold 1, missing: "
          "notBreaching",
          "AWS/Lambda/Errors of pana_db_freshness: Sum in 3600 s GreaterThanOrEqualToThreshold 1, missing: "
          "notBreaching",
          "Pana/BackupAgeSeconds of pana_db_freshness: Maximum in 86400 s GreaterThanThreshold 691200, missing: "
          "breaching",
          "Pana/BackupSizePercent of pana_db_freshness: Minimum in 86400 s LessThanThreshold 50, missing: "
          "notBreaching"));
}

}  // namespace
}  // namespace pana::test
