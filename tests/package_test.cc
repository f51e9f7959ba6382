// The zip for AWS Lambda: the same bytes every time, complete in itself, and a working function where there is nothing
// else.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <iterator>

#include "store/s3_store.h"
#include "support/lambda.h"
#include "support/pana.h"
#include "support/pgbouncer.h"
#include "support/s3_server.h"

namespace pana::test {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

const std::string kPackage = std::string(PANA_SOURCE_DIR) + "/scripts/package-lambda";

std::string bytes_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Makes the file system that a function sees, and nothing but it: /var/task and an empty /tmp, both on a root that
// cannot be written. Where Lambda's own libraries would be, there is one that cannot be loaded.
constexpr const char* kEmptyRoot = R"(
set -e
root=$1 account=$2 disk=$3
mount --bind "$root" "$root"
mount -o remount,bind,ro "$root"
if [ "$disk" = disk ]; then mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"; fi
exec chroot ${account:+--userspec="$account"} "$root" /var/task/bootstrap
)";

class Package : public EndToEnd {
 protected:
  static void SetUpTestSuite() { directory_ = std::make_unique<TemporaryDirectory>(); }
  static void TearDownTestSuite() { directory_.reset(); }

  void SetUp() override {
    EndToEnd::SetUp();
    if (IsSkipped()) return;
    for (const char* program : {"patchelf", "zip", "unzip", "readelf", "strip", "openssl"}) {
      if (!find_program(program)) GTEST_SKIP() << program << " is not installed (scripts/setup installs it)";
    }
  }

  static const fs::path& zip() {
    static const fs::path path = [] {
      const fs::path file = *directory_ / "pana.zip";
      run_successfully({.argv = {kPackage, "--pana", PANA_PROGRAM, "--output", file}});
      return file;
    }();
    return path;
  }

  // How to start the function of the zip in an empty root.
  std::vector<std::string> launcher(const std::string& disk) {
    const fs::path root = backups_ / "root";
    for (const char* name : {"var/task", "tmp", "lib64"}) fs::create_directories(root / name);
    run_successfully({.argv = {"unzip", "-q", zip(), "-d", root / "var/task"}});
    std::ofstream(root / "lib64/libc.so.6") << "not the one that belongs to our loader";
    fs::permissions(backups_.path(), fs::perms::owner_all | fs::perms::group_exec | fs::perms::others_exec);
    std::vector<std::string> argv = {"unshare", "--mount"};
    std::string account;
    if (const auto given = server_account()) {
      account = fmt::format("{}:{}", given->user_id, given->group_id);
    } else {
      argv.insert(argv.end(), {"--user", "--map-root-user"});
    }
    argv.insert(argv.end(), {"--", "sh", "-c", kEmptyRoot, "empty-root", root, account, disk});
    return argv;
  }

  std::map<std::string, std::string> environment(const std::string& bucket, const std::string& url) {
    S3Server& store = S3Server::swift();
    store.create_bucket(bucket);
    std::map<std::string, std::string> environment = store.environment();
    environment["PANA_LOCATION"] = fmt::format("s3://{}/backups", bucket);
    environment["DATABASE_URL"] = url;
    environment["LD_LIBRARY_PATH"] = "/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib";
    environment["LAMBDA_TASK_ROOT"] = "/var/task";
    return environment;
  }

 private:
  static std::unique_ptr<TemporaryDirectory> directory_;
};

std::unique_ptr<TemporaryDirectory> Package::directory_;

TEST_F(Package, HasTheSameBytesEveryTime) {
  const fs::path again = backups_ / "again.zip";
  const Outcome outcome = run({.argv = {kPackage, "--pana", PANA_PROGRAM, "--output", again}});
  ASSERT_TRUE(ends_with(kOk, outcome));
  EXPECT_THAT(outcome.out, HasSubstr("reads servers of PostgreSQL 9.2 to "));
  EXPECT_TRUE(bytes_of(zip()) == bytes_of(again));
}

TEST_F(Package, BindsItsProgramsToItsOwnLibraries) {
  run_successfully({.argv = {"unzip", "-q", zip(), "-d", backups_.path()}});
  for (const char* program : {"bootstrap", "bin/pg_dump"}) {
    const std::string dynamic =
        run_successfully({.argv = {"readelf", "--dynamic", "--program-headers", backups_ / program}});
    EXPECT_THAT(dynamic, AllOf(HasSubstr("(RPATH)"), HasSubstr("[/var/task/lib]"), Not(HasSubstr("(RUNPATH)"))));
    EXPECT_THAT(dynamic, HasSubstr("interpreter: /var/task/lib/"));
  }
}

TEST_F(Package, RefusesAPgDumpThatIsTooOldOrNoneAtAll) {
  const auto package = [this](const std::string& option, const std::string& value) {
    return run({.argv = {kPackage, "--pana", PANA_PROGRAM, "--output", backups_ / "none.zip", option, value}});
  };
  const Outcome too_old = package("--at-least", "99");
  EXPECT_TRUE(ends_with(kFailed, too_old));
  EXPECT_THAT(too_old.err, AllOf(HasSubstr("99 was asked for"), HasSubstr("HINT: install postgresql-client-99")));
  EXPECT_THAT(package("--pg-dump", "/etc/passwd").err, HasSubstr("is no program"));
  EXPECT_THAT(package("--at-least", "new").err, HasSubstr("is no number"));
  EXPECT_THAT(package("--pana", "/nowhere").err, HasSubstr("/nowhere is no program"));
  EXPECT_FALSE(fs::exists(backups_ / "none.zip"));
}

// In an empty root, by another account, through a pooler in session mode with TLS.
TEST_F(Package, IsAFunctionWhereThereIsNothingElse) {
  if (kSanitized) GTEST_SKIP() << "a sanitizer needs /proc, which an empty root has not";
  for (const auto& reason : {S3Server::swift_missing(), Topic::missing(), PgBouncer::missing()}) {
    if (reason) GTEST_SKIP() << *reason;
  }
  if (!run({.argv = {"unshare", "--mount", "--map-root-user", "true"}}).succeeded() && ::geteuid() != 0) {
    GTEST_SKIP() << "this account may not make a mount namespace";
  }
  if (!find_program("aws")) GTEST_SKIP() << "the AWS CLI is not installed";
  const PgBouncer pooler(cluster(), {.pool_mode = "session", .tls = true});
  std::map<std::string, std::string> settings = environment("pana-db-backups", pooler.url(everything().database));
  settings["PANA_SSL_ROOT_CERT"] = pooler.certificate();
  const std::vector<std::string> start = launcher("disk");
  std::string key;
  {
    Function function("backup", settings, start);
    const RuntimeApi::Answer answer = function.api.invoke("{}");
    ASSERT_TRUE(answer.is_success()) << answer.body << function.log();
    key = answer.body.at("key");
    EXPECT_THAT(key, testing::MatchesRegex("backups/backup_[0-9]{8}_[0-9]{6}\\.sql"));
  }
  // As the guide has it: aws s3 cp, then psql.
  const fs::path file = backups_ / "backup.sql";
  Command copy{.argv = {"aws", "s3", "cp", "s3://pana-db-backups/" + key, file}, .environment = settings};
  copy.environment["AWS_DEFAULT_REGION"] = copy.environment["AWS_REGION"];
  copy.environment["AWS_RESPONSE_CHECKSUM_VALIDATION"] = "when_required";
  copy.environment.erase("LD_LIBRARY_PATH");
  ASSERT_TRUE(ends_with(kOk, run(copy)));
  fresh_database("from_lambda");
  ASSERT_TRUE(ends_with(kOk, restore_with_psql(cluster(), file, "from_lambda")));
  EXPECT_EQ("", differences(everything().content, content_of(cluster(), "from_lambda")));
  EXPECT_TRUE(ends_with(kOk, pana({"verify", file, "--against", cluster().url("from_lambda")})));
  EXPECT_THAT(bytes_of(file), Not(HasSubstr(cluster().password())));

  {  // The certificate of another authority: the server is not whom we look for.
    const PgBouncer other(cluster(), {.pool_mode = "session", .tls = true});
    settings["PANA_SSL_ROOT_CERT"] = other.certificate();
    Function function("backup", settings, start);
    EXPECT_THAT(function.api.invoke("{}").error(), HasSubstr("certificate verify failed"));
  }
}

TEST_F(Package, NeedsADiskForTheRootCertificateAlone) {
  if (kSanitized) GTEST_SKIP() << "a sanitizer needs /proc, which an empty root has not";
  for (const auto& reason : {S3Server::swift_missing(), Topic::missing(), PgBouncer::missing()}) {
    if (reason) GTEST_SKIP() << *reason;
  }
  if (::geteuid() != 0) GTEST_SKIP() << "needs root for a root directory of its own";
  std::map<std::string, std::string> settings = environment("no-disk", cluster().url(everything().database));
  const std::vector<std::string> start = launcher("none");
  {
    Function function("backup", settings, start);
    EXPECT_TRUE(function.api.invoke("{}").is_success()) << function.log();
  }
  settings["PANA_SSL_ROOT_CERT"] = "-----BEGIN CERTIFICATE-----";
  Topic::shared().new_messages();
  Function function("backup", settings, start);
  EXPECT_THAT(function.api.invoke("{}").error(), HasSubstr("/tmp/pana-root-certificate.pem cannot be written"));
  EXPECT_THAT(Topic::shared().new_messages(), SizeIs(1));
}

}  // namespace
}  // namespace pana::test
