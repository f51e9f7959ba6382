#include "base/attempts.h"

#include <gtest/gtest.h>

namespace pana {
namespace {

using std::chrono::milliseconds;

Obstacle obstacle(Obstacle::Cause cause) { return {cause, ErrorKind::refused, "something is in the way", "wait"}; }

TEST(Attempts, ComeWithPausesThatGrow) {
  Attempts attempts(std::chrono::hours(1));
  for (const int pause : {500, 1000, 2000, 4000, 8000, 16000, 16000})
    EXPECT_EQ(milliseconds(pause), attempts.note(obstacle(Obstacle::Cause::lock)));
  EXPECT_EQ(7, attempts.count());
}

TEST(Attempts, AreGivenUpWhenThereWereSeveralAndTheirTimeIsOver) {
  Attempts attempts(milliseconds(0));
  for (int i = 0; i < 4; ++i) attempts.note(obstacle(Obstacle::Cause::schema_changed));
  try {
    attempts.note(obstacle(Obstacle::Cause::schema_changed));
    FAIL() << "a fifth attempt failed";
  } catch (const Error& error) {
    EXPECT_EQ(ErrorKind::refused, error.kind());
    EXPECT_STREQ("gave up after 5 attempts: something is in the way", error.what());
    EXPECT_EQ("wait", error.hint());
  }
}

// The name of the next second is another one.
TEST(Attempts, AtANameAreThree) {
  Attempts attempts(std::chrono::hours(1));
  attempts.note(obstacle(Obstacle::Cause::name_taken));
  attempts.note(obstacle(Obstacle::Cause::lock));
  attempts.note(obstacle(Obstacle::Cause::name_taken));
  EXPECT_THROW(attempts.note(obstacle(Obstacle::Cause::name_taken)), Error);
}

}  // namespace
}  // namespace pana
