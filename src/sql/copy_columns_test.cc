#include "sql/copy_columns.h"

#include <gtest/gtest.h>

namespace pana {
namespace {

TEST(CopyColumns, StatementNamesThoseThatAreKept) {
  EXPECT_EQ(copy_of_columns("COPY public.t (a, \"b, (\"\"c\", d) FROM stdin;\n", {true, false, true}),
            "COPY public.t (a, d) FROM stdin;");
  EXPECT_EQ(copy_of_columns("COPY public.t (a, \"b, (\"\"c\", d) FROM stdin;", {false, true, false}),
            "COPY public.t (\"b, (\"\"c\") FROM stdin;");
}

TEST(CopyColumns, StatementOfOtherColumnsIsLeftAlone) {
  EXPECT_EQ(copy_of_columns("COPY t (a, b) FROM stdin;", {true}), "COPY t (a, b) FROM stdin;");
  EXPECT_EQ(copy_of_columns("COPY t (a) FROM stdin;", {true, false}), "COPY t (a) FROM stdin;");
  EXPECT_EQ(copy_of_columns("COPY t FROM stdin;", {true}), "COPY t FROM stdin;");
}

TEST(CopyColumns, RowHoldsTheirFields) {
  EXPECT_EQ(row_of_columns("1\t\\N\ta\\tb\n", {true, false, true}), "1\ta\\tb\n");
  EXPECT_EQ(row_of_columns("\t\t\n", {false, true, true}), "\t\n");
  EXPECT_EQ(row_of_columns("1\n", {true}), "1\n");
}

TEST(CopyValue, IsWhatAFieldStandsFor) {
  EXPECT_EQ(std::nullopt, copy_value("\\N"));
  EXPECT_EQ("", copy_value(""));
  EXPECT_EQ("a\tb\nc\\d\v", copy_value("a\\tb\\nc\\\\d\\v"));
  EXPECT_EQ("N", copy_value("\\\\N")->substr(1));
  EXPECT_EQ("\\", copy_value("\\"));
}

}  // namespace
}  // namespace pana
