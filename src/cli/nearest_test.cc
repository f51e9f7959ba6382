#include "cli/nearest.h"

#include <gtest/gtest.h>

namespace pana {
namespace {

const std::vector<std::string> kCommands = {"backup", "list", "show", "restore", "verify", "check", "prune"};

TEST(Nearest, IsWhatWasMeant) {
  EXPECT_EQ("backup", nearest("bakcup", kCommands));
  EXPECT_EQ("restore", nearest("restor", kCommands));
  EXPECT_EQ("list", nearest("lst", kCommands));
  EXPECT_EQ("verify", nearest("verfiy", kCommands));
  EXPECT_EQ("--exclude-table", nearest("--exclude-tabel", {"--exclude-schema", "--exclude-table"}));
}

TEST(Nearest, IsNothingThatIsFar) {
  EXPECT_EQ(std::nullopt, nearest("delete", kCommands));
  EXPECT_EQ(std::nullopt, nearest("x", kCommands));
  EXPECT_EQ(std::nullopt, nearest("", kCommands));
  EXPECT_EQ(std::nullopt, nearest("list", {}));
}

}  // namespace
}  // namespace pana
