#include "sql/schema_names.h"

#include <algorithm>

#include "sql/sql_lexer.h"

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

std::optional<std::string> parse_simple_name(std::string_view name) {
  std::vector<std::string> parts = parse_name(name);
  return parts.size() == 1 ? std::optional(std::move(parts[0])) : std::nullopt;
}

std::optional<RelationName> parse_relation_name(std::string_view qualified) {
  std::vector<std::string> parts = parse_name(qualified);
  if (parts.size() != 2) return std::nullopt;
  return RelationName{.schema = std::move(parts[0]), .name = std::move(parts[1])};
}

std::optional<RelationName> sequence_of(std::string_view statement) {
  SqlLexemes lexemes(statement);
  if (!lexemes.skip({"SELECT"}) || lexemes.qualified_name() != "pg_catalog.setval" || lexemes.next() != "(")
    return std::nullopt;
  return parse_relation_name(parse_literal(lexemes.next()).value_or(""));
}

bool DropStatement::goes_with_its_table() const {
  return kind == "INDEX" || kind == "TRIGGER" || kind == "RULE" || kind == "POLICY" || kind == "STATISTICS";
}

DropStatement understand_drop(std::string_view statement) {
  DropStatement drop;
  SqlLexemes lexemes(statement);
  if (lexemes.skip({"SELECT"})) {
    drop.kind = "LARGE OBJECTS";
    return drop;
  }
  const bool is_alter = lexemes.skip({"ALTER"});
  // A view in whose place one without its query is put, so that nothing depends on it any more.
  const bool is_drop = !is_alter && !lexemes.skip({"CREATE", "OR", "REPLACE"});
  if (is_drop) lexemes.next();
  for (SqlLexemes ahead = lexemes;; lexemes = ahead) {
    const std::string_view word = ahead.next();
    const bool is_word = std::ranges::all_of(word, [](char c) { return c >= 'A' && c <= 'Z'; });
    if (word.empty() || !is_word || is_keyword(word, "IF") || is_keyword(word, "ONLY") || is_keyword(word, "FOR"))
      break;
    drop.kind += (drop.kind.empty() ? "" : " ") + std::string(word);
  }
  lexemes.skip({"IF", "EXISTS"});
  lexemes.skip({"ONLY"});
  if (drop.kind == "OPERATOR") {  // shop.=== (integer, integer)
    const std::vector<std::string> schema = parse_name(lexemes.next());
    if (schema.size() == 1 && lexemes.next() == ".") drop.schema = schema[0];
    return drop;
  }
  std::vector<std::string> name = parse_name(lexemes.qualified_name());
  if (name.size() > 1) drop.schema = name[0];
  if (name.size() == 1) (drop.kind == "SCHEMA" ? drop.schema : drop.name) = name[0];
  const bool is_relation = drop.kind == "TABLE" || drop.kind == "VIEW" || drop.kind == "MATERIALIZED VIEW" ||
                           drop.kind == "FOREIGN TABLE" || drop.kind == "SEQUENCE";
  if (is_relation && name.size() == 2)
    drop.relation = RelationName{.schema = std::move(name[0]), .name = std::move(name[1])};
  if (is_alter) drop.kind = "ALTER " + drop.kind;
  return drop;
}

}  // namespace pana
