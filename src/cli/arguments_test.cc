#include "cli/arguments.h"

#include <gtest/gtest.h>

namespace pana {
namespace {

// What take_arguments() leaves of the command line: the argument, and what ps shows of it.
std::pair<std::string, std::string> taken(std::string argument) {
  std::string program = "pana";
  char* argv[] = {program.data(), argument.data(), nullptr};
  const std::vector<std::string> arguments = take_arguments(2, argv);
  return {arguments.at(0), argument};
}

TEST(Arguments, AreBlottedWhereTheyHoldASecret) {
  for (const auto& [given, shown] : std::vector<std::pair<std::string, std::string>>{
           {"postgresql://u:s3cret@h/d", "postgresql://u:******@h/d"},
           {"--into=postgresql://u:s3cret@h/d", "--into=postgresql://u:******@h/d"},
           {"host=h password = s3cret port=1", "host=h password = ****** port=1"},
           {"--against=host=h password = 'a b' port=1", "--against=host=h password = ***** port=1"},
           {"postgresql://h/d?sslpassword=s3cret&user=u", "postgresql://h/d?sslpassword=******&user=u"}}) {
    const auto [argument, left] = taken(given);
    EXPECT_EQ(given, argument);
    EXPECT_EQ(shown, left);
  }
}

TEST(Arguments, AreLeftAloneWhereTheyHoldNone) {
  for (const char* given : {"", "--jobs", "host=h", "s3://bucket/prefix", "--exclude-table=a@b:c"})
    EXPECT_EQ(given, taken(given).second);
}

}  // namespace
}  // namespace pana
