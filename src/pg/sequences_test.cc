#include "pg/sequences.h"

#include <gtest/gtest.h>

namespace pana {
namespace {

constexpr SequencePosition at(std::int64_t last_value, bool is_called, bool ascends = true) {
  return {.last_value = last_value, .is_called = is_called, .ascends = ascends};
}

TEST(SequencePosition, IsAheadWhenItHasGivenOutMore) {
  EXPECT_TRUE(at(2, true).is_ahead_of(at(1, true)));
  EXPECT_TRUE(at(2, false).is_ahead_of(at(1, true)));
  EXPECT_FALSE(at(1, true).is_ahead_of(at(2, true)));
  EXPECT_TRUE(at(1, true).is_ahead_of(at(1, false)));
  EXPECT_FALSE(at(1, true).is_ahead_of(at(1, true)));
  EXPECT_FALSE(at(1, false).is_ahead_of(at(1, true)));
}

TEST(SequencePosition, IsAheadBelowWhenItDescends) {
  EXPECT_TRUE(at(-2, true, false).is_ahead_of(at(-1, true, false)));
  EXPECT_FALSE(at(-1, true, false).is_ahead_of(at(-2, true, false)));
  EXPECT_TRUE(at(-1, true, false).is_ahead_of(at(-1, false, false)));
}

}  // namespace
}  // namespace pana
