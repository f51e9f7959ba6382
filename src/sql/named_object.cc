#include "sql/named_object.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "sql/sql_lexer.h"

namespace pana {
namespace {

// Goes past the words if all of them come next.
bool skip_words(SqlLexemes& lexemes, std::string_view words) {
  SqlLexemes rest = lexemes;
  while (!words.empty()) {
    const std::size_t end = std::min(words.find(' '), words.size());
    if (!is_keyword(rest.next(), words.substr(0, end))) return false;
    words.remove_prefix(std::min(end + 1, words.size()));
  }
  lexemes = rest;
  return true;
}

// "TYPE public.mood", with the kind in one word or more; nothing where it is none of those that can be looked up.
std::optional<NamedObject> read_named(SqlLexemes& lexemes) {
  constexpr std::array<std::string_view, 27> kKinds = {"FUNCTION",
                                                       "PROCEDURE",
                                                       "AGGREGATE",
                                                       "TYPE",
                                                       "DOMAIN",
                                                       "INDEX",
                                                       "STATISTICS",
                                                       "COLLATION",
                                                       "CONVERSION",
                                                       "SCHEMA",
                                                       "EXTENSION",
                                                       "FOREIGN DATA WRAPPER",
                                                       "FOREIGN SERVER",
                                                       "SERVER",
                                                       "EVENT TRIGGER",
                                                       "LANGUAGE",
                                                       "PROCEDURAL LANGUAGE",
                                                       "PUBLICATION",
                                                       "SUBSCRIPTION",
                                                       "ACCESS METHOD",
                                                       "OPERATOR CLASS",
                                                       "OPERATOR FAMILY",
                                                       "OPERATOR",
                                                       "TEXT SEARCH CONFIGURATION",
                                                       "TEXT SEARCH DICTIONARY",
                                                       "TEXT SEARCH PARSER",
                                                       "TEXT SEARCH TEMPLATE"};
  const auto kind =
      std::ranges::find_if(kKinds, [&lexemes](std::string_view words) { return skip_words(lexemes, words); });
  if (kind == kKinds.end()) return std::nullopt;
  if (*kind == "OPERATOR") {  // public.=== is no name
    const std::vector<std::string> schema = parse_name(lexemes.next());
    std::string symbol;
    for (std::string_view lexeme = lexemes.next(); !lexeme.empty() && lexeme != "("; lexeme = lexemes.next())
      symbol += lexeme;
    return schema.size() == 1 && symbol.starts_with(".")
               ? std::optional(NamedObject{.kind = std::string(*kind), .schema = schema[0], .name = symbol.substr(1)})
               : std::nullopt;
  }
  const std::vector<std::string> name = parse_name(lexemes.qualified_name());
  if (name.empty() || name.size() > 2) return std::nullopt;
  return NamedObject{
      .kind = std::string(kind_of(*kind)), .schema = name.size() == 2 ? name.front() : "", .name = name.back()};
}

}  // namespace

std::string_view kind_of(std::string_view type) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kSame = {
      {{"PROCEDURE", "FUNCTION"},
       {"AGGREGATE", "FUNCTION"},
       {"DOMAIN", "TYPE"},
       {"FOREIGN SERVER", "SERVER"},
       {"PROCEDURAL LANGUAGE", "LANGUAGE"}}};
  const auto same = std::ranges::find(kSame, type, &std::pair<std::string_view, std::string_view>::first);
  return same == kSame.end() ? type : same->second;
}

std::optional<NamedObject> described_object(std::string_view statement) {
  SqlLexemes lexemes(statement);
  if (SqlLexemes domain = lexemes; domain.skip({"ALTER"})) return read_named(domain);
  if (lexemes.skip({"CREATE", "OPERATOR", "CLASS"})) {
    for (std::string_view lexeme = lexemes.next(); !lexeme.empty(); lexeme = lexemes.next()) {
      if (!is_keyword(lexeme, "FAMILY")) continue;
      const std::vector<std::string> family = parse_name(lexemes.qualified_name());
      return family.size() == 2
                 ? std::optional(NamedObject{.kind = "OPERATOR FAMILY", .schema = family[0], .name = family[1]})
                 : std::nullopt;
    }
    return std::nullopt;
  }
  const bool is_said = lexemes.skip({"COMMENT"}) || lexemes.skip({"SECURITY", "LABEL"}) || lexemes.skip({"GRANT"}) ||
                       lexemes.skip({"REVOKE"});
  for (std::string_view lexeme = is_said ? lexemes.next() : ""; !lexeme.empty(); lexeme = lexemes.next()) {
    if (!is_keyword(lexeme, "ON")) continue;
    if (!lexemes.skip({"CONSTRAINT"})) return read_named(lexemes);
    lexemes.next();
    return lexemes.skip({"ON"}) ? read_named(lexemes) : std::nullopt;
  }
  return std::nullopt;
}

std::vector<RelationName> parents_of(std::string_view create_table) {
  std::vector<RelationName> parents;
  SqlLexemes lexemes(create_table);
  int depth = 0;
  bool has_columns = false;  // before them stands the table's own name
  for (std::string_view lexeme = lexemes.next(); !lexeme.empty(); lexeme = lexemes.next()) {
    depth += lexeme == "(" ? 1 : lexeme == ")" ? -1 : 0;
    has_columns = has_columns || depth > 0;
    if (depth > 0 || !has_columns || !is_keyword(lexeme, "INHERITS")) continue;
    lexemes.next();  // "("
    do {
      if (std::optional<RelationName> parent = parse_relation_name(lexemes.qualified_name()))
        parents.push_back(std::move(*parent));
    } while (lexemes.next() == ",");
    break;
  }
  return parents;
}

}  // namespace pana
