#include "base/require.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pana {
namespace {

TEST(Require, SaysNothingOfWhatHolds) { EXPECT_NO_THROW(require(true, "one is one")); }

TEST(Require, FailsInEveryBuildWithWhatDoesNotHold) {
  EXPECT_THAT([] { require(false, "one is one"); }, testing::ThrowsMessage<Error>(testing::HasSubstr("one is one")));
}

}  // namespace
}  // namespace pana
