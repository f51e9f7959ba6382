#include "pg/schema_names.h"

#include <algorithm>

#include "pg/sql_lexer.h"

namespace pana {
namespace {

// Takes one name, quoted or not, from the front.
std::optional<std::string> take_name(std::string_view& text) {
  std::string name;
  if (text.empty()) return std::nullopt;
  if (text.front() != '"') {
    const std::size_t end = std::min(text.find('.'), text.size());
    name = text.substr(0, end);
    text.remove_prefix(end);
    return name;
  }
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] != '"') {
      name += text[i];
    } else if (i + 1 < text.size() && text[i + 1] == '"') {
      name += text[i++];
    } else {
      text.remove_prefix(i + 1);
      return name;
    }
  }
  return std::nullopt;
}

}  // namespace

std::vector<std::string> parse_name(std::string_view qualified) {
  std::vector<std::string> parts;
  while (std::optional<std::string> part = take_name(qualified)) {
    parts.push_back(std::move(*part));
    if (qualified.empty()) return parts;
    if (qualified.front() != '.') return {};
    qualified.remove_prefix(1);
  }
  return {};
}

std::optional<RelationName> parse_relation_name(std::string_view qualified) {
  std::vector<std::string> parts = parse_name(qualified);
  if (parts.size() != 2) return std::nullopt;
  return RelationName{.schema = std::move(parts[0]), .name = std::move(parts[1])};
}

std::optional<RelationName> sequence_of(std::string_view statement) {
  SqlLexemes lexemes(statement);
  if (!lexemes.skip({"SELECT"}) || lexemes.qualified_name() != "pg_catalog.setval" || lexemes.next() != "(") return std::nullopt;
  return parse_relation_name(parse_literal(lexemes.next()).value_or(""));
}

bool goes_with_its_table(std::string_view drop) {
  SqlLexemes lexemes(drop);
  return lexemes.skip({"DROP"}) &&
         (lexemes.skip({"INDEX"}) || lexemes.skip({"TRIGGER"}) || lexemes.skip({"RULE"}) || lexemes.skip({"POLICY"}));
}

std::optional<RelationName> relation_of_drop(std::string_view statement) {
  SqlLexemes lexemes(statement);
  if (!lexemes.skip({"ALTER"}) && !lexemes.skip({"DROP"})) return std::nullopt;
  if (!lexemes.skip({"MATERIALIZED"})) lexemes.skip({"FOREIGN"});
  if (!lexemes.skip({"TABLE"}) && !lexemes.skip({"VIEW"}) && !lexemes.skip({"SEQUENCE"})) return std::nullopt;
  lexemes.skip({"IF", "EXISTS"});
  lexemes.skip({"ONLY"});
  return parse_relation_name(lexemes.qualified_name());
}

std::optional<std::string> schema_of_drop(std::string_view statement) {
  SqlLexemes lexemes(statement);
  if (lexemes.skip({"DROP", "SCHEMA", "IF", "EXISTS"})) {
    std::vector<std::string> parts = parse_name(lexemes.qualified_name());
    return parts.size() == 1 ? std::optional(std::move(parts[0])) : std::nullopt;
  }
  while (true) {
    SqlLexemes ahead = lexemes;
    const std::vector<std::string> parts = parse_name(ahead.qualified_name());
    if (parts.size() > 1) return parts[0];
    if (lexemes.next().empty()) return std::nullopt;
  }
}

}  // namespace pana
