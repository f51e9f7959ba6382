#include "command/backup_options.h"

#include <gtest/gtest.h>

#include <stdexcept>

#include "base/error.h"

namespace pana {
namespace {

const BackupOption& named(std::string_view option) {
  for (const BackupOption& candidate : backup_options()) {
    if (candidate.option == option) return candidate;
  }
  throw std::out_of_range(std::string(option));
}

std::string refusal(std::string_view option, const std::string& value) {
  BackupRequest request;
  try {
    named(option).apply(request, value);
  } catch (const Error& error) {
    EXPECT_EQ(ErrorKind::usage, error.kind());
    return error.what();
  }
  return {};
}

TEST(BackupOptions, NameTheDefaultsThatARequestHas) {
  const BackupRequest untouched;
  BackupRequest request;
  request.jobs = 60;
  request.compression = parse_compression("zstd:7");
  request.locks.give_up_after = request.yield_to_waiters = request.longest_silence = std::chrono::seconds(7);
  for (const BackupOption& option : backup_options()) {
    if (*option.by_default != '\0') option.apply(request, option.by_default);
  }
  EXPECT_EQ(untouched.jobs, request.jobs);
  EXPECT_EQ(untouched.compression.text(), request.compression.text());
  EXPECT_EQ(untouched.locks.give_up_after, request.locks.give_up_after);
  EXPECT_EQ(untouched.yield_to_waiters, request.yield_to_waiters);
  EXPECT_EQ(untouched.longest_silence, request.longest_silence);
}

TEST(BackupOptions, SayWhatIsWrongWithAValueWithoutRepeatingIt) {
  EXPECT_EQ("neither auto nor a number from 1 to 64", refusal("-j,--jobs", "65"));
  EXPECT_EQ("neither auto nor a number from 1 to 64", refusal("-j,--jobs", ""));
  EXPECT_EQ("neither none nor zstd nor zstd:LEVEL with a level from 1 to 19", refusal("-Z,--compression", "zstd:20"));
  EXPECT_EQ("not a number of seconds from 0 to 86400", refusal("--lock-wait", "86401"));
  EXPECT_EQ("not a number of seconds from 0 to 86400", refusal("--stall-timeout", "-1"));
  EXPECT_EQ("not a size such as 20MiB", refusal("--max-rate", "fast"));
  EXPECT_EQ("less than 64 KiB a second: give it a unit, such as 20MiB", refusal("--max-rate", "5"));
  EXPECT_EQ("", refusal("--max-rate", "0"));
  EXPECT_EQ("", refusal("-j,--jobs", "auto"));
}

}  // namespace
}  // namespace pana
