#include "command/not_made.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

namespace pana {
namespace {

bool makes_relation(std::string_view type) {
  return type == "TABLE" || type == "VIEW" || type == "MATERIALIZED VIEW" || type == "FOREIGN TABLE" ||
         type == "SEQUENCE";
}

// By which the entries of comments and grants call the object.
std::string name_of(const SchemaObject& object) {
  if (kind_of(object.type) == "FUNCTION") return object.name.substr(0, object.name.find('('));
  if (object.type == "CONSTRAINT" && object.relation)
    return object.name.substr(std::min(object.relation->name.size() + 1, object.name.size()));
  return object.name;
}

}  // namespace

void NotMade::add(const SchemaObject& object) {
  // A key has an index of its name.
  const std::string_view kind = object.type == "CONSTRAINT" ? "INDEX" : kind_of(object.type);
  named_.insert(
      {.kind = std::string(kind), .schema = object.schema == "-" ? "" : object.schema, .name = name_of(object)});
  if (object.type == "BLOB") large_objects_.insert(object.object_id);
  if (object.type == "TYPE")
    relations_.insert({.schema = object.schema, .name = object.name});  // its columns can have comments
  if (!makes_relation(object.type) || !object.relation) return;
  const bool is_identity = object.type == "SEQUENCE" && object.refers_to;
  relations_.insert(is_identity ? *object.refers_to : *object.relation);
}

bool NotMade::is_of_one(const SchemaObject& object) const {
  if (named_.empty()) return false;
  if (object.is_of_large_object) return large_objects_.contains(object.object_id);
  if (object.relation && relations_.contains(*object.relation)) return true;
  if (object.refers_to && relations_.contains(*object.refers_to)) return true;
  const bool is_table = (object.type == "TABLE" || object.type == "FOREIGN TABLE") && !object.statements.empty();
  const auto is_not_made = [this](const RelationName& relation) { return relations_.contains(relation); };
  if (is_table && std::ranges::any_of(parents_of(object.statements.front().sql), is_not_made)) return true;
  if (object.publication && named_.contains({"PUBLICATION", "", *object.publication})) return true;
  constexpr std::string_view kOfServer = " SERVER ";
  if (const std::size_t server = object.name.rfind(kOfServer);
      object.type == "USER MAPPING" && server != std::string::npos) {
    return named_.contains({"SERVER", "", object.name.substr(server + kOfServer.size())});
  }
  constexpr std::array kSaid = {"COMMENT", "SECURITY LABEL", "ACL", "CHECK CONSTRAINT", "OPERATOR CLASS"};
  if (std::ranges::find(kSaid, object.type) == kSaid.end()) return false;
  return std::ranges::any_of(object.statements, [this](const SchemaStatement& statement) {
    const std::optional<NamedObject> described = described_object(statement.sql);
    return described && named_.contains(*described);
  });
}

}  // namespace pana
