// pana as a process among others: its streams, and its signals.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include "support/pana.h"
#include "support/session.h"
#include "support/wait.h"

namespace pana::test {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

// A command of pana's whose streams the shell redirects: "2>file".
Command redirected(const std::string& redirections, const std::vector<std::string>& arguments) {
  Command command = pana_command(arguments);
  command.argv.insert(command.argv.begin(), {"sh", "-c", "exec \"$@\" " + redirections, "sh"});
  return command;
}

// A pipe that is full, and that nobody reads.
FileDescriptor full_pipe(const std::filesystem::path& path) {
  if (::mkfifo(path.c_str(), S_IRUSR | S_IWUSR) != 0) return {};
  FileDescriptor pipe(::open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
  const std::string page(4096, '\n');
  while (::write(pipe.get(), page.data(), page.size()) > 0) {
  }
  return pipe;
}

class Process : public EndToEnd {};

TEST_F(Process, StopsAtASignalThoughNobodyReadsItsStandardError) {
  const std::string url = fresh_database("held");
  Session locker(url);
  locker.execute("CREATE TABLE held (); BEGIN; LOCK TABLE held");
  const TemporaryDirectory directory;
  const auto path = directory.path() / "pipe";
  const FileDescriptor pipe = full_pipe(path);
  ASSERT_TRUE(pipe);
  Background backup(redirected("2>" + path.string(), {"backup", url, "--to", backups_.path()}));
  ASSERT_TRUE(becomes_true([&] {
    return cluster().sql(
               "postgres",
               "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pana' AND datname = 'held'") != "0";
  }));
  backup.send(SIGTERM);
  ASSERT_TRUE(backup.ends_within(std::chrono::seconds(2)));
  EXPECT_TRUE(ends_with(kInterrupted, backup.wait()));
  EXPECT_THAT(backups_in(backups_.path()), IsEmpty());
}

TEST_F(Process, WritesNoLineIntoABackupThoughItsOwnStreamsAreClosed) {
  const std::string url = fresh_database("closed");
  cluster().sql("closed", "CREATE TABLE t AS SELECT generate_series(1, 1000) AS i");
  EXPECT_TRUE(ends_with(kOk, run(redirected("<&- >&- 2>&-", {"backup", url, "--to", backups_.path()}))));
  ASSERT_THAT(backups_in(backups_.path()), SizeIs(1));
  EXPECT_TRUE(ends_with(kOk, pana({"verify", backups_.path(), "--against", url})));
  EXPECT_TRUE(ends_with(kOk, pana({"verify", backups_.path()})));
}

TEST_F(Process, EndsQuietlyWhenItsReaderHasEnough) {
  const std::string file = back_up(everything().database);
  const Outcome outcome =
      run({.argv = {"bash", "-c", "set -o pipefail; \"$@\" | head -1", "sh", PANA_PROGRAM, "show", "--json", file}});
  EXPECT_TRUE(ends_with(kOk, outcome));
  EXPECT_EQ("{\n", outcome.out);
}

}  // namespace
}  // namespace pana::test
