#include "net/retry.h"

#include <gtest/gtest.h>

#include <set>

namespace pana {
namespace {

TEST(Retry, EndsAfterTenAttemptsWithDelaysThatDiffer) {
  RetryBudget budget;
  Retry retry(budget);
  std::set<std::chrono::milliseconds> delays;
  int attempts = 1;
  for (; retry.may_go_on(); ++attempts) {
    EXPECT_LE(retry.delay(), std::chrono::seconds(20));
    delays.insert(retry.delay());
  }
  EXPECT_EQ(attempts, 10);
  EXPECT_GT(delays.size(), 4u);
}

TEST(Retry, EndsWhenTheBudgetIsUsedUpAndGoesOnAfterSuccesses) {
  RetryBudget budget;
  int retries = 0;
  while (Retry(budget).may_go_on()) ++retries;
  EXPECT_EQ(retries, 100);
  for (int success = 0; success < 4; ++success) budget.refund();
  EXPECT_FALSE(Retry(budget).may_go_on());
  budget.refund();
  EXPECT_TRUE(Retry(budget).may_go_on());
}

}  // namespace
}  // namespace pana
