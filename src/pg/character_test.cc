#include "pg/character.h"

#include <gtest/gtest.h>

namespace pana {
namespace {

TEST(ByteOfCharacter, IsCountedInTheEncoding) {
  EXPECT_EQ(0U, byte_of_character("abc", 1, "UTF8"));
  EXPECT_EQ(3U, byte_of_character("Gr\xC3\xB6sse", 4, "UTF8") - 1);
  EXPECT_EQ(3U, byte_of_character("Gr\xF6sse", 4, "LATIN1"));
  EXPECT_EQ(4U, byte_of_character("\xB0\xA1\xB0\xA2x", 3, "EUC_JP"));
  EXPECT_EQ(2U, byte_of_character("ab", 9, "UTF8"));
}

}  // namespace
}  // namespace pana
