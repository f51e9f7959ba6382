#include "net/uri.h"

#include <gtest/gtest.h>

namespace pana {
namespace {

TEST(Uri, EncodesAllButTheUnreserved) {
  EXPECT_EQ(percent_encode("aZ09-._~"), "aZ09-._~");
  EXPECT_EQ(percent_encode("a b/ü+*'\""), "a%20b%2F%C3%BC%2B%2A%27%22");
  EXPECT_EQ(percent_encode_path("a b/../c//d%"), "a%20b/../c//d%25");
}

TEST(Uri, DecodesWhatWasEncodedAndLeavesTheRest) {
  std::string all;
  for (int byte = 1; byte < 256; ++byte) all += static_cast<char>(byte);
  EXPECT_EQ(percent_decode(percent_encode(all)), all);
  EXPECT_EQ(percent_decode("100%"), "100%");
  EXPECT_EQ(percent_decode("%4"), "%4");
  EXPECT_EQ(percent_decode("%zz%41"), "%zzA");
}

TEST(Uri, OrdersTheQuery) {
  EXPECT_EQ(query_string({{"prefix", "a/b"}, {"uploads", ""}, {"list-type", "2"}}),
            "list-type=2&prefix=a%2Fb&uploads=");
  EXPECT_EQ(query_string({}), "");
}

}  // namespace
}  // namespace pana
