// A disk without room is a failure that leaves nothing behind, whether the disk says so or a limit of the process.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cstring>

#include "support/pana.h"

namespace pana::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class FullDisk : public EndToEnd {
 protected:
  // The tests' big database does not fit into what there is.
  void expect_failure(const Command& command, const std::filesystem::path& location, const std::string& reason) const {
    const Outcome outcome = pana(command);
    EXPECT_TRUE(ends_with(kFailed, outcome));
    EXPECT_THAT(outcome.err, AllOf(HasSubstr("cannot write"), HasSubstr(reason)));
    EXPECT_TRUE(std::filesystem::is_empty(location));
  }
};

TEST_F(FullDisk, WithoutRoomFailsAndLeavesNothing) {
  const std::filesystem::path location = backups_ / "small";
  std::filesystem::create_directory(location);
  if (::mount("tmpfs", location.c_str(), "tmpfs", 0, "size=4m") != 0)
    GTEST_SKIP() << "no right to mount a small disk: " << std::strerror(errno);
  for (const char* compression : {"none", "zstd"}) {
    expect_failure(
        pana_command({"backup", cluster().url(big().database), "--to", location, "--compression", compression}),
        location, "No space left on device");
  }
  EXPECT_EQ(0, ::umount(location.c_str()));
}

TEST_F(FullDisk, BeyondTheLimitOfAFilesSizeFailsAndLeavesNothing) {
  Command command = pana_command({"backup", cluster().url(big().database), "--to", backups_.path()});
  command.argv.insert(command.argv.begin(), {"sh", "-c", "ulimit -f 4096 && exec \"$@\"", "sh"});
  expect_failure(command, backups_.path(), "File too large");
}

}  // namespace
}  // namespace pana::test
