#include "pg/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace pana {
namespace {

using testing::HasSubstr;

TEST(BackupPreamble, HoldsStatementsForAnyServerAndAnEmptyLine) {
  const std::string preamble = backup_preamble("LATIN1");
  EXPECT_THAT(preamble, HasSubstr("SET client_encoding = 'LATIN1';\n"));
  EXPECT_THAT(preamble, HasSubstr("SET standard_conforming_strings = on;\n"));
  EXPECT_THAT(preamble, HasSubstr("SET row_security = off;\n"));
  EXPECT_EQ(std::string::npos, preamble.find("SET idle_session_timeout"));  // since 14
  EXPECT_EQ(std::string::npos, preamble.find("SET transaction_timeout"));   // since 17
  EXPECT_EQ(std::count(preamble.begin(), preamble.end(), ';') + 1, std::count(preamble.begin(), preamble.end(), '\n'));
  EXPECT_TRUE(preamble.ends_with(";\n\n"));
}

}  // namespace
}  // namespace pana
