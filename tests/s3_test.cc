// The whole program with its backups in S3.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <fstream>
#include <random>
#include <sstream>

#include "base/error.h"
#include "base/time.h"
#include "store/s3_store.h"
#include "support/pana.h"
#include "support/s3_server.h"
#include "support/wait.h"

namespace pana::test {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

class S3 : public EndToEnd {
 protected:
  void SetUp() override {
    EndToEnd::SetUp();
    if (IsSkipped()) return;
    if (const auto reason = S3Server::stand_in_missing()) GTEST_SKIP() << *reason;
    server().set_faults(nlohmann::json::array());
    static int count = 0;
    location_ = fmt::format("s3://program-{}/backups", ++count);
  }

  static S3Server& server() { return S3Server::stand_in(); }

  static Command with_store(const std::vector<std::string>& arguments) {
    Command command = pana_command(arguments);
    command.environment = server().environment();
    command.timeout = std::chrono::minutes(3);
    return command;
  }
  static Outcome run_pana(const std::vector<std::string>& arguments) { return pana(with_store(arguments)); }

  Command backup(const std::string& database, const std::vector<std::string>& options = {}) const {
    std::vector<std::string> arguments = {"backup", cluster().url(database), "--to", location_};
    arguments.insert(arguments.end(), options.begin(), options.end());
    return with_store(arguments);
  }

  std::vector<std::string> keys() const { return server().keys(location_); }

  std::string location_;
};

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

// What no two backups have in common: the moment, the key of \restrict, and what is computed from them.
bool is_of_the_moment(const std::string& line) {
  return line.starts_with("-- pana") || line.starts_with("\\restrict ") || line.starts_with("\\unrestrict ");
}

TEST_F(S3, HoldsTheSameBytesAsADirectory) {
  const fs::path in_directory = back_up(everything().database, {"--jobs", "1", "--compression", "none"});
  ASSERT_TRUE(ends_with(kOk, pana(backup(everything().database, {"--jobs", "1", "--compression", "none"}))));
  const Environment environment(server().environment());
  S3Store store(location_, {}, {});
  const std::unique_ptr<ObjectReader> object = store.open(keys().at(0));
  std::string in_s3(object->size(), '\0');
  object->read(0, in_s3, {});
  std::ifstream file(in_directory);
  const std::vector<std::string> expected = lines_of(std::string(std::istreambuf_iterator<char>(file), {}));
  const std::vector<std::string> found = lines_of(in_s3);
  ASSERT_EQ(expected.size(), found.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (is_of_the_moment(expected[i])) continue;
    ASSERT_EQ(expected[i], found[i]) << "line " << i + 1;
  }
}

TEST_F(S3, CarriesABackupFromBeginningToEnd) {
  ASSERT_TRUE(ends_with(kOk, pana(backup(big().database, {"--compression", "none", "--part-size", "5MiB"}))));
  ASSERT_TRUE(ends_with(kOk, pana(backup(big().database, {"--compression", "zstd"}))));
  ASSERT_THAT(keys(), SizeIs(2));
  EXPECT_THAT(run_pana({"list", location_}).out, AllOf(HasSubstr(keys()[0]), HasSubstr(keys()[1])));
  EXPECT_THAT(run_pana({"show", location_}).out, HasSubstr("public.big"));
  for (const std::string& key : keys()) {
    const std::string object = location_ + "/" + key;
    EXPECT_TRUE(ends_with(kOk, run_pana({"verify", object})));
    ASSERT_TRUE(ends_with(kOk, run_pana({"restore", object, "--into", fresh_database("from_s3"), "--verify"})));
    EXPECT_EQ("", differences(big().content, content_of(cluster(), "from_s3")));
  }
  EXPECT_TRUE(ends_with(kOk, run_pana({"check", cluster().url(big().database), "--to", location_})));
  EXPECT_TRUE(ends_with(kOk, run_pana({"prune", location_, "--keep-last", "1", "--dry-run"})));
  EXPECT_THAT(keys(), SizeIs(2));
  EXPECT_TRUE(ends_with(kOk, run_pana({"prune", location_, "--keep-last", "1"})));
  EXPECT_THAT(keys(), SizeIs(1));
  EXPECT_THAT(server().uploads(location_), IsEmpty());
}

TEST_F(S3, SaysWhatIsWrongWithTheCredentialsTheRegionOrTheBucket) {
  const auto list_with = [this](const std::string& name, const std::string& value) {
    Command command = with_store({"list", location_});
    command.environment[name] = value;
    return pana(command);
  };
  Outcome outcome = list_with("AWS_SECRET_ACCESS_KEY", "secret-wrong");
  EXPECT_TRUE(ends_with(kFailed, outcome));
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("SignatureDoesNotMatch"), HasSubstr("check the access key id")));
  outcome = list_with("AWS_REGION", "us-east-1");
  EXPECT_TRUE(ends_with(kFailed, outcome));
  EXPECT_THAT(outcome.err, HasSubstr("say --region eu-central-1"));
  outcome = list_with("AWS_ACCESS_KEY_ID", "");
  EXPECT_TRUE(ends_with(kRefused, outcome));
  EXPECT_THAT(outcome.err, HasSubstr("AWS_SECRET_ACCESS_KEY is set, but AWS_ACCESS_KEY_ID is not"));
  Command without = with_store({"list", location_});
  without.environment["AWS_ACCESS_KEY_ID"] = without.environment["AWS_SECRET_ACCESS_KEY"] = "";
  outcome = pana(without);
  EXPECT_TRUE(ends_with(kRefused, outcome));
  EXPECT_THAT(outcome.err, HasSubstr("no AWS credentials were found"));
  server().set_faults({{{"operation", "ListObjectsV2"}, {"fault", "403"}, {"times", -1}}});
  outcome = run_pana({"list", location_});
  EXPECT_TRUE(ends_with(kFailed, outcome));
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("s3:ListBucket"), HasSubstr("request id standin")));
  EXPECT_EQ(server().requests("ListObjectsV2"), 1u);
}

TEST_F(S3, TakesTheRolesOfContainersAndInstancesAndRenewsThem) {
  const auto back_up_with = [this](const std::map<std::string, std::string>& variables) {
    Command command = backup(big().database, {"--compression", "none", "--part-size", "5MiB"});
    command.environment["AWS_ACCESS_KEY_ID"] = command.environment["AWS_SECRET_ACCESS_KEY"] = "";
    for (const auto& [name, value] : variables) command.environment[name] = value;
    return pana(command);
  };
  const std::map<std::string, std::string> container = {
      {"AWS_CONTAINER_CREDENTIALS_FULL_URI", server().endpoint() + "/_container"},
      {"AWS_CONTAINER_AUTHORIZATION_TOKEN", "container-token"}};
  const std::map<std::string, std::string> instance = {{"AWS_EC2_METADATA_DISABLED", "false"},
                                                       {"AWS_EC2_METADATA_SERVICE_ENDPOINT", server().endpoint()}};
  for (const auto& variables : {container, instance}) {
    server().set_lifetime(3600);
    server().set_faults(nlohmann::json::array());
    EXPECT_TRUE(ends_with(kOk, back_up_with(variables)));
    EXPECT_EQ(server().requests("credentials"), 1u);
    // Expired in the middle of the upload, whatever was promised.
    server().set_faults({{{"operation", "UploadPart"}, {"fault", "expired-token"}, {"after", 3}}});
    EXPECT_TRUE(ends_with(kOk, back_up_with(variables)));
    EXPECT_EQ(server().requests("credentials"), 2u);
    // So short that newer ones are looked for at once, but not before every request.
    server().set_lifetime(60);
    server().set_faults(nlohmann::json::array());
    EXPECT_TRUE(ends_with(kOk, back_up_with(variables)));
    EXPECT_LT(server().requests("credentials"), server().requests("UploadPart"));
  }
  server().set_lifetime(3600);
  EXPECT_THAT(keys(), SizeIs(6));
}

TEST_F(S3, NeedsNoMoreThanTheRightsThatTheReadmeNames) {
  if (const auto reason = S3Server::moto_missing()) GTEST_SKIP() << *reason;
  const std::unique_ptr<S3Server> moto = S3Server::moto("least", R"({"Version": "2012-10-17", "Statement": [{
      "Effect": "Allow", "Action": ["s3:PutObject", "s3:AbortMultipartUpload", "s3:GetObject"],
      "Resource": "arn:aws:s3:::least/backups/*"}]})");
  const auto run_on_moto = [&moto](Command command) {
    command.environment = moto->environment();
    return pana(command);
  };
  location_ = "s3://least/backups";
  for (const char* compression : {"none", "zstd"}) {  // in parts, and in one piece
    const Outcome outcome =
        run_on_moto(backup(big().database, {"--compression", compression, "--part-size", "20MiB", "--json"}));
    ASSERT_TRUE(ends_with(kOk, outcome));
    const std::string object = nlohmann::json::parse(outcome.out).at("backup");
    EXPECT_TRUE(ends_with(kOk, run_on_moto(pana_command({"verify", object}))));
  }
  location_ = "s3://least/elsewhere";
  const Outcome outside = run_on_moto(backup(big().database));
  EXPECT_TRUE(ends_with(kFailed, outside));
  EXPECT_THAT(outside.err, HasSubstr("the credentials need s3:PutObject"));
}

TEST_F(S3, KeepsWhatIsWrittenAsItIsTold) {
  const std::vector<std::string> options = {"--sse",
                                            "aws:kms",
                                            "--sse-kms-key-id",
                                            "key/1",
                                            "--bucket-key",
                                            "--storage-class",
                                            "STANDARD_IA",
                                            "--object-lock-mode",
                                            "GOVERNANCE",
                                            "--object-lock-days",
                                            "30",
                                            "--tag",
                                            "team=a b",
                                            "--tag",
                                            "kind=backup",
                                            "--part-size",
                                            "5MiB"};
  for (const char* compression : {"none", "zstd:19"}) {  // in parts, and (compressed well) in fewer
    std::vector<std::string> all = options;
    all.insert(all.end(), {"--compression", compression});
    ASSERT_TRUE(ends_with(kOk, pana(backup(everything().database, all))));
    const std::map<std::string, std::string> headers = server().written_with();
    EXPECT_EQ(headers.at("x-amz-server-side-encryption"), "aws:kms");
    EXPECT_EQ(headers.at("x-amz-server-side-encryption-aws-kms-key-id"), "key/1");
    EXPECT_EQ(headers.at("x-amz-server-side-encryption-bucket-key-enabled"), "true");
    EXPECT_EQ(headers.at("x-amz-storage-class"), "STANDARD_IA");
    EXPECT_EQ(headers.at("x-amz-tagging"), "kind=backup&team=a%20b");
    EXPECT_EQ(headers.at("x-amz-object-lock-mode"), "GOVERNANCE");
    const auto until = parse_rfc3339(headers.at("x-amz-object-lock-retain-until-date"));
    ASSERT_TRUE(until.has_value());
    EXPECT_NEAR(std::chrono::duration<double>(*until - std::chrono::system_clock::now()).count(), 30 * 86400, 300);
  }
  EXPECT_TRUE(ends_with(kUsage, pana(backup("any", {"--object-lock-mode", "GOVERNANCE"}))));
  EXPECT_TRUE(ends_with(kUsage, pana(backup("any", {"--tag", "no value"}))));
}

TEST_F(S3, IsReachedByTheBucketsOwnHostName) {
  Command command = backup(everything().database);
  command.environment["AWS_ENDPOINT_URL"] =
      std::string(server().endpoint()).replace(7, 9, "localhost");  // http://127.0.0.1:...
  command.argv.insert(command.argv.end(), {"--addressing-style", "virtual"});
  ASSERT_TRUE(ends_with(kOk, pana(command)));
  EXPECT_TRUE(ends_with(kOk, run_pana({"verify", location_})));
}

TEST_F(S3, TakesOtherChecksumsForStoresThatRefuseTheUsualOne) {
  for (const char* checksum : {"md5", "none"}) {
    ASSERT_TRUE(ends_with(kOk, pana(backup(big().database, {"--checksum", checksum, "--part-size", "5MiB"}))))
        << checksum;
    EXPECT_FALSE(server().written_with().contains("x-amz-checksum-algorithm"));
    EXPECT_TRUE(ends_with(kOk, run_pana({"verify", location_})));
  }
}

TEST_F(S3, WritesToStoresThatKnowNoConditionalWrites) {
  const std::string little = "little";
  fresh_database(little);
  for (const char* refusal : {"no-condition-501", "no-condition-412"}) {
    for (const bool in_parts : {true, false}) {
      server().set_faults({{{"operation", "CompleteMultipartUpload"}, {"fault", refusal}, {"times", -1}},
                           {{"operation", "PutObject"}, {"fault", refusal}, {"times", -1}}});
      const Outcome outcome =
          pana(backup(in_parts ? big().database : little, {"--compression", "none", "--part-size", "5MiB"}));
      ASSERT_TRUE(ends_with(kOk, outcome)) << refusal;
      EXPECT_THAT(outcome.err, HasSubstr("no_conditional_writes"));
      EXPECT_EQ(server().requests(in_parts ? "CompleteMultipartUpload" : "PutObject"), 2u);
      EXPECT_TRUE(ends_with(kOk, run_pana({"verify", location_ + "/" + keys().back()})));
    }
  }
  EXPECT_THAT(keys(), SizeIs(4));
}

// The whole object for each range of it, or the half of that and then a cut: it is not mistaken for what was asked for.
TEST_F(S3, TakesNoOtherBytesThanItAskedFor) {
  ASSERT_TRUE(ends_with(kOk, pana(backup(big().database, {"--compression", "none", "--part-size", "5MiB"}))));
  const Environment environment(server().environment());
  S3Store store(location_, {}, {});
  const std::unique_ptr<ObjectReader> object = store.open(keys().at(0));
  std::string expected(3 << 20, '\0');
  object->read(1 << 20, expected, {});
  for (const char* fault : {"no-range", "no-range-truncate"}) {
    server().set_faults({{{"operation", "GetObject"}, {"fault", fault}}});
    std::string found(expected.size(), '\0');
    object->read(1 << 20, found, {});
    EXPECT_TRUE(found == expected) << fault;
    EXPECT_EQ(server().requests("GetObject"), 2u);
    server().set_faults({{{"operation", "GetObject"}, {"fault", fault}, {"times", -1}}});
    const Outcome outcome = run_pana({"verify", location_});
    EXPECT_FALSE(outcome.exit_status == kOk) << fault;
    EXPECT_THAT(outcome.err, HasSubstr("answered with other bytes than were asked for"));
    EXPECT_THAT(outcome.err, HasSubstr("must heed Range"));
  }
  server().set_faults(nlohmann::json::array());
}

TEST_F(S3, AbortsTheUploadWhenItIsInterrupted) {
  server().set_rate(5'000'000);
  Background program(backup(big().database, {"--compression", "none", "--part-size", "5MiB"}));
  ASSERT_TRUE(becomes_true([&] { return server().requests("UploadPart") >= 2; })) << program.err_so_far();
  const auto sent = std::chrono::steady_clock::now();
  program.send(SIGTERM);
  const Outcome outcome = program.wait();
  EXPECT_LT(std::chrono::steady_clock::now() - sent, std::chrono::seconds(4));
  server().set_rate(0);
  EXPECT_TRUE(ends_with(kInterrupted, outcome));
  expect_clean_output(outcome);
  EXPECT_THAT(keys(), IsEmpty());
  EXPECT_THAT(server().uploads(location_), IsEmpty());
}

// What a killed backup leaves is a multipart upload; a later run removes it once nobody can be at work on it.
TEST_F(S3, ShowsNothingOfABackupThatWasKilled) {
  const char* const configured = std::getenv("PANA_CRASH_RUNS");
  const int runs = configured == nullptr ? 6 : std::atoi(configured) / 2;
  std::minstd_rand random(std::random_device{}());
  for (int run = 0; run < runs; ++run) {
    const std::size_t before = keys().size();
    Background program(backup(big().database, {"--compression", "none", "--part-size", "5MiB"}));
    const bool ended = program.ends_within(std::chrono::milliseconds(random() % 1500));
    if (!ended) program.send(SIGKILL);
    const Outcome outcome = program.wait();
    const std::vector<std::string> after = keys();
    if (after.size() == before) {
      EXPECT_NE(kOk, outcome.exit_status);
      continue;
    }
    // Killed after its last request or not at all: then it is a whole one.
    ASSERT_EQ(after.size(), before + 1);
    EXPECT_TRUE(ends_with(kOk, run_pana({"verify", location_ + "/" + after.back()})));
  }
  // A part that had reached the store when its sender was killed may be stored after that, and makes its upload young
  // again.
  EXPECT_TRUE(becomes_true([this] {
    server().age_uploads(25 * 3600);
    EXPECT_TRUE(ends_with(kOk, pana(backup(big().database))));
    return server().uploads(location_).empty();
  }));
}

// A server of others: a backup in parts, restored and proven; and a wrong secret.
class S3OfOthers : public S3 {
 protected:
  void round_trip(S3Server& other, const std::string& what_a_wrong_secret_is) {
    other.create_bucket("program");
    const auto run_there = [&other](Command command) {
      command.environment = other.environment();
      return pana(command);
    };
    location_ = "s3://program/a b/ü+%";
    ASSERT_TRUE(ends_with(kOk, run_there(backup(big().database, {"--compression", "none", "--part-size", "5MiB"}))));
    const Outcome restored =
        run_there(pana_command({"restore", location_, "--into", fresh_database("from_others"), "--verify"}));
    ASSERT_TRUE(ends_with(kOk, restored));
    EXPECT_EQ("", differences(big().content, content_of(cluster(), "from_others")));
    EXPECT_TRUE(ends_with(kOk, run_there(backup(big().database, {"--compression", "zstd"}))));
    EXPECT_TRUE(ends_with(kOk, run_there(pana_command({"prune", location_, "--keep-last", "1"}))));
    Command wrong = pana_command({"list", location_});
    wrong.environment = other.environment();
    wrong.environment["AWS_SECRET_ACCESS_KEY"] = "secret-wrong";
    const Outcome outcome = pana(wrong);
    EXPECT_TRUE(ends_with(kFailed, outcome));
    EXPECT_THAT(outcome.err, HasSubstr(what_a_wrong_secret_is));
  }
};

TEST_F(S3OfOthers, SwiftKeepsBackups) {
  if (const auto reason = S3Server::swift_missing()) GTEST_SKIP() << *reason;
  round_trip(S3Server::swift(), "SignatureDoesNotMatch");
}

TEST_F(S3OfOthers, RadosgwKeepsBackups) {
  if (const auto reason = S3Server::radosgw_missing()) GTEST_SKIP() << *reason;
  round_trip(S3Server::radosgw(), "AccessDenied");
}

// Temporary credentials that the server itself made and checks, of a role with the rights that the README names.
TEST_F(S3OfOthers, RadosgwTakesTheSessionTokenOfARole) {
  if (const auto reason = S3Server::radosgw_missing()) GTEST_SKIP() << *reason;
  S3Server& radosgw = S3Server::radosgw();
  radosgw.create_bucket("role");
  location_ = "s3://role/backups";
  std::map<std::string, std::string> role = radosgw.environment_of_backup_role();
  const auto run_as_role = [&role](Command command) {
    command.environment = role;
    return pana(command);
  };
  for (const char* compression : {"none", "zstd:19"}) {  // in parts, and (compressed well) in one piece
    const Outcome outcome =
        run_as_role(backup(everything().database, {"--compression", compression, "--part-size", "5MiB", "--json"}));
    ASSERT_TRUE(ends_with(kOk, outcome));
    const std::string object = nlohmann::json::parse(outcome.out).at("backup");
    EXPECT_TRUE(ends_with(kOk, run_as_role(pana_command({"verify", object}))));
  }
  const Outcome listed = run_as_role(pana_command({"list", location_}));
  EXPECT_TRUE(ends_with(kFailed, listed));
  EXPECT_THAT(listed.err, HasSubstr("s3:ListBucket"));
  role["AWS_SESSION_TOKEN"] = "secret-wrong";
  EXPECT_TRUE(ends_with(kFailed, run_as_role(backup(everything().database))));
}

}  // namespace
}  // namespace pana::test
