#include "base/human.h"

#include <gtest/gtest.h>

#include <limits>

namespace pana {
namespace {

TEST(Bytes, AreReadInTheUnitsThatPeopleWrite) {
  for (const char* const text :
       {"20MiB", "20M", "20MB", "20 mib", "20971520", "20971520B", "20480k", "20Mi", " 20MiB "}) {
    EXPECT_EQ(20U << 20, parse_bytes(text)) << text;
  }
  EXPECT_EQ(0U, parse_bytes("0"));
  EXPECT_EQ(std::numeric_limits<std::uint64_t>::max(), parse_bytes("18446744073709551615"));
  EXPECT_EQ(std::uint64_t{15} << 60, parse_bytes("15EiB"));
}

TEST(Bytes, AreNothingElse) {
  for (const char* const text :
       {"", "fast", "-1", "+1", "1.5MiB", "20MiBs", "20Q", "MiB", "18446744073709551616", "16EiB", "0x10"}) {
    EXPECT_FALSE(parse_bytes(text)) << text;
  }
}

}  // namespace
}  // namespace pana
