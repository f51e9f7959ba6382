#include "store/s3_upload.h"

#include <gtest/gtest.h>

namespace pana {
namespace {

TEST(S3Parts, AreLargeEnoughForFourTimesWhatIsExpected) {
  constexpr std::uint64_t kGibibyte = 1 << 30;
  EXPECT_EQ(s3_part_bytes({}, 0), 8u << 20);
  EXPECT_EQ(s3_part_bytes({}, 10 * kGibibyte), 8u << 20);
  for (const std::uint64_t expected : {40 * kGibibyte, 1000 * kGibibyte, 10'000 * kGibibyte}) {
    const std::uint64_t part = s3_part_bytes({}, expected);
    EXPECT_EQ(part % (1 << 20), 0u);
    EXPECT_GE(part * 10'000, 4 * expected - 10'000);
    EXPECT_LE(part, 5 * kGibibyte);
  }
  EXPECT_EQ(s3_part_bytes({.part_bytes = 6 << 20}, 1000 * kGibibyte), 6u << 20);
}

}  // namespace
}  // namespace pana
