#include "net/sigv4.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pana {
namespace {

using testing::HasSubstr;

// The examples of https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
const Credentials kExample = {.access_key_id = "AKIAIOSFODNN7EXAMPLE",
                              .secret_access_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
                              .session_token = ""};

std::string header(const HttpRequest& request, const std::string& name) {
  for (const auto& [other, value] : request.headers) {
    if (other == name) return value;
  }
  return {};
}

std::string authorization(HttpRequest request) {
  request.origin = "https://examplebucket.s3.amazonaws.com";
  sign(request, kExample, "us-east-1", "s3", *parse_compact_time("20130524_000000"));
  return header(request, "authorization");
}

TEST(Signature, IsThatOfThePublishedExamples) {
  EXPECT_THAT(authorization({.path = "/test.txt", .headers = {{"range", "bytes=0-9"}}}),
              HasSubstr("Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"));
  EXPECT_THAT(authorization({.path = "/", .query = "lifecycle="}),
              HasSubstr("Signature=fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"));
  EXPECT_THAT(authorization({.path = "/", .query = "max-keys=2&prefix=J"}),
              HasSubstr("Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"));
}

TEST(Signature, CoversTheSessionTokenAndEveryHeader) {
  HttpRequest request{.origin = "http://127.0.0.1:9000", .path = "/b/k", .headers = {{"x-amz-meta-a", "1"}}};
  Credentials temporary = kExample;
  temporary.session_token = "token";
  sign(request, temporary, "auto", "s3", *parse_compact_time("20260101_000000"));
  EXPECT_EQ(header(request, "x-amz-security-token"), "token");
  EXPECT_EQ(header(request, "host"), "127.0.0.1:9000");
  EXPECT_THAT(header(request, "authorization"),
              HasSubstr("SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-meta-a;x-amz-security-token,"));
}

TEST(Signature, LeavesTheDefaultPortOutOfTheHost) {
  HttpRequest request{.origin = "https://store.example:443", .path = "/"};
  sign(request, kExample, "us-east-1", "s3", *parse_compact_time("20260101_000000"));
  EXPECT_EQ(header(request, "host"), "store.example");
}

}  // namespace
}  // namespace pana
