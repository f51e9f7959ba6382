#include "net/hash.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace pana {
namespace {

TEST(Hash, GivesThePublishedValues) {
  EXPECT_EQ(hex(sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hex(md5("abc")), "900150983cd24fb0d6963f7d28e17f72");
  // RFC 4231, test case 2.
  EXPECT_EQ(hex(hmac_sha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(crc32_of("123456789"), 0xCBF43926u);
}

TEST(Hash, WritesBase64) {
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(crc32_base64(0xCBF43926u), "y/Q5Jg==");
}

TEST(Hash, CombinesTheChecksumsOfParts) {
  const std::string first(100'000, 'a');
  const std::string second = "and the rest";
  EXPECT_EQ(combine_crc32(crc32_of(first), crc32_of(second), second.size()), crc32_of(first + second));
  EXPECT_EQ(combine_crc32(0, crc32_of(second), second.size()), crc32_of(second));
}

}  // namespace
}  // namespace pana
