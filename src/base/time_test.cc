#include "base/time.h"

#include <gtest/gtest.h>

namespace pana {
namespace {

TEST(CompactTime, IsItsOwnInverse) {
  const TimePoint time = std::chrono::sys_days(std::chrono::year_month_day(
                             std::chrono::year(2024), std::chrono::month(2), std::chrono::day(29))) +
                         std::chrono::hours(23) + std::chrono::minutes(59) + std::chrono::seconds(58);
  EXPECT_EQ(compact_time(time), "20240229_235958");
  EXPECT_EQ(parse_compact_time("20240229_235958"), time);
  EXPECT_EQ(rfc3339(time), "2024-02-29T23:59:58.000Z");
}

TEST(CompactTime, RefusesWhatIsNoTime) {
  for (const char* const text :
       {"", "20230229_000000", "20240101-000000", "20240101_240000", "2024010a_000000", "20240101_00000",
        "20240101_0000000", "22620101_000000", "29990101_000000", "19691231_235959"}) {
    EXPECT_FALSE(parse_compact_time(text)) << text;
  }
}

TEST(Rfc3339, IsReadWithAndWithoutAFraction) {
  const auto time = parse_compact_time("20240229_235958");
  EXPECT_EQ(parse_rfc3339("2024-02-29T23:59:58Z"), time);
  EXPECT_EQ(parse_rfc3339("2024-02-29T23:59:58.123456Z"), time);
  for (const char* const text :
       {"", "2024-02-29T23:59:58", "2024-02-29 23:59:58Z", "20240229T235958.0000000Z", "-----------:--:--:--Z"}) {
    EXPECT_FALSE(parse_rfc3339(text)) << text;
  }
}

}  // namespace
}  // namespace pana
