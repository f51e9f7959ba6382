#include "format/database_object.h"

#include <limits>

#include "base/error.h"

namespace pana {
namespace {

std::uint32_t object_number(const Json& json) {
  if (!json.is_number_unsigned() || json.get<std::uint64_t>() > std::numeric_limits<std::uint32_t>::max())
    throw Error(ErrorKind::damaged, "the index is damaged: an object's number is none");
  return json.get<std::uint32_t>();
}

}  // namespace

std::vector<std::string*> texts_of(std::vector<DatabaseObject>& objects) {
  std::vector<std::string*> texts;
  const auto add = [&texts](std::vector<std::string>& names) {
    for (std::string& name : names) texts.push_back(&name);
  };
  for (DatabaseObject& object : objects) {
    add(object.address.names);
    add(object.address.arguments);
    texts.insert(texts.end(), {&object.owner, &object.extension});
    if (object.rights) add(*object.rights);
    for (ColumnRights& column : object.column_rights) {
      texts.push_back(&column.column);
      add(column.rights);
    }
  }
  return texts;
}

Json object_json(const DatabaseObject& object) {
  Json json = {{"class", object.id.catalog},
               {"oid", object.id.oid},
               {"type", object.address.type},
               {"names", object.address.names}};
  if (!object.address.arguments.empty()) json["args"] = object.address.arguments;
  if (!object.owner.empty()) json["owner"] = object.owner;
  if (!object.extension.empty()) json["extension"] = object.extension;
  if (object.rights) json["acl"] = *object.rights;
  for (const ColumnRights& column : object.column_rights)
    json["columns"].push_back({{"name", column.column}, {"acl", column.rights}});
  return json;
}

DatabaseObject parse_object(const Json& json) {
  using Names = std::vector<std::string>;
  DatabaseObject object{.id = {.catalog = object_number(json.at("class")), .oid = object_number(json.at("oid"))},
                        .address = {.type = json.at("type").get<std::string>(),
                                    .names = json.at("names").get<Names>(),
                                    .arguments = json.value("args", Names())},
                        .owner = json.value("owner", ""),
                        .extension = json.value("extension", ""),
                        .rights = {},
                        .column_rights = {}};
  if (json.contains("acl")) object.rights = json.at("acl").get<Names>();
  for (const Json& column : json.value("columns", Json::array()))
    object.column_rights.push_back(
        {.column = column.at("name").get<std::string>(), .rights = column.at("acl").get<Names>()});
  return object;
}

}  // namespace pana
