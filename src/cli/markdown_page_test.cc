#include "cli/markdown_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pana {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string body(std::string_view markdown) { return page_of_markdown({.name = "a-b", .summary = "c"}, markdown); }

TEST(MarkdownPage, HasNameDescriptionAndSeeAlsoButNoContents) {
  const std::string page = page_of_markdown(
      {.name = "a-b", .section = 5, .date = "2026-01-31", .summary = "what it is", .see_also = {"pana(1)", "x-y(7)"}},
      "# Title\n\nFirst.\n\n## Contents\n\n1. [One](#one)\n\n## One\n\nText.\n\n### \\one `x`\n\nMore.\n");
  EXPECT_THAT(page, testing::StartsWith("'\\\" t\n.TH A\\-B 5 2026-01-31 \"pana "));
  EXPECT_THAT(page, HasSubstr(".SH NAME\na\\-b \\- what it is\n.SH DESCRIPTION\nFirst.\n.SH ONE\nText.\n"));
  EXPECT_THAT(page, HasSubstr(".SS \\eone \\fBx\\fP\nMore.\n.SH SEE ALSO\n.BR pana (1),\n.BR x\\-y (7)\n"));
  EXPECT_THAT(page, Not(HasSubstr("Title")));
}

TEST(MarkdownPage, TakesNothingOfTheTextForARequest) {
  EXPECT_THAT(body("a\n.SH b\n'c\n"), HasSubstr("a\n\\&.SH b\n\\&'c\n"));
  EXPECT_THAT(body("    .\n    \\.\n"), HasSubstr(".RS 4\n.EX\n\\&.\n\\&\\e.\n.EE\n.RE\n"));
}

TEST(MarkdownPage, KnowsEmphasisCodeAndLinks) {
  EXPECT_THAT(body("*Why:* **a** `b - '*c*'` \\*d 2 * 3"),
              HasSubstr("\\fIWhy:\\fP \\fBa\\fP \\fBb \\- \\(aq*c*\\(aq\\fP *d 2 * 3\n"));
  EXPECT_THAT(body("`over\nlines` [here](#here) [there](https://a.b)"),
              HasSubstr("\\fBover lines\\fP here there (https://a.b)\n"));
}

TEST(MarkdownPage, NestsLists) {
  EXPECT_THAT(
      body("1. one\n   more\n2. two\n   1. three\n   2. four\n3. five\n\nend\n"),
      HasSubstr(".IP 1. 4\none\nmore\n.IP 2. 4\ntwo\n.RS 4\n.IP 1. 4\nthree\n.IP 2. 4\nfour\n.RE\n.IP 3. 4\nfive\n"
                ".PP\nend\n"));
  EXPECT_THAT(body("* one\n* two\n"), HasSubstr(".IP \\(bu 4\none\n.IP \\(bu 4\ntwo\n"));
}

TEST(MarkdownPage, KeepsEmptyLinesOfCode) {
  EXPECT_THAT(body("    a\n\n    b\n\nc\n"), HasSubstr("\\&a\n\n\\&b\n.EE"));
}

TEST(MarkdownPage, MakesATableOfColumnsThatFit) {
  EXPECT_THAT(
      body("| word | means |\n|---|---|\n| `a|b` | long enough that it must be broken |\n"),
      HasSubstr(".TS\ntab(\t);\nlb lbx\nl lx.\nword\tT{\nmeans\nT}\n\\fBa|b\\fP\tT{\nlong enough that it must be "
                "broken\nT}\n.TE\n"));
}

TEST(MarkdownPage, MakesAListOfAWideTable) {
  EXPECT_THAT(
      body("## Keys\n\n| key | type | meaning |\n|---|---|---|\n"
           "| `k` | string or number, as the writer likes | it means this and that, too |\n| `l` |  | nothing |\n"),
      HasSubstr(".SH KEYS\n\\fBk\\fP (type string or number, as the writer likes)\n.RS 4\nit means this and that, too\n"
                ".RE\n.PP\n\\fBl\\fP\n.RS 4\nnothing\n.RE\n"));
}

}  // namespace
}  // namespace pana
