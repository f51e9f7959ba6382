#include "command/not_made.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "sql/schema_names.h"
#include "sql/sql_lexer.h"

namespace pana {
namespace {

using Named = NotMade::Named;

bool makes_relation(std::string_view type) {
  return type == "TABLE" || type == "VIEW" || type == "MATERIALIZED VIEW" || type == "FOREIGN TABLE" || type == "SEQUENCE";
}

// One word for what GRANT, COMMENT and CREATE call differently.
std::string_view kind_of(std::string_view type) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kSame = {{{"PROCEDURE", "FUNCTION"}, {"AGGREGATE", "FUNCTION"}, {"DOMAIN", "TYPE"},
                                                                                   {"FOREIGN SERVER", "SERVER"}, {"PROCEDURAL LANGUAGE", "LANGUAGE"}}};
  const auto same = std::ranges::find(kSame, type, &std::pair<std::string_view, std::string_view>::first);
  return same == kSame.end() ? type : same->second;
}

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
std::optional<Named> read_named(SqlLexemes& lexemes) {
  constexpr std::array<std::string_view, 27> kKinds = {
      "FUNCTION", "PROCEDURE", "AGGREGATE", "TYPE", "DOMAIN", "INDEX", "STATISTICS", "COLLATION", "CONVERSION", "SCHEMA", "EXTENSION", "FOREIGN DATA WRAPPER",
      "FOREIGN SERVER", "SERVER", "EVENT TRIGGER", "LANGUAGE", "PROCEDURAL LANGUAGE", "PUBLICATION", "SUBSCRIPTION", "ACCESS METHOD", "OPERATOR CLASS",
      "OPERATOR FAMILY", "OPERATOR", "TEXT SEARCH CONFIGURATION", "TEXT SEARCH DICTIONARY", "TEXT SEARCH PARSER", "TEXT SEARCH TEMPLATE"};
  const auto kind = std::ranges::find_if(kKinds, [&lexemes](std::string_view words) { return skip_words(lexemes, words); });
  if (kind == kKinds.end()) return std::nullopt;
  if (*kind == "OPERATOR") {  // public.=== is no name
    const std::vector<std::string> schema = parse_name(lexemes.next());
    std::string symbol;
    for (std::string_view lexeme = lexemes.next(); !lexeme.empty() && lexeme != "("; lexeme = lexemes.next()) symbol += lexeme;
    return schema.size() == 1 && symbol.starts_with(".") ? std::optional(Named(*kind, schema[0], symbol.substr(1))) : std::nullopt;
  }
  const std::vector<std::string> name = parse_name(lexemes.qualified_name());
  if (name.empty() || name.size() > 2) return std::nullopt;
  return Named(kind_of(*kind), name.size() == 2 ? name.front() : "", name.back());
}

// What the statement is about: COMMENT ON, SECURITY LABEL FOR ... ON, GRANT ... ON and REVOKE ... ON something, or on a constraint of a
// domain; ALTER DOMAIN; the family of a CREATE OPERATOR CLASS.
std::optional<Named> subject_of_statement(const SchemaStatement& statement) {
  SqlLexemes lexemes(statement.sql);
  if (SqlLexemes domain = lexemes; domain.skip({"ALTER"})) return read_named(domain);
  if (lexemes.skip({"CREATE", "OPERATOR", "CLASS"})) {
    for (std::string_view lexeme = lexemes.next(); !lexeme.empty(); lexeme = lexemes.next()) {
      if (!is_keyword(lexeme, "FAMILY")) continue;
      const std::vector<std::string> family = parse_name(lexemes.qualified_name());
      return family.size() == 2 ? std::optional(Named("OPERATOR FAMILY", family[0], family[1])) : std::nullopt;
    }
    return std::nullopt;
  }
  const bool is_said = lexemes.skip({"COMMENT"}) || lexemes.skip({"SECURITY", "LABEL"}) || lexemes.skip({"GRANT"}) || lexemes.skip({"REVOKE"});
  for (std::string_view lexeme = is_said ? lexemes.next() : ""; !lexeme.empty(); lexeme = lexemes.next()) {
    if (!is_keyword(lexeme, "ON")) continue;
    if (!lexemes.skip({"CONSTRAINT"})) return read_named(lexemes);
    lexemes.next();
    return lexemes.skip({"ON"}) ? read_named(lexemes) : std::nullopt;
  }
  return std::nullopt;
}

// CREATE TABLE ... ( ... ) INHERITS (a, b)
std::vector<RelationName> parents_of(const SchemaObject& object) {
  std::vector<RelationName> parents;
  if ((object.type != "TABLE" && object.type != "FOREIGN TABLE") || object.statements.empty()) return parents;
  SqlLexemes lexemes(object.statements.front().sql);
  int depth = 0;
  bool has_columns = false;  // before them stands the table's own name
  for (std::string_view lexeme = lexemes.next(); !lexeme.empty(); lexeme = lexemes.next()) {
    depth += lexeme == "(" ? 1 : lexeme == ")" ? -1 : 0;
    has_columns = has_columns || depth > 0;
    if (depth > 0 || !has_columns || !is_keyword(lexeme, "INHERITS")) continue;
    lexemes.next();  // "("
    do {
      if (std::optional<RelationName> parent = parse_relation_name(lexemes.qualified_name())) parents.push_back(std::move(*parent));
    } while (lexemes.next() == ",");
    break;
  }
  return parents;
}

// By which the entries of comments and grants call the object.
std::string name_of(const SchemaObject& object) {
  if (kind_of(object.type) == "FUNCTION") return object.name.substr(0, object.name.find('('));
  if (object.type == "CONSTRAINT" && object.relation) return object.name.substr(std::min(object.relation->name.size() + 1, object.name.size()));
  return object.name;
}

}  // namespace

void NotMade::add(const SchemaObject& object) {
  // A key has an index of its name.
  const std::string_view kind = object.type == "CONSTRAINT" ? "INDEX" : kind_of(object.type);
  named_.insert({std::string(kind), object.schema == "-" ? "" : object.schema, name_of(object)});
  if (object.type == "BLOB") large_objects_.insert(object.object_id);
  if (object.type == "TYPE") relations_.insert({.schema = object.schema, .name = object.name});  // its columns can have comments
  if (!makes_relation(object.type) || !object.relation) return;
  const bool is_identity = object.type == "SEQUENCE" && object.refers_to;
  relations_.insert(is_identity ? *object.refers_to : *object.relation);
}

bool NotMade::is_of_one(const SchemaObject& object) const {
  if (named_.empty()) return false;
  if (object.is_of_large_object) return large_objects_.contains(object.object_id);
  if (object.relation && relations_.contains(*object.relation)) return true;
  if (object.refers_to && relations_.contains(*object.refers_to)) return true;
  if (std::ranges::any_of(parents_of(object), [this](const RelationName& parent) { return relations_.contains(parent); })) return true;
  if (object.publication && named_.contains({"PUBLICATION", "", *object.publication})) return true;
  constexpr std::string_view kOfServer = " SERVER ";
  if (const std::size_t server = object.name.rfind(kOfServer); object.type == "USER MAPPING" && server != std::string::npos) {
    return named_.contains({"SERVER", "", object.name.substr(server + kOfServer.size())});
  }
  constexpr std::array kSaid = {"COMMENT", "SECURITY LABEL", "ACL", "CHECK CONSTRAINT", "OPERATOR CLASS"};
  if (std::ranges::find(kSaid, object.type) == kSaid.end()) return false;
  return std::ranges::any_of(object.statements, [this](const SchemaStatement& statement) {
    const std::optional<Named> subject = subject_of_statement(statement);
    return subject && named_.contains(*subject);
  });
}

}  // namespace pana
