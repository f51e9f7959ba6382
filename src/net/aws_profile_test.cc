#include "net/aws_profile.h"

#include <gtest/gtest.h>

namespace pana {
namespace {

TEST(AwsProfile, ReadsOneSection) {
  constexpr std::string_view kText =
      "# a comment\n"
      "[default]\n"
      "region = eu-west-1\n"
      "\n"
      "[profile backup]\r\n"
      "region=us-east-2\r\n"
      "s3 =\n"
      "  addressing_style = path\n"
      "role_arn = arn:aws:iam::1:role/x # why\n"
      "; another comment\n"
      "aws_secret_access_key = a=b/c+d\n"
      "[profile other]\n"
      "region = nowhere\n";
  EXPECT_EQ(parse_profile(kText, "profile backup"), (Profile{{"region", "us-east-2"},
                                                             {"s3", ""},
                                                             {"role_arn", "arn:aws:iam::1:role/x"},
                                                             {"aws_secret_access_key", "a=b/c+d"}}));
  EXPECT_EQ(parse_profile(kText, "default"), (Profile{{"region", "eu-west-1"}}));
  EXPECT_TRUE(parse_profile(kText, "backup").empty());
}

TEST(AwsProfile, TakesWhatIsNoSuchFileForEmpty) {
  for (const std::string_view text : {"", "[", "[]", "[default", "=", "[default]\n=\n", "\n\n", "[default]\nregion"}) {
    EXPECT_LE(parse_profile(text, "default").size(), 1u) << text;
  }
}

}  // namespace
}  // namespace pana
