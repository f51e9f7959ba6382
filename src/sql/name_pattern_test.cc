#include "sql/name_pattern.h"

#include <gtest/gtest.h>

#include <string>

#include "base/error.h"

namespace pana {
namespace {

bool matches(std::string_view pattern, std::string_view schema, std::string_view name) {
  return NamePattern::parse(pattern).matches(schema, name);
}

bool matches(std::string_view pattern, std::string_view name) { return matches(pattern, "public", name); }

// What is expected here has been seen from pg_dump --table on PostgreSQL 15.

TEST(NamePattern, MatchesTheWholeName) {
  EXPECT_TRUE(matches("foo", "foo"));
  EXPECT_FALSE(matches("foo", "foob"));
  EXPECT_FALSE(matches("foo", "afoo"));
  EXPECT_FALSE(matches("foo", ""));
  EXPECT_FALSE(matches("", "foo"));
}

TEST(NamePattern, FoldsUnquotedLettersToLowerCase) {
  EXPECT_TRUE(matches("FOO", "foo"));
  EXPECT_FALSE(matches("Bar", "Bar"));
  EXPECT_TRUE(matches("\"Bar\"", "Bar"));
  EXPECT_FALSE(matches("\"Bar\"", "bar"));
  EXPECT_TRUE(matches("F\"Oo\"", "fOo"));
}

TEST(NamePattern, TakesStarsAndQuestionMarksAsWildcards) {
  EXPECT_TRUE(matches("*", "anything\nat all"));
  EXPECT_TRUE(matches("a*b", "ab"));
  EXPECT_TRUE(matches("a*b", "a*b"));
  EXPECT_TRUE(matches("x?y", "x$y"));
  EXPECT_TRUE(matches("new?line", "new\nline"));
  EXPECT_FALSE(matches("x?y", "xy"));
  EXPECT_FALSE(matches("\"a*b\"", "ab"));
  EXPECT_TRUE(matches("\"a*b\"", "a*b"));
}

TEST(NamePattern, SeparatesSchemaAndNameByADot) {
  EXPECT_TRUE(matches("app.foo", "app", "foo"));
  EXPECT_FALSE(matches("app.foo", "public", "foo"));
  EXPECT_TRUE(matches("*.foo", "app", "foo"));
  EXPECT_TRUE(matches("app.*", "app", "bar"));
  EXPECT_TRUE(matches("\"S\".\"T\"", "S", "T"));
  EXPECT_FALSE(matches("\"S\".T", "S", "T"));
  EXPECT_FALSE(matches(".foo", "public", "foo"));
  EXPECT_FALSE(matches("foo.", "foo", "foo"));
  EXPECT_FALSE(matches("a.b", "public", "a.b"));
  EXPECT_TRUE(matches("\"a.b\"", "public", "a.b"));
  EXPECT_TRUE(matches("app|public.foo", "app", "foo"));
}

TEST(NamePattern, SaysWhetherItNamesASchema) {
  EXPECT_TRUE(NamePattern::parse("*.foo").has_schema());
  EXPECT_FALSE(NamePattern::parse("foo").has_schema());
  EXPECT_FALSE(NamePattern::parse("\"a.b\"").has_schema());
  EXPECT_TRUE(matches("foo", "any schema", "foo"));
}

TEST(NamePattern, KeepsQuotedCharactersAsTheyAre) {
  EXPECT_TRUE(matches("\"q\"\"q\"", "q\"q"));
  EXPECT_TRUE(matches("q\"\"\"q\"", "q\"q"));
  EXPECT_TRUE(matches("\"a+b\"", "a+b"));
  EXPECT_TRUE(matches("\"a\\b\"", "a\\b"));
  EXPECT_TRUE(matches("\"a{\"b", "a{b"));
  EXPECT_TRUE(matches("\"; Type: ACL; Schema: x\"", "; Type: ACL; Schema: x"));
  EXPECT_TRUE(matches("\"t\t%s\\''q\"", "t\t%s\\''q"));
}

TEST(NamePattern, TakesDollarsAndEmptyBracketsLiterally) {
  EXPECT_TRUE(matches("x$y", "x$y"));
  EXPECT_TRUE(matches("\"x$y\"", "x$y"));
  EXPECT_TRUE(matches("ab[]", "ab[]"));
  EXPECT_TRUE(matches("ab[]1]", "ab[]1]"));
  EXPECT_TRUE(matches("a]", "a]"));
}

TEST(NamePattern, TakesTheRestAsARegularExpression) {
  EXPECT_TRUE(matches("ab[0-9]", "ab2"));
  EXPECT_TRUE(matches("ab[A-Z0-1]", "ab1"));
  EXPECT_TRUE(matches("ab[A-Z0-1]", "abx"));
  EXPECT_FALSE(matches("ab[A-Z0-1]", "ab2"));
  EXPECT_TRUE(matches("a[^b]b", "a+b"));
  EXPECT_FALSE(matches("a[^b]b", "abb"));
  EXPECT_TRUE(matches("ab[^]1]", "ab2"));
  EXPECT_FALSE(matches("ab[^]1]", "ab]"));
  EXPECT_TRUE(matches("ab[1-]", "ab-"));
  EXPECT_TRUE(matches("ab[\"1\"]", "ab1"));
  EXPECT_TRUE(matches("(foo|bar)", "bar"));
  EXPECT_TRUE(matches("foo|bar", "foo"));
  EXPECT_FALSE(matches("foo|bar", "foobar"));
  EXPECT_TRUE(matches("f(o+|)", "f"));
  EXPECT_TRUE(matches("f(o+|)", "fooo"));
  EXPECT_TRUE(matches("ab()1", "ab1"));
  EXPECT_TRUE(matches("a+b", "aab"));
  EXPECT_FALSE(matches("a+b", "a+b"));
  EXPECT_TRUE(matches("ab\\d", "ab1"));
  EXPECT_TRUE(matches("ab\\D", "ab1"));  // unquoted letters are folded, this one too
  EXPECT_TRUE(matches("a\\\\b", "a\\b"));
  EXPECT_TRUE(matches("^foo", "foo"));
  EXPECT_TRUE(matches("fo+*", "foo"));
}

TEST(NamePattern, RepeatsWithCounts) {
  EXPECT_TRUE(matches("a{2}b", "aab"));
  EXPECT_FALSE(matches("a{2}b", "ab"));
  EXPECT_TRUE(matches("f(o{1,2})", "foo"));
  EXPECT_FALSE(matches("f(o{1,2})", "fooo"));
  EXPECT_TRUE(matches("f{1,}oo", "fffoo"));
  EXPECT_FALSE(matches("f{1,}oo", "oo"));
  EXPECT_TRUE(matches("f{0}oo", "oo"));
  EXPECT_TRUE(matches("a{b", "a{b"));
  EXPECT_TRUE(matches("f{,1}oo", "f{,1}oo"));
}

TEST(NamePattern, CountsCharactersNotBytes) {
  EXPECT_TRUE(matches("?", "\xC3\xA9"));
  EXPECT_TRUE(matches("\xC3\xA9", "\xC3\xA9"));
  EXPECT_TRUE(matches("[\xC3\xA0-\xC3\xAF]", "\xC3\xA9"));
  EXPECT_TRUE(matches("???", "a\xE2\x82\xAC\xF0\x9F\x98\x80"));
  EXPECT_TRUE(matches("??", "\xFF\xC3"));
  EXPECT_FALSE(matches("?", "\xE2\x82"));
}

TEST(NamePattern, RefusesWhatMakesNoSense) {
  for (const char* pattern : {"a.b.c",
                              "\"foo",
                              "+a",
                              "a(",
                              "a)",
                              "(a|b",
                              "[",
                              "[a",
                              "[a-",
                              "[^",
                              "ab[2-1]",
                              "fo*+",
                              "fo++",
                              "fo+{2}",
                              "f(o{2,1})",
                              "fo{2",
                              "f{300}oo",
                              "f{1,x}",
                              "a\\",
                              "a\\.b",
                              "f\\oo",
                              "a\\1",
                              "a^b",
                              "[[:digit:]]",
                              "[\\d-z]",
                              "((a{255}){255}){255}",
                              "(((a{99}){99}){99}|b)"}) {
    try {
      NamePattern::parse(pattern);
      ADD_FAILURE() << pattern;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::usage);
      EXPECT_NE(std::string(error.what()).find(pattern), std::string::npos);
      EXPECT_FALSE(error.hint().empty());
    }
  }
}

TEST(NamePattern, DoesNotBacktrack) {
  const std::string name(2000, 'a');
  EXPECT_FALSE(matches("(a+)+b", name));
  EXPECT_FALSE(matches("*a*a*a*a*a*a*a*a*b", name));
  EXPECT_FALSE(matches("(a|a|(a|)+)+b", name));
}

}  // namespace
}  // namespace pana
