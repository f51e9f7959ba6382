#include "net/credentials.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace pana {
namespace {

TEST(Credentials, AreReadFromTheAnswerOfAnEndpoint) {
  const TimedCredentials read = parse_credentials(
      R"({"Code":"Success","AccessKeyId":"id","SecretAccessKey":"key","Token":"token","Expiration":"2026-01-31T23:59:59Z"})");
  EXPECT_EQ(read.credentials.access_key_id, "id");
  EXPECT_EQ(read.credentials.secret_access_key, "key");
  EXPECT_EQ(read.credentials.session_token, "token");
  ASSERT_TRUE(read.expires_at.has_value());
  EXPECT_EQ(rfc3339(*read.expires_at), "2026-01-31T23:59:59.000Z");
}

TEST(Credentials, AreNotReadFromAnythingElse) {
  for (const char* text : {"", "null", "[]", "{}", "{\"AccessKeyId\":1}", "{\"AccessKeyId\":\"a\"}", "<html>", "{\"Code\":"}) {
    EXPECT_THROW(parse_credentials(text), Error) << text;
  }
}

}  // namespace
}  // namespace pana
