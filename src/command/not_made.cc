#include "command/not_made.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "sql/schema_names.h"
#include "sql/sql_lexer.h"

namespace pana {
namespace {

// How pg_dump calls an object in the entries of its comment, its security label and its grants, where that is not the type of its own entry.
const std::multimap<std::string_view, std::string_view> kOtherNames = {
    {"AGGREGATE", "FUNCTION"}, {"DOMAIN", "TYPE"}, {"SERVER", "FOREIGN SERVER"}, {"PROCEDURAL LANGUAGE", "LANGUAGE"}};

bool makes_relation(std::string_view type) {
  return type == "TABLE" || type == "VIEW" || type == "MATERIALIZED VIEW" || type == "FOREIGN TABLE" || type == "SEQUENCE";
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

}  // namespace

void NotMade::add(const SchemaObject& object) {
  described_.insert({object.schema, object.type + " " + object.name});
  const auto [begin, end] = kOtherNames.equal_range(object.type);
  for (auto other = begin; other != end; ++other) described_.insert({object.schema, std::string(other->second) + " " + object.name});
  if (object.type == "BLOB") large_objects_.insert(object.object_id);
  if (object.type == "TYPE") relations_.insert({.schema = object.schema, .name = object.name});  // its columns can have comments
  if (!makes_relation(object.type) || !object.relation) return;
  const bool is_identity = object.type == "SEQUENCE" && object.refers_to;
  relations_.insert(is_identity ? *object.refers_to : *object.relation);
}

bool NotMade::is_of_one(const SchemaObject& object) const {
  if (object.is_of_large_object) return large_objects_.contains(object.object_id);
  if (object.relation && relations_.contains(*object.relation)) return true;
  if (object.refers_to && relations_.contains(*object.refers_to)) return true;
  if (!relations_.empty() && std::ranges::any_of(parents_of(object), [this](const RelationName& parent) { return relations_.contains(parent); })) return true;
  if (object.publication && described_.contains({"-", "PUBLICATION " + *object.publication})) return true;
  constexpr std::string_view kOfServer = " SERVER ";
  if (const std::size_t server = object.name.rfind(kOfServer); object.type == "USER MAPPING" && server != std::string::npos) {
    return described_.contains({object.schema, object.name.substr(server + 1)});
  }
  const bool is_said = object.type == "COMMENT" || object.type == "SECURITY LABEL" || object.type == "ACL";
  return is_said && described_.contains({object.schema, object.name});
}

}  // namespace pana
