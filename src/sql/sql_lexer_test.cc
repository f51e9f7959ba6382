#include "sql/sql_lexer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace pana {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct Token {
  SqlTokenKind kind;
  std::string text;
  bool operator==(const Token&) const = default;
};

std::vector<Token> tokens_of(std::string_view text, std::size_t piece_bytes) {
  std::vector<Token> tokens;
  SqlLexer lexer;
  const auto take = [&] {
    while (const std::optional<SqlToken> token = lexer.next())
      tokens.push_back({token->kind, std::string(token->text)});
  };
  for (std::size_t at = 0; at < text.size(); at += piece_bytes) {
    lexer.feed(text.substr(at, piece_bytes));
    take();
  }
  lexer.finish();
  take();
  return tokens;
}

// The statements of a text, which must come out the same however it is cut.
std::vector<std::string> statements(std::string_view text) {
  const std::vector<Token> tokens = tokens_of(text, text.size() + 1);
  for (const std::size_t piece_bytes : {1u, 2u, 3u, 7u}) EXPECT_EQ(tokens_of(text, piece_bytes), tokens) << text;
  std::string all;
  std::vector<std::string> result;
  for (const Token& token : tokens) {
    all += token.text;
    if (token.kind == SqlTokenKind::statement) result.push_back(token.text);
  }
  EXPECT_EQ(all, text);
  return result;
}

TEST(SqlLexer, EndsStatementsAtSemicolons) {
  EXPECT_THAT(statements("SELECT 1; SELECT 2;;\nSELECT"), ElementsAre("SELECT 1;", "SELECT 2;", ";", "SELECT"));
  EXPECT_THAT(statements(""), IsEmpty());
  EXPECT_THAT(statements(" \n\t "), IsEmpty());
}

TEST(SqlLexer, TellsBlanksCommentsMetaCommandsAndStatementsApart) {
  EXPECT_EQ(tokens_of("--\n-- a;\n\n/* b; /* c */ */ \\restrict x;'\nSELECT -- d;\n 1;--e", 99),
            (std::vector<Token>{{SqlTokenKind::comment, "--\n"},
                                {SqlTokenKind::comment, "-- a;\n"},
                                {SqlTokenKind::blank, "\n"},
                                {SqlTokenKind::comment, "/* b; /* c */ */"},
                                {SqlTokenKind::blank, " "},
                                {SqlTokenKind::meta_command, "\\restrict x;'\n"},
                                {SqlTokenKind::statement, "SELECT -- d;\n 1;"},
                                {SqlTokenKind::comment, "--e"}}));
}

TEST(SqlLexer, SkipsSemicolonsInQuotes) {
  EXPECT_THAT(statements("SELECT 'a;''b;'; SELECT \"c;\"\"d;\";"),
              ElementsAre("SELECT 'a;''b;';", "SELECT \"c;\"\"d;\";"));
  EXPECT_THAT(statements("SELECT U&'\\0061;', U&\"d;\", N'e;', B'1;', X'f;'; x"),
              ElementsAre("SELECT U&'\\0061;', U&\"d;\", N'e;', B'1;', X'f;';", "x"));
}

TEST(SqlLexer, KnowsBackslashesOnlyInEscapeStrings) {
  EXPECT_THAT(statements("SELECT 'a\\'; SELECT E'b\\';\\\\'; SELECT e'c\\''';''\\';'; x"),
              ElementsAre("SELECT 'a\\';", "SELECT E'b\\';\\\\';", "SELECT e'c\\''';''\\';';", "x"));
  EXPECT_THAT(statements("SELECT fooE'a\\'; SELECT E 'b\\'; SELECT E/**/'c\\'; x"),
              ElementsAre("SELECT fooE'a\\';", "SELECT E 'b\\';", "SELECT E/**/'c\\';", "x"));
}

TEST(SqlLexer, EndsADollarQuoteAtItsOwnTag) {
  EXPECT_THAT(statements("DO $$a;'$b$;$ $$; x"), ElementsAre("DO $$a;'$b$;$ $$;", "x"));
  EXPECT_THAT(statements("DO $a$ ; $b$ ; $$ ; $a ; $a$; x"), ElementsAre("DO $a$ ; $b$ ; $$ ; $a ; $a$;", "x"));
  EXPECT_THAT(statements("DO $a$ ;$b$a$; x"), ElementsAre("DO $a$ ;$b$a$;", "x"));
  EXPECT_THAT(statements("DO $\xC3\xA9$;$\xC3\xA9$; x"), ElementsAre("DO $\xC3\xA9$;$\xC3\xA9$;", "x"));
}

TEST(SqlLexer, KnowsDollarsThatAreNoQuotes) {
  EXPECT_THAT(statements("SELECT a$b$; SELECT a$b$;"), ElementsAre("SELECT a$b$;", "SELECT a$b$;"));
  EXPECT_THAT(statements("SELECT $1; SELECT $1$; SELECT $a; SELECT $E'\\';' ;"),
              ElementsAre("SELECT $1;", "SELECT $1$;", "SELECT $a;", "SELECT $E'\\';' ;"));
  EXPECT_THAT(statements("SELECT 1$$;$$; x $"), ElementsAre("SELECT 1$$;$$;", "x $"));
}

TEST(SqlLexer, SeesCommentsWithinOperators) {
  EXPECT_THAT(statements("SELECT 1<--;\n2; SELECT 3*/*;*/4; SELECT 5 */;"),
              ElementsAre("SELECT 1<--;\n2;", "SELECT 3*/*;*/4;", "SELECT 5 */;"));
  EXPECT_THAT(statements("SELECT - -1; SELECT 1 /;"), ElementsAre("SELECT - -1;", "SELECT 1 /;"));
  EXPECT_THAT(statements("/*/;*/x; /**/y; /***/z; /*/**/;*/w"), ElementsAre("x;", "y;", "z;", "w"));
  EXPECT_THAT(statements("x --;\r;y"), ElementsAre("x --;\r;", "y"));
}

TEST(SqlLexer, KeepsParenthesesTogether) {
  EXPECT_THAT(statements("CREATE RULE r AS DO (SELECT 1; SELECT (2);); x"),
              ElementsAre("CREATE RULE r AS DO (SELECT 1; SELECT (2););", "x"));
  EXPECT_THAT(statements("SELECT ')', \"(\" ); x;"), ElementsAre("SELECT ')', \"(\" );", "x;"));
}

TEST(SqlLexer, KeepsTheBodyOfARoutineTogether) {
  const std::string body =
      "BEGIN ATOMIC SELECT CASE WHEN a THEN 1 ELSE CASE b WHEN 1 THEN 2 END END; SELECT (CASE 1); END;";
  for (const std::string start : {"CREATE FUNCTION f() ", "create or replace function f() ", "CREATE PROCEDURE p() ",
                                  "CREATE /* x */ OR\nREPLACE PROCEDURE p() "}) {
    EXPECT_THAT(statements(start + body + "SELECT 1;"), ElementsAre(start + body, "SELECT 1;"));
  }
  EXPECT_THAT(statements("CREATE VIEW v BEGIN ATOMIC; END;"), ElementsAre("CREATE VIEW v BEGIN ATOMIC;", "END;"));
  EXPECT_THAT(statements("BEGIN; SELECT 1; END;"), ElementsAre("BEGIN;", "SELECT 1;", "END;"));
}

TEST(SqlLexer, IsNotMisledByNamesLikeBegin) {
  EXPECT_THAT(statements("CREATE FUNCTION app.begin(atomic int) LANGUAGE sql AS 'x'; x"),
              ElementsAre("CREATE FUNCTION app.begin(atomic int) LANGUAGE sql AS 'x';", "x"));
  EXPECT_THAT(statements("CREATE FUNCTION f() BEGIN ATOMIC SELECT 1 AS begin, 2 AS \"end\"; END; x"),
              ElementsAre("CREATE FUNCTION f() BEGIN ATOMIC SELECT 1 AS begin, 2 AS \"end\"; END;", "x"));
}

TEST(SqlLexer, TakesWhatIsLeftOpenAsOneStatement) {
  for (const std::string text : {"SELECT 'a;", "SELECT \"a;", "SELECT $$a;", "SELECT /*;", "SELECT (;", "E'\\"}) {
    EXPECT_THAT(statements(text), ElementsAre(text));
  }
}

TEST(SqlLexemes, LeavesOutBlanksAndComments) {
  SqlLexemes lexemes("ALTER -- x\n/* y */TABLE \"a \"\"b\".c$1 ADD(x'1',$$;$$)>=12;");
  std::vector<std::string> all;
  for (std::string_view lexeme = lexemes.next(); !lexeme.empty(); lexeme = lexemes.next()) all.emplace_back(lexeme);
  EXPECT_THAT(all, ElementsAre("ALTER", "TABLE", "\"a \"\"b\"", ".", "c$1", "ADD", "(", "x", "'1'", ",", "$$;$$", ")",
                               ">", "=", "12", ";"));
}

TEST(SqlLexemes, SkipsKeywordsTogetherOrNotAtAll) {
  SqlLexemes lexemes("create If nOt \"EXISTS\"");
  EXPECT_FALSE(lexemes.skip({"ALTER"}));
  EXPECT_TRUE(lexemes.skip({"CREATE"}));
  EXPECT_FALSE(lexemes.skip({"IF", "NOT", "EXISTS"}));
  EXPECT_TRUE(lexemes.skip({"IF", "NOT"}));
  EXPECT_EQ(lexemes.next(), "\"EXISTS\"");
  EXPECT_FALSE(lexemes.skip({"IF"}));
}

TEST(SqlLexemes, ReadsQualifiedNames) {
  SqlLexemes lexemes(" public.\"Odd \"\".na;me\" x, .");
  EXPECT_EQ(lexemes.qualified_name(), "public.\"Odd \"\".na;me\"");
  EXPECT_EQ(lexemes.qualified_name(), "x");
  EXPECT_EQ(lexemes.qualified_name(), "");
  EXPECT_EQ(lexemes.next(), ",");
}

TEST(PsqlMisreads, AreFunctionsInWhichSomethingIsCalledBegin) {
  const std::string atomic = "CREATE FUNCTION s.f(\"begin\" int) RETURNS int\n    LANGUAGE sql\n    BEGIN ATOMIC\n ";
  EXPECT_FALSE(is_misread_by_psql(atomic + "SELECT CASE WHEN (begin > 1) THEN 'begin' ELSE \"begin\" END;\nEND;"));
  EXPECT_TRUE(is_misread_by_psql(atomic + "SELECT t.begin FROM s.t;\nEND;"));
  EXPECT_TRUE(is_misread_by_psql("CREATE FUNCTION public.begin() RETURNS int LANGUAGE sql AS $$SELECT 1$$;"));
  EXPECT_FALSE(is_misread_by_psql("CREATE FUNCTION s.f() RETURNS int LANGUAGE plpgsql AS $$BEGIN RETURN 1; END$$;"));
  EXPECT_FALSE(is_misread_by_psql("CREATE TABLE s.t (id int, begin int);"));
}

}  // namespace
}  // namespace pana
