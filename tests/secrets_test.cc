// A password never leaves pana: not in what it says, not in the backup, not in the arguments of its children.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "support/pana.h"
#include "support/session.h"
#include "support/wait.h"

namespace pana::test {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string content_of_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

class Secrets : public EndToEnd {};

TEST_F(Secrets, AreNotGivenToPgDumpNorInTheBackup) {
  Command command = pana_command({"backup", "--to", backups_.path()});
  command.environment = {{"DATABASE_URL", cluster().url(everything().database)}};
  Background backup(command);
  std::string arguments;
  std::string environment;
  ASSERT_TRUE(becomes_true([&] {
    for (const pid_t child : children_of(backup.pid())) {
      if (program_of(child) != "pg_dump") continue;
      arguments = content_of_file(fmt::format("/proc/{}/cmdline", child));
      environment = content_of_file(fmt::format("/proc/{}/environ", child));
    }
    // Before that it is asked for its version.
    return environment.find("PGHOST=@") != std::string::npos || backup.ends_within(std::chrono::milliseconds(0));
  }));
  const Outcome outcome = backup.wait();
  expect_clean_output(outcome);
  ASSERT_TRUE(ends_with(kOk, outcome));
  EXPECT_THAT(environment, HasSubstr("PGHOST=@")) << "pg_dump was not seen";
  EXPECT_THAT(arguments + environment, Not(HasSubstr(cluster().password())));
  EXPECT_THAT(content_of_file(backups_in(backups_.path()).at(0)), Not(HasSubstr(cluster().password())));
}

// pg_dump finds its session at a socket whose name everybody on the machine can see.
TEST_F(Secrets, AreOfOneUserEvenWhereTheSessionIsLentToPgDump) {
  if (!server_account()) GTEST_SKIP() << "only root can be somebody else";
  const auto slow_pg_dump = backups_ / "pg_dump";
  write_script(slow_pg_dump, R"([ "$1" = --version ] || sleep 3; exec pg_dump "$@")");
  TemporaryDirectory target;
  Command command = pana_command({"backup", cluster().url(everything().database), "--to", target.path()});
  command.environment = {{"PANA_PG_DUMP", slow_pg_dump}};
  Background backup(command);
  std::string host;
  ASSERT_TRUE(becomes_true([&] {
    for (const pid_t child : children_of(backup.pid())) {
      const std::string environment = content_of_file(fmt::format("/proc/{}/environ", child));
      const std::size_t begin = environment.find("@pana-");
      if (begin != std::string::npos) host = environment.substr(begin, environment.find('\0', begin) - begin);
    }
    return !host.empty();
  })) << backup.err_so_far();
  Command stranger = cluster().client("psql", {"-X", "-c", "SELECT 1"}, everything().database);
  stranger.account = server_account();
  stranger.environment["PGHOST"] = host;
  stranger.environment["PGPORT"] = "5432";
  const Outcome refused = run(stranger);
  EXPECT_FALSE(refused.succeeded());
  EXPECT_THAT(refused.err, HasSubstr("server closed the connection unexpectedly"));
  EXPECT_TRUE(ends_with(kOk, backup.wait()));
  EXPECT_TRUE(ends_with(kOk, pana({"verify", target.path(), "--against", cluster().url(everything().database)})));
}

TEST_F(Secrets, AreNotDumpedWithACore) {
  const std::string url = fresh_database("waiting");
  Session locker(url);
  locker.execute("CREATE TABLE held (); BEGIN; LOCK TABLE held");
  Background backup(pana_command({"backup", url, "--to", backups_.path()}));
  EXPECT_TRUE(becomes_true([&] {
    const std::string limits = content_of_file(fmt::format("/proc/{}/limits", backup.pid()));
    const std::size_t line = limits.find("Max core file size");
    return line != std::string::npos && limits.substr(line, 40).find(" 0 ") != std::string::npos;
  }));
  locker.execute("COMMIT");
  EXPECT_TRUE(ends_with(kOk, backup.wait()));
}

TEST_F(Secrets, AreBlottedOutOfPanasOwnArguments) {
  // A table that is locked keeps the backup waiting while its arguments are looked at.
  const std::string url = fresh_database("locked");
  Session locker(url);
  locker.execute("CREATE TABLE held ()");
  const std::string place = fmt::format("host=127.0.0.1 port={} user=postgres dbname=locked", cluster().port());
  for (const std::string& database :
       {url, place + " password = " + cluster().password(), "password\t=\n'" + cluster().password() + "' " + place,
        fmt::format("postgresql://postgres@127.0.0.1:{}/locked?password={}", cluster().port(), cluster().password())}) {
    locker.execute("BEGIN; LOCK TABLE held");
    const TemporaryDirectory target;
    Background backup(pana_command({"backup", database, "--to", target.path()}));
    std::string arguments;
    EXPECT_TRUE(becomes_true([&] {
      arguments = content_of_file(fmt::format("/proc/{}/cmdline", backup.pid()));
      return arguments.find("***") != std::string::npos;
    })) << arguments;
    EXPECT_THAT(arguments, Not(HasSubstr(cluster().password())));
    locker.execute("COMMIT");
    EXPECT_TRUE(ends_with(kOk, backup.wait()));
  }
}

TEST_F(Secrets, AreNotInTheMessagesOfFailures) {
  std::string no_database = cluster().url("there is none");
  const std::string password = cluster().password();
  for (const std::string& url :
       {no_database, "postgresql://postgres:" + password + "@127.0.0.1:1/x",
        "postgresql://postgres:" + password + "@/x?no_such_option=1", "postgresql://postgres:" + password + "@[bad/x",
        cluster().url("postgres", "nobody there", password)}) {
    for (const char* command : {"backup", "check"}) {
      const Outcome outcome = pana({command, url, "--to", backups_.path()});  // looks for the password itself
      EXPECT_NE(kOk, outcome.exit_status) << outcome.description();
      EXPECT_FALSE(outcome.err.empty());
    }
  }
}

TEST_F(Secrets, AreNotInTheMessagesOfWrongUsage) {
  const std::string url = cluster().url("postgres");
  const std::string keywords = "host=h password = " + cluster().password();
  const std::string quoted = R"(host=h password = 'a\' )" + cluster().password() + "'";
  for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
           {"list", keywords},
           {"show", quoted},
           {"list", "no such thing password\t= " + cluster().password()},
           {"backup", "--to", quoted},
           {"list", backups_.path(), keywords},
           {"backup", "--jobs", quoted},
           {"backup", "--no-such-option=" + keywords},
           {"list", "PASSWORD=" + cluster().password()},
           {"list", "Host=h;Password=" + cluster().password()},
           {"list", backups_.path(), url},
           {url},
           {"list", url},
           {"backup", "--to", url},
           {"restore", url, "--into", url},
           {"list", "s3://key:secret-of-mine@bucket"},
           {"show", "host=h password=secret-of-mine"},
           {"backup", "postgresql://postgres:secret-of/mine@127.0.0.1:1/x", "--to", backups_.path()},
           {"backup", "--no-such-option=" + url},
           {"backup", "--jobs", url}}) {
    const Outcome outcome = pana(arguments);  // looks for the password itself
    EXPECT_TRUE(ends_with(kUsage, outcome)) << outcome.description();
    EXPECT_FALSE(outcome.err.empty());
  }
}

}  // namespace
}  // namespace pana::test
