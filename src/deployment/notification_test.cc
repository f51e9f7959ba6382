#include "deployment/notification.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pana {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

FailedBackup example(const std::string& database) {
  return {.database = database,
          .location = "s3://bucket/backups",
          .started = TimePoint(std::chrono::seconds(1'700'000'000)),
          .seconds = 3.2,
          .next_steps = "look at request-1"};
}

TEST(Notification, SaysWhatFailedWhyWhatToDoAndWhereToLook) {
  const Notification told =
      describe(example("host:5432/shop"), Error(ErrorKind::failed, "no route to host", "mend the network"));
  EXPECT_EQ("pana: the backup of host:5432/shop failed", told.subject);
  EXPECT_THAT(told.message,
              AllOf(HasSubstr("2023-11-14T22:13:20"), HasSubstr("no route to host"), HasSubstr("mend the network"),
                    HasSubstr("s3://bucket/backups/"), HasSubstr("look at request-1")));
}

// A store that gives back something else than was written may have done so before.
TEST(Notification, DoesNotVouchForAStoreThatDamages) {
  const FailedBackup backup = example("host:5432/shop");
  EXPECT_THAT(describe(backup, Error(ErrorKind::failed, "no route to host")).message, HasSubstr("is whole"));
  EXPECT_THAT(describe(backup, Error(ErrorKind::damaged, "stored, but its index is not the one")).message,
              AllOf(Not(HasSubstr("is whole")), HasSubstr("Earlier backups are untouched"), HasSubstr("pana verify")));
}

TEST(Notification, HasASubjectThatSnsTakes) {
  const Error error(ErrorKind::failed, "x");
  for (const std::string& database : {std::string("host/\xc3\xbc"), std::string("host/a\nb"), std::string(200, 'x')}) {
    EXPECT_EQ("pana: a database backup failed", describe(example(database), error).subject);
  }
}

}  // namespace
}  // namespace pana
