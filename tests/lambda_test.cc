// pana as a function of AWS Lambda: what it answers, what it leaves in the bucket, and whom it tells when it fails.
#include "support/lambda.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "store/s3_store.h"
#include "support/pana.h"
#include "support/pgbouncer.h"
#include "support/s3_server.h"
#include "support/session.h"
#include "support/synthetic_backup.h"
#include "support/wait.h"

namespace pana::test {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

class Lambda : public EndToEnd {
 protected:
  void SetUp() override {
    EndToEnd::SetUp();
    if (IsSkipped()) return;
    for (const auto& reason : {S3Server::stand_in_missing(), Topic::missing(), PgBouncer::missing()}) {
      if (reason) GTEST_SKIP() << *reason;
    }
    store().set_faults(nlohmann::json::array());
    store().set_rate(0);
    static int count = 0;
    bucket_ = fmt::format("function-{}", ++count);
    environment_ = store().environment();
    environment_["PANA_LOCATION"] = location();
    environment_["DATABASE_URL"] = cluster().url(everything().database);
    Topic::shared().new_messages();
  }
  void TearDown() override {
    if (IsSkipped()) return;
    store().set_faults(nlohmann::json::array());
    store().set_rate(0);
  }

  static S3Server& store() { return S3Server::stand_in(); }
  std::string location() const { return "s3://" + bucket_ + "/backups"; }

  std::vector<std::string> keys() const { return store().keys(location()); }

  std::string object(const std::string& key) const {
    const Environment environment(store().environment());
    S3Store s3(location(), {}, {});
    const std::unique_ptr<ObjectReader> reader = s3.open(key);
    std::string bytes(reader->size(), '\0');
    reader->read(0, bytes, {});
    return bytes;
  }

  void put(const std::string& key, const std::string& bytes) const {
    const Environment environment(store().environment());
    S3Store s3(location(), {}, {});
    const auto upload = s3.begin_upload(key, 0);
    std::uint32_t number = 0;
    for (std::size_t offset = 0; offset == 0 || offset < bytes.size(); offset += upload->part_bytes()) {
      const std::string_view part = std::string_view(bytes).substr(offset, upload->part_bytes());
      upload->put(
          {.number = ++number, .offset = offset, .bytes = part, .is_last = offset + part.size() == bytes.size()}, {});
    }
    upload->complete({});
  }

  // An event whose backup fails: the answer is an error of that type with these words, one message says the same to a
  // person, and there is no object.
  void expect_failure(Function& function, const std::string& type, const std::string& words,
                      double seconds_left = 900) {
    const RuntimeApi::Answer answer = function.api.invoke("{}", seconds_left);
    EXPECT_THAT(answer.path, HasSubstr("/error")) << answer.body;
    EXPECT_EQ(type, answer.error_type) << answer.body;
    EXPECT_EQ(type, answer.body.value("errorType", ""));
    EXPECT_THAT(answer.error(), HasSubstr(words));
    const std::vector<Topic::Message> messages = Topic::shared().new_messages();
    ASSERT_THAT(messages, SizeIs(1));
    EXPECT_THAT(messages[0].subject, AllOf(HasSubstr("pana"), HasSubstr("failed")));
    EXPECT_THAT(messages[0].message,
                AllOf(HasSubstr("What failed:"), HasSubstr(words),
                      HasSubstr("--log-group-name /aws/lambda/pana_db_backup"), HasSubstr("aws lambda invoke --region"),
                      HasSubstr("--function-name pana_db_backup"), Not(HasSubstr("secret-"))));
    EXPECT_THAT(answer.error(), Not(HasSubstr("secret-")));
    EXPECT_THAT(keys(), IsEmpty());
    EXPECT_THAT(store().uploads(location()), IsEmpty());
  }

  std::string bucket_;
  std::map<std::string, std::string> environment_;
};

TEST_F(Lambda, AnswersWithTheBackupItMade) {
  Function function("backup", environment_);
  const RuntimeApi::Answer answer = function.api.invoke("{}");
  ASSERT_TRUE(answer.is_success()) << answer.body;
  ASSERT_THAT(keys(), SizeIs(1));
  EXPECT_THAT(keys()[0], testing::MatchesRegex("backup_[0-9]{8}_[0-9]{6}\\.sql"));
  EXPECT_EQ("backups/" + keys()[0], answer.body.at("key").get<std::string>());
  EXPECT_EQ(object(keys()[0]).size(), answer.body.at("bytes"));
  EXPECT_GT(answer.body.at("rows"), 0);
  EXPECT_GT(answer.body.at("tables"), 100);
  EXPECT_GT(answer.body.at("seconds"), 0);
  EXPECT_THAT(answer.body.at("snapshot_time").get<std::string>(), HasSubstr("T"));

  const nlohmann::json metrics = function.metrics();
  EXPECT_EQ("pana_db_backup", metrics.at("FunctionName"));
  EXPECT_EQ("Pana", metrics.at("_aws").at("CloudWatchMetrics").at(0).at("Namespace"));
  for (const char* name : {"BackupBytes", "BackupRows", "BackupSeconds"}) EXPECT_GT(metrics.at(name), 0) << name;
  for (const nlohmann::json& line : json_lines(function.log())) {
    EXPECT_TRUE(line.contains("timestamp") && line.contains("level") && line.contains("message")) << line;
    EXPECT_EQ("00000000-0000", line.value("requestId", "").substr(0, 13)) << line;
  }
  EXPECT_THAT(Topic::shared().new_messages(), IsEmpty());
  EXPECT_THAT(object(keys()[0]), Not(HasSubstr(cluster().password())));
}

TEST_F(Lambda, TakesWhatAnEventSaysForOneRunAndRefusesTheRest) {
  environment_["PANA_COMPRESSION"] = "zstd";
  environment_["PANA_JOBS"] = "2";
  Function function("backup", environment_);
  const RuntimeApi::Answer usual = function.api.invoke("{}");
  ASSERT_TRUE(usual.is_success()) << usual.body;
  EXPECT_EQ(2, usual.body.at("workers"));
  EXPECT_TRUE(usual.body.at("key").get<std::string>().ends_with(".sql.zst"));
  const RuntimeApi::Answer other =
      function.api.invoke(R"({"compression": "none", "jobs": 1, "exclude_schemas": ["shop"]})");
  ASSERT_TRUE(other.is_success()) << other.body;
  EXPECT_EQ(1, other.body.at("workers"));
  EXPECT_TRUE(other.body.at("key").get<std::string>().ends_with(".sql"));
  for (const char* event : {R"([])", R"({"jobs": 0})", R"({"jobs": "many"})", R"({"compression": "lzma"})",
                            R"({"delete": true})", R"({"tables": "orders"})", R"(not JSON)"}) {
    const RuntimeApi::Answer answer = function.api.invoke(event);
    EXPECT_EQ("Pana.Usage", answer.error_type) << event << answer.body;
  }
  EXPECT_THAT(keys(), SizeIs(2));
  EXPECT_THAT(Topic::shared().new_messages(), SizeIs(7));
  EXPECT_THAT(function.log(), Not(HasSubstr("delete")));  // the payload is not for the log
}

TEST_F(Lambda, RecognisesARunThatIsAskedForTwice) {
  Function function("backup", environment_);
  const RuntimeApi::Answer first = function.api.invoke("{}", 900, "11111111-0000-4000-8000-000000000000");
  const RuntimeApi::Answer again = function.api.invoke("{}", 900, "11111111-0000-4000-8000-000000000000");
  ASSERT_TRUE(first.is_success() && again.is_success()) << again.body;
  EXPECT_EQ(first.body.at("key"), again.body.at("key"));
  EXPECT_EQ(first.body.at("rows"), again.body.at("rows"));
  EXPECT_EQ(true, again.body.value("repeated", false));
  EXPECT_THAT(keys(), SizeIs(1));

  // EventBridge names its events: one that it delivers twice has two requests.
  const std::string scheduled =
      R"({"version": "0", "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa", "detail-type": "Scheduled Event",
      "source": "aws.events", "time": "2026-01-31T02:00:00Z", "region": "eu-central-1", "resources": [], "detail": {}})";
  ASSERT_TRUE(function.api.invoke(scheduled).is_success());
  EXPECT_EQ(true, function.api.invoke(scheduled).body.value("repeated", false));
  EXPECT_THAT(keys(), SizeIs(2));
}

TEST_F(Lambda, TwoAtOnceMakeTwoWholeBackups) {
  Function one("backup", environment_);
  Function other("backup", environment_);
  RuntimeApi::Answer answer;
  std::thread beside([&] { answer = one.api.invoke("{}"); });
  const RuntimeApi::Answer second = other.api.invoke("{}");
  beside.join();
  ASSERT_TRUE(answer.is_success() && second.is_success()) << answer.body << second.body;
  ASSERT_THAT(keys(), SizeIs(2));
  for (const std::string& key : keys()) {
    Command verify =
        pana_command({"verify", location() + "/" + key, "--against", cluster().url(everything().database)});
    verify.environment = store().environment();
    EXPECT_TRUE(ends_with(kOk, pana(verify)));
  }
}

TEST_F(Lambda, TakesTheUrlFromAParameter) {
  Command put{
      .argv = {"aws", "ssm", "put-parameter", "--region", "eu-central-1", "--endpoint-url", Topic::shared().endpoint(),
               "--type", "SecureString", "--name", "/pana/" + bucket_, "--value", cluster().url(everything().database)},
      .environment = store().environment()};
  ASSERT_TRUE(ends_with(kOk, run(put)));
  environment_["DATABASE_URL"] = "";
  environment_["PANA_DATABASE_URL_PARAMETER"] = "/pana/" + bucket_;
  Function function("backup", environment_);
  EXPECT_TRUE(function.api.invoke("{}").is_success());
  EXPECT_THAT(keys(), SizeIs(1));

  environment_["PANA_DATABASE_URL_PARAMETER"] = "/pana/none";
  Function lost("backup", environment_);
  EXPECT_THAT(lost.api.invoke("{}").error(), AllOf(HasSubstr("ParameterNotFound"), HasSubstr("HINT: ")));
}

TEST_F(Lambda, SaysToLambdaWhatKeepsItFromStarting) {
  const auto failure = [this](const std::string& handler, const std::string& name, const std::string& value) {
    RuntimeApi api;
    Command command{.argv = {PANA_PROGRAM}, .environment = function_environment(api, handler)};
    for (const auto& [key, text] : environment_) command.environment[key] = text;
    command.environment[name] = value;
    Background process(command);
    const std::string error = api.initialization_failure().error();
    EXPECT_TRUE(process.ends_within(std::chrono::seconds(10)));
    EXPECT_TRUE(ends_with(kUsage, process.wait()));
    return error;
  };
  EXPECT_THAT(failure("restore", "A", ""), HasSubstr("there is no handler restore"));
  EXPECT_THAT(failure("backup", "PANA_LOCATION", ""), HasSubstr("PANA_LOCATION is not set"));
  EXPECT_THAT(failure("backup", "PANA_JOBS", "many"), HasSubstr("PANA_JOBS: many is neither auto nor a number"));
  EXPECT_THAT(failure("backup", "DATABASE_URL", ""), HasSubstr("DATABASE_URL"));
  {  // Not even that can be said: a status and words in the log, no crash.
    RuntimeApi api;
    Command command{.argv = {PANA_PROGRAM}, .environment = function_environment(api, "restore")};
    Background process(command);
    EXPECT_TRUE(process.ends_within(std::chrono::seconds(10)));
    const Outcome outcome = process.wait();
    EXPECT_TRUE(ends_with(kFailed, outcome));
    EXPECT_THAT(json_lines(outcome.err), SizeIs(2));
  }
  EXPECT_THAT(failure("freshness", "PANA_EXCLUDE_SCHEMAS", "auth"), HasSubstr("PANA_EXCLUDE_SCHEMAS is no JSON array"));
}

// Failures, and where they end.

TEST_F(Lambda, TellsAWrongPassword) {
  environment_["DATABASE_URL"] = cluster().url(everything().database, "postgres", "secret-and-wrong");
  Function function("backup", environment_);
  expect_failure(function, "Pana.Failed", "password authentication failed");
}

TEST_F(Lambda, TellsThatTheDatabaseIsUnreachable) {
  environment_["DATABASE_URL"] = fmt::format("postgresql://postgres:secret-x@127.0.0.1:{}/postgres", free_port());
  Function function("backup", environment_);
  expect_failure(function, "Pana.Failed", "Connection refused");
}

TEST_F(Lambda, TellsThatTheDatabaseWouldBeReachedWithoutEncryption) {
  environment_["DATABASE_URL"] = "postgresql://postgres:secret-x@db.example.com/postgres?sslmode=prefer";
  Function function("backup", environment_);
  expect_failure(function, "Pana.Refused", "without encryption");
}

TEST_F(Lambda, TellsThatTheStoreForbidsIt) {
  store().set_faults({{{"operation", "PutObject"}, {"fault", "403"}, {"times", -1}, {"after", 0}},
                      {{"operation", "CreateMultipartUpload"}, {"fault", "403"}, {"times", -1}, {"after", 0}}});
  Function function("backup", environment_);
  expect_failure(function, "Pana.Failed", "AccessDenied");
}

TEST_F(Lambda, TellsThatTheBucketIsMissing) {
  if (const auto reason = S3Server::swift_missing()) GTEST_SKIP() << *reason;
  for (const auto& [name, value] : S3Server::swift().environment()) environment_[name] = value;
  environment_["PANA_LOCATION"] = "s3://there-is-no-such-bucket/backups";
  Function function("backup", environment_);
  expect_failure(function, "Pana.Failed", "NoSuchBucket");
}

TEST_F(Lambda, TellsThatTheTimeIsOver) {
  environment_["DATABASE_URL"] = cluster().url(big().database);
  store().set_rate(200'000);
  Function function("backup", environment_);
  const auto started = std::chrono::steady_clock::now();
  expect_failure(function, "Pana.Interrupted", "ran out of time", 33);
  EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::seconds(25))
      << "a guard that comes too late is none";
  EXPECT_THAT(function.log(), HasSubstr("rows"));
}

TEST_F(Lambda, TellsThatPgDumpIsTooOld) {
  const auto program = backups_ / "pg_dump";
  write_script(program, "echo 'pg_dump (PostgreSQL) 9.6.24'");
  environment_["PANA_PG_DUMP"] = program;
  Function function("backup", environment_);
  expect_failure(function, "Pana.Refused", "pg_dump 9.6.24 cannot read");
}

TEST_F(Lambda, TellsThatMemoryIsNotEnough) {
  if (kSanitized) GTEST_SKIP() << "a sanitizer needs more address space than there is here";
  // Address space for the program and its libraries, but not for four workers.
  Function function("backup", environment_, {"prlimit", "--as=110000000", PANA_PROGRAM});
  const RuntimeApi::Answer answer = function.api.invoke("{}");
  EXPECT_FALSE(answer.is_success()) << answer.body;
  EXPECT_THAT(answer.error(), HasSubstr("memory")) << answer.body;
  EXPECT_THAT(Topic::shared().new_messages(), SizeIs(1));
  EXPECT_THAT(keys(), IsEmpty());
}

TEST_F(Lambda, RefusesATransactionPoolerBeforePgDumpStarts) {
  const PgBouncer pooler(cluster(), {.pool_mode = "transaction", .pool_size = 5});
  const auto program = backups_ / "pg_dump";
  const auto trace = backups_ / "started";
  write_script(program, "touch " + trace.string());
  environment_["PANA_PG_DUMP"] = program;
  environment_["DATABASE_URL"] = pooler.url(everything().database);
  Session application(pooler.url(everything().database));
  const std::string before = application.execute("SHOW search_path");
  Function function("backup", environment_);
  const auto started = std::chrono::steady_clock::now();
  expect_failure(function, "Pana.Refused", "transaction-mode pooler");
  EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::seconds(1));
  EXPECT_FALSE(std::filesystem::exists(trace));
  EXPECT_EQ(before, application.execute("SHOW search_path"));
}

TEST_F(Lambda, AnswersInTimeAndLogsTheCauseWhenTheTopicIsSilent) {
  Background silent({.argv = {"/usr/bin/python3", "-c",
                              "import socket, time\ns = socket.create_server(('127.0.0.1', 0))\n"
                              "print(s.getsockname()[1], flush=True)\ntime.sleep(300)"}});
  environment_["AWS_ENDPOINT_URL_SNS"] = "http://127.0.0.1:" + first_line_of(silent);
  environment_["DATABASE_URL"] = fmt::format("postgresql://postgres:secret-x@127.0.0.1:{}/postgres", free_port());
  Function function("backup", environment_);
  const auto began = std::chrono::steady_clock::now();
  EXPECT_THAT(function.api.invoke("{}", 38).error(), HasSubstr("Connection refused"));
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(25));
  const std::size_t cause = function.log().find("Connection refused");
  EXPECT_LT(cause, function.log().find("not_told"));
}

TEST_F(Lambda, FailsEvenWhenNobodyCanBeTold) {
  environment_["DATABASE_URL"] = fmt::format("postgresql://postgres:secret-x@127.0.0.1:{}/postgres", free_port());
  environment_["PANA_TOPIC_ARN"] = Topic::shared().arn() + "-none";
  Function function("backup", environment_);
  EXPECT_THAT(function.api.invoke("{}").error(), HasSubstr("Connection refused"));
  EXPECT_THAT(function.log(), AllOf(HasSubstr("not_told"), HasSubstr("NotFound")));
}

// The dead man's switch.

TEST_F(Lambda, MeasuresTheAgeOfTheNewestCompleteBackup) {
  Function freshness("freshness", environment_);
  EXPECT_THAT(freshness.api.invoke("{}").error(), HasSubstr("there is no complete backup"));
  EXPECT_THAT(freshness.metrics(), IsEmpty());

  Function function("backup", environment_);
  ASSERT_TRUE(function.api.invoke("{}").is_success());
  const std::string whole = keys().at(0);
  ASSERT_TRUE(function.api.invoke(R"({"tables": ["parts.*"]})").is_success());  // a part is no replacement
  put("backup_20990101_000000.sql", object(whole));  // nor is one that a wrong clock has named
  const std::string empty =
      fmt::format("backup_{}.sql", compact_time(std::chrono::system_clock::now() + std::chrono::seconds(30)));
  put(empty, "");
  const RuntimeApi::Answer answer = freshness.api.invoke("{}");
  ASSERT_TRUE(answer.is_success()) << answer.body;
  EXPECT_THAT(answer.body.at("backup").get<std::string>(), HasSubstr(whole));
  EXPECT_LT(answer.body.at("age_seconds"), 120);
  EXPECT_FALSE(answer.body.contains("size_percent"));
  EXPECT_THAT(freshness.log(), AllOf(HasSubstr("backup_20990101_000000.sql is of the future"), HasSubstr(empty)));

  environment_["PANA_EXCLUDE_SCHEMAS"] = R"(["parts"])";
  Function narrowed("freshness", environment_);
  EXPECT_THAT(narrowed.api.invoke("{}").error(), HasSubstr("only of another choice: backup_"));
  environment_.erase("PANA_EXCLUDE_SCHEMAS");

  environment_["DATABASE_URL"] = fresh_database("grown");
  Function grown("backup", environment_);
  ASSERT_TRUE(grown.api.invoke("{}").is_success());
  EXPECT_FALSE(freshness.api.invoke("{}").body.contains("size_percent")) << "another database says nothing of the size";
  cluster().sql("grown", "CREATE TABLE t AS SELECT generate_series(1, 1000) AS i");
  ASSERT_TRUE(grown.api.invoke("{}").is_success());
  EXPECT_GT(freshness.api.invoke("{}").body.at("size_percent"), 100);
  EXPECT_GT(freshness.metrics().at("BackupSizePercent"), 100);
  EXPECT_EQ("pana_db_freshness", freshness.metrics().at("FunctionName"));

  // Somebody's own, of another database, is no sign that the function still runs.
  const std::string newest = freshness.api.invoke("{}").body.at("backup");
  put("backup_" + compact_time(std::chrono::system_clock::now() + std::chrono::seconds(1)) + ".sql", tiny_backup());
  EXPECT_EQ(newest, freshness.api.invoke("{}").body.at("backup"));
}

}  // namespace
}  // namespace pana::test
