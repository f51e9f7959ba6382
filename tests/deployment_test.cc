// terraform/ as its user runs it, from the bucket of the state to destroy.
#include "support/deployment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace pana::test {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class DeploymentTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto reason = Deployment::missing()) GTEST_SKIP() << *reason;
  }

  static Deployment& deployment() { return Deployment::shared(); }
  static Terraform& terraform() { return deployment().terraform(); }
};

// "address: attribute" of everything that a plan would change.
std::vector<std::string> changes(const json& plan) {
  std::vector<std::string> changes;
  for (const json& resource : plan.at("resource_changes")) {
    const json& before = resource.at("/change/before"_json_pointer);
    const json& after = resource.at("/change/after"_json_pointer);
    if (resource.at("/change/actions"_json_pointer) == json::array({"no-op"})) continue;
    for (const auto& [attribute, value] : after.items()) {
      if (before.is_null() || before.value(attribute, json()) != value) {
        changes.push_back(resource.at("address").get<std::string>() + ": " + attribute);
      }
    }
  }
  return changes;
}

// What Terraform says, without the line breaks that it puts into sentences.
std::string in_one_line(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

TEST_F(DeploymentTest, HasNothingToDoAfterApplyButWhatMotoForgets) {
  EXPECT_THAT(changes(deployment().plan()),
              testing::UnorderedElementsAre(
                  "aws_lambda_function.backup: kms_key_arn", "aws_lambda_function.backup: logging_config",
                  "aws_lambda_function.freshness: kms_key_arn", "aws_lambda_function.freshness: logging_config"));
}

TEST_F(DeploymentTest, KeepsItsStateInTheBucketOfBootstrap) {
  EXPECT_THAT(deployment().aws().request("GET", "/pana-terraform-state/pana/terraform.tfstate").body,
              HasSubstr("aws_lambda_function"));
  const json bucket =
      json::parse(run_successfully({.argv = {"cat", terraform().directory() / "bootstrap/terraform.tfstate"}}));
  EXPECT_THAT(bucket.dump(),
              AllOf(HasSubstr(R"("status":"Enabled")"), HasSubstr("AES256"), HasSubstr("BucketOwnerEnforced"),
                    HasSubstr(R"("restrict_public_buckets":true)"), HasSubstr("aws:SecureTransport")));

  const Outcome refused = terraform().run({"destroy", "-auto-approve"}, "bootstrap");
  EXPECT_FALSE(refused.succeeded());
  EXPECT_THAT(in_one_line(refused.err), HasSubstr("lifecycle.prevent_destroy"));
}

TEST_F(DeploymentTest, SaysHowToInvokeListAndRestore) {
  EXPECT_EQ(deployment().output("bucket"), "pana-db-backups");
  EXPECT_EQ(deployment().output("function_name"), "pana_db_backup");
  EXPECT_THAT(deployment().output("invoke_command"),
              HasSubstr("aws lambda invoke --function-name pana_db_backup --cli-read-timeout 0"));
  EXPECT_EQ(deployment().output("list_command"), "aws s3 ls s3://pana-db-backups/backups/");
  EXPECT_THAT(deployment().output("restore_command"),
              AllOf(HasSubstr("aws s3 cp s3://pana-db-backups/backups/backup_YYYYMMDD_HHMMSS.sql . && psql "),
                    HasSubstr("\"$TARGET_URL\" < backup_YYYYMMDD_HHMMSS.sql")));
  EXPECT_THAT(deployment().output("logs_command"), HasSubstr("/aws/lambda/pana_db_backup"));
  EXPECT_THAT(terraform().run_successfully({"output"}), Not(HasSubstr("postgres")));
}

TEST_F(DeploymentTest, RefusesAUrlThatCannotWorkAndSaysWhatToDo) {
  const std::string user = std::string("postgres:") + Deployment::kPassword;
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"mysql://" + user + "@example.com/shop",
       "is not a URL of PostgreSQL: give postgresql://USER:PASSWORD@HOST:5432/postgres"},
      {"postgresql://" + user + "[YOUR-PASSWORD]@example.com:5432/postgres",
       "still holds [YOUR-PASSWORD]: put the database's password there"},
      {"postgresql://" + user + "p@ss@example.com:5432/postgres", "holds a second @"},
      {"postgresql://" + user + "/x?y@example.com:5432/postgres", "or a / ? # before its @"},
      {"postgresql://" + user + "@example.com:6543/postgres", "use the session pooler, same host, port 5432"},
      {"postgres://" + user + "@example.com/postgres?sslmode=require&port=6543",
       "use the session pooler, same host, port 5432"},
      {"postgresql://" + user + "@example.com:5432/postgres?sslmode=prefer",
       "allows a connection without TLS: use sslmode=require"},
  };
  for (const auto& [url, message] : cases) {
    const Outcome refused = terraform().run({"plan", "-refresh=false", "-lock=false", "-var=supabase_db_url=" + url});
    EXPECT_FALSE(refused.succeeded()) << url;
    EXPECT_THAT(in_one_line(refused.err), HasSubstr(message));
  }
}

TEST_F(DeploymentTest, TakesTheExampleOfItsVariablesWhenItIsFilledIn) {
  const std::vector<std::string> plan = {"plan", "-refresh=false", "-lock=false", "-var-file=terraform.tfvars.example"};
  const Outcome as_it_is = terraform().run(plan);
  EXPECT_FALSE(as_it_is.succeeded());
  EXPECT_THAT(in_one_line(as_it_is.err), HasSubstr("or still the example's"));

  std::vector<std::string> with_address = plan;
  with_address.emplace_back("-var=alert_email=backups@example.org");
  const Outcome without_password = terraform().run(with_address);
  EXPECT_FALSE(without_password.succeeded());
  EXPECT_THAT(in_one_line(without_password.err), HasSubstr("still holds the example's PASSWORD"));

  with_address.emplace_back(
      "-var=supabase_db_url=postgresql://postgres.abc:p%40ss@aws-0-eu-central-1.pooler.supabase.com:5432/postgres");
  const Outcome filled_in = terraform().run(with_address);
  EXPECT_TRUE(filled_in.succeeded()) << filled_in.description();
}

// The last test: nothing is left to look at.
TEST_F(DeploymentTest, DestroyLeavesBackupsAloneAndNothingElse) {
  deployment().remove_bucket_policy("pana-db-backups");
  const std::string backup = "/pana-db-backups/backups/backup_20260101_000000.sql";
  const std::string version = deployment().aws().request("PUT", backup, "", "rows").header("x-amz-version-id");

  // Nor must it need the zip, or a right URL.
  const std::vector<std::string> destroy = {"destroy", "-auto-approve", "-var=lambda_zip=no-such-file.zip"};
  const Outcome refused = terraform().run(destroy);
  EXPECT_FALSE(refused.succeeded());
  EXPECT_THAT(refused.err, HasSubstr("BucketNotEmpty"));
  EXPECT_EQ(deployment().aws().request("GET", backup).body, "rows");

  deployment().aws().request("DELETE", backup, "versionId=" + version);
  const Outcome destroyed = terraform().run(destroy);
  EXPECT_TRUE(destroyed.succeeded()) << destroyed.description();
  EXPECT_EQ(terraform().run_successfully({"state", "list"}), "");

  // What all of these runs printed, those of refused URLs, too.
  EXPECT_THAT(terraform().printed(),
              AllOf(HasSubstr("Apply complete!"), HasSubstr("Destroy complete!"), Not(HasSubstr("secret-"))));
}

}  // namespace
}  // namespace pana::test
