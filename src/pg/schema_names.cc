#include "pg/schema_names.h"

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

// The parts of a name with any number of dots.
std::vector<std::string> parse_parts(std::string_view text) {
  std::vector<std::string> parts;
  while (std::optional<std::string> part = take_name(text)) {
    parts.push_back(std::move(*part));
    if (text.empty()) return parts;
    if (text.front() != '.') return {};
    text.remove_prefix(1);
  }
  return {};
}

std::optional<RelationName> relation_name(SqlLexemes& lexemes) {
  return parse_relation_name(lexemes.qualified_name());
}

// Goes on to the first of the keywords outside of parentheses that is followed by a qualified name.
std::optional<RelationName> name_after(SqlLexemes lexemes, std::initializer_list<std::string_view> keywords) {
  for (std::string_view lexeme = lexemes.next(); !lexeme.empty(); lexeme = lexemes.next()) {
    for (const std::string_view keyword : keywords) {
      if (!is_keyword(lexeme, keyword)) continue;
      SqlLexemes rest = lexemes;
      rest.skip({"ONLY"});
      if (std::optional<RelationName> name = relation_name(rest)) return name;
    }
  }
  return std::nullopt;
}

// COMMENT ON TABLE t, COMMENT ON COLUMN t.c, COMMENT ON CONSTRAINT k ON t ...
std::optional<RelationName> commented_relation(SqlLexemes lexemes) {
  if (!lexemes.skip({"COMMENT", "ON"})) return std::nullopt;
  const std::string_view kind = lexemes.next();
  if (is_keyword(kind, "TABLE") || is_keyword(kind, "SEQUENCE")) return relation_name(lexemes);
  if (is_keyword(kind, "COLUMN")) {
    std::vector<std::string> parts = parse_parts(lexemes.qualified_name());
    if (parts.size() != 3) return std::nullopt;
    return RelationName{.schema = std::move(parts[0]), .name = std::move(parts[1])};
  }
  if (is_keyword(kind, "CONSTRAINT") || is_keyword(kind, "TRIGGER") || is_keyword(kind, "POLICY") ||
      is_keyword(kind, "RULE")) {
    return name_after(lexemes, {"ON"});
  }
  return std::nullopt;
}

// CREATE TABLE t, CREATE UNLOGGED TABLE t, CREATE SEQUENCE s
std::optional<RelationName> created_relation(SqlLexemes lexemes) {
  if (!lexemes.skip({"CREATE"})) return std::nullopt;
  lexemes.skip({"UNLOGGED"});
  if (!lexemes.skip({"TABLE"}) && !lexemes.skip({"SEQUENCE"})) return std::nullopt;
  return relation_name(lexemes);
}

}  // namespace

std::optional<RelationName> parse_relation_name(std::string_view qualified) {
  std::vector<std::string> parts = parse_parts(qualified);
  if (parts.size() != 2) return std::nullopt;
  return RelationName{.schema = std::move(parts[0]), .name = std::move(parts[1])};
}

std::optional<RelationName> relation_of(const SchemaEntry& entry) {
  std::vector<std::string> statements = statements_of(entry.text);
  std::erase_if(statements, is_default_setting);
  if (statements.empty()) return std::nullopt;
  const SqlLexemes lexemes(statements.front());
  const std::string_view type = entry.type;
  if (type == "TABLE" || type == "SEQUENCE") return created_relation(lexemes);
  if (type == "COMMENT") return commented_relation(lexemes);
  if (type == "TABLE ATTACH") return name_after(lexemes, {"PARTITION"});
  if (type == "RULE") return name_after(lexemes, {"TO"});
  if (type == "STATISTICS") return name_after(lexemes, {"FROM"});
  if (type == "TRIGGER" || type == "POLICY" || type == "INDEX") return name_after(lexemes, {"ON"});
  if (type == "ACL") return name_after(lexemes, {"TABLE", "SEQUENCE"});
  if (type == "SEQUENCE OWNED BY") return name_after(lexemes, {"SEQUENCE"});
  if (type == "CONSTRAINT" || type == "FK CONSTRAINT" || type == "CHECK CONSTRAINT" || type == "DEFAULT" ||
      type == "ROW SECURITY") {
    return name_after(lexemes, {"TABLE"});
  }
  return std::nullopt;
}

std::optional<std::string> schema_of_drop(std::string_view statement) {
  SqlLexemes lexemes(statement);
  if (lexemes.skip({"DROP", "SCHEMA", "IF", "EXISTS"})) {
    std::vector<std::string> parts = parse_parts(lexemes.qualified_name());
    return parts.size() == 1 ? std::optional(std::move(parts[0])) : std::nullopt;
  }
  while (true) {
    SqlLexemes ahead = lexemes;
    const std::vector<std::string> parts = parse_parts(ahead.qualified_name());
    if (parts.size() > 1) return parts[0];
    if (lexemes.next().empty()) return std::nullopt;
  }
}

std::optional<SequenceOwner> sequence_owner(const SchemaEntry& entry) {
  if (entry.type != "SEQUENCE OWNED BY") return std::nullopt;
  std::vector<std::string> statements = statements_of(entry.text);
  std::erase_if(statements, is_default_setting);
  if (statements.empty()) return std::nullopt;
  SqlLexemes lexemes(statements.front());
  if (!lexemes.skip({"ALTER", "SEQUENCE"})) return std::nullopt;
  std::optional<RelationName> sequence = relation_name(lexemes);
  if (!sequence || !lexemes.skip({"OWNED", "BY"})) return std::nullopt;
  std::vector<std::string> parts = parse_parts(lexemes.qualified_name());
  if (parts.size() != 3) return std::nullopt;
  return SequenceOwner{.sequence = std::move(*sequence),
                       .table = {.schema = std::move(parts[0]), .name = std::move(parts[1])}};
}

}  // namespace pana
