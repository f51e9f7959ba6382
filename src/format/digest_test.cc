#include "format/digest.h"

#include <gtest/gtest.h>

namespace pana {
namespace {

RowDigest digest_of(std::initializer_list<std::string_view> rows) {
  RowDigest digest;
  for (const std::string_view row : rows) digest.add(row);
  return digest;
}

TEST(RowDigest, DoesNotDependOnOrderOrCut) {
  RowDigest halves = digest_of({"3\tc", "1\ta"});
  halves.merge(digest_of({"2\tb"}));
  EXPECT_EQ(halves, digest_of({"1\ta", "2\tb", "3\tc"}));
}

TEST(RowDigest, TellsEqualRowsApartFromNone) {
  EXPECT_NE(digest_of({"x", "x"}), digest_of({}));
  EXPECT_NE(digest_of({"x", "x"}).hex(), digest_of({"y", "y"}).hex());
}

TEST(RowDigest, CarriesIntoTheHighHalf) {
  RowDigest digest{.low = ~std::uint64_t{0}};
  digest.merge({.low = 1});
  EXPECT_EQ(digest.hex(), "00000000000000010000000000000000");
}

TEST(RowDigester, GivesARowInPiecesTheDigestOfTheWhole) {
  const std::string row = std::string(1000, 'x') + "\ty\n";
  RowDigest digest;
  RowDigester rows;
  rows.add(digest, "1\ta\n");
  for (std::size_t begin = 0; begin < row.size(); begin += 100) {
    const std::string piece = row.substr(begin, 100);
    rows.add(digest, piece, row.size() - begin - piece.size());
  }
  rows.add(digest, "2\tb\n");
  EXPECT_EQ(digest, digest_of({"2\tb", "1\ta", row.substr(0, row.size() - 1)}));
}

TEST(RowDigester, TakesANewlineThatComesAlone) {
  RowDigest digest;
  RowDigester rows;
  rows.add(digest, "a\tb", 1);
  rows.add(digest, "\n");
  EXPECT_EQ(digest, digest_of({"a\tb"}));
}

TEST(RowDigest, CountsTheNewlineOfEveryRow) { EXPECT_EQ(digest_of({"", "ab"}).bytes, 4U); }

TEST(RowDigest, ReadsItsOwnDigits) {
  const RowDigest digest = digest_of({"a", "b"});
  const auto parsed = parse_digest(digest.hex());
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->hex(), digest.hex());
  EXPECT_FALSE(parse_digest("12"));
  EXPECT_FALSE(parse_digest(std::string(32, 'G')));
}

// The value that XXH3-128 of the empty input is published with: the digest must stay the same for ever.
TEST(RowDigest, IsXxh3OfTheRowsText) { EXPECT_EQ(digest_of({""}).hex(), "99aa06d3014798d86001c324468d497f"); }

}  // namespace
}  // namespace pana
