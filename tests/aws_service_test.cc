// Requests to AWS's other services: tried again while that can help, and the log says so.
#include "net/aws_service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "support/s3_server.h"

namespace pana::test {
namespace {

using testing::HasSubstr;

TEST(AwsService, SaysWhenItTriesAgain) {
  const Environment environment({{"AWS_ACCESS_KEY_ID", "id"},
                                 {"AWS_SECRET_ACCESS_KEY", "secret"},
                                 {"AWS_SESSION_TOKEN", ""},
                                 {"AWS_REGION", "eu-central-1"},
                                 {"AWS_ENDPOINT_URL", "http://127.0.0.1:1"},  // nobody listens there
                                 {"AWS_CONFIG_FILE", "/dev/null"},
                                 {"AWS_MAX_ATTEMPTS", "2"},
                                 {"http_proxy", ""}});
  AwsService service("sns");
  testing::internal::CaptureStderr();
  EXPECT_THROW(
      service.post({.action = "tell somebody", .permission = "sns:Publish", .headers = {}, .body = "Action=Publish"},
                   {}),
      Error);
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("aws_retry"));
}

}  // namespace
}  // namespace pana::test
