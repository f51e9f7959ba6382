#include "sql/role_names.h"

#include "sql/schema_names.h"
#include "sql/sql_lexer.h"

namespace pana {
namespace {

// a, "B", c: up to the first lexeme that is neither a name nor a comma behind one.
void take_list(SqlLexemes& lexemes, std::vector<std::string_view>& names) {
  while (true) {
    const std::string_view name = lexemes.next();
    if (name.empty() || name == ";") return;
    if (!is_keyword(name, "PUBLIC")) names.push_back(name);
    SqlLexemes rest = lexemes;
    if (rest.next() != ",") return;
    lexemes = rest;
  }
}

// Goes past the first of the keywords that stands outside of parentheses; false when there is none.
bool skip_past(SqlLexemes& lexemes, std::initializer_list<std::string_view> keywords) {
  int depth = 0;
  for (std::string_view lexeme = lexemes.next(); !lexeme.empty(); lexeme = lexemes.next()) {
    if (lexeme == "(") ++depth;
    if (lexeme == ")") --depth;
    if (depth > 0) continue;
    for (const std::string_view keyword : keywords) {
      if (is_keyword(lexeme, keyword)) return true;
    }
  }
  return false;
}

// GRANT SELECT (a) ON TABLE s.t TO r, REVOKE ALL ON FUNCTION s.f(integer) FROM r, and the same behind ALTER DEFAULT
// PRIVILEGES, which says ON TABLES. The columns of a privilege stand in parentheses, names of objects that could be
// taken for TO are quoted.
void take_grantees(SqlLexemes& lexemes, std::vector<std::string_view>& names) {
  if (skip_past(lexemes, {"ON"}) && skip_past(lexemes, {"TO", "FROM"})) take_list(lexemes, names);
}

}  // namespace

std::vector<std::string_view> role_names_in(const SchemaObject& object, const SchemaStatement& statement) {
  std::vector<std::string_view> names;
  SqlLexemes lexemes(statement.sql);
  if (statement.role == StatementRole::owner) {
    std::string_view before_last;
    for (std::string_view lexeme = lexemes.next(); !lexeme.empty() && lexeme != ";"; lexeme = lexemes.next())
      before_last = lexeme;
    names.push_back(before_last);
  } else if (statement.role == StatementRole::privilege) {
    if (lexemes.skip({"SET", "SESSION", "AUTHORIZATION"})) {
      take_list(lexemes, names);
    } else if (lexemes.skip({"ALTER", "DEFAULT", "PRIVILEGES"})) {
      if (lexemes.skip({"FOR", "ROLE"})) take_list(lexemes, names);
      take_grantees(lexemes, names);
    } else if (!lexemes.skip({"RESET"})) {
      take_grantees(lexemes, names);
    }
  } else if (object.type == "USER MAPPING") {
    if (lexemes.skip({"CREATE", "USER", "MAPPING", "FOR"})) take_list(lexemes, names);
  } else if (object.type == "POLICY" && lexemes.skip({"CREATE", "POLICY"})) {
    lexemes.next();  // its name
    if (!lexemes.skip({"ON"})) return names;
    lexemes.qualified_name();
    // Before the conditions alone: AS RESTRICTIVE FOR SELECT TO r USING (...)
    for (std::string_view lexeme = lexemes.next();
         !lexeme.empty() && !is_keyword(lexeme, "USING") && !is_keyword(lexeme, "WITH"); lexeme = lexemes.next()) {
      if (!is_keyword(lexeme, "TO")) continue;
      take_list(lexemes, names);
      break;
    }
  }
  return names;
}

}  // namespace pana
