#include "command/left_out_extensions.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string_view>

#include "base/error.h"
#include "base/log.h"
#include "pg/transaction.h"

namespace pana {
namespace {

// Why the target cannot have it; nothing when it can, or has it. A library that must be loaded at the server's start,
// or a right that the role lacks, is found by trying.
std::optional<std::string> obstacle_to(Connection& connection, const std::string& extension) {
  const std::string name = connection.quote_literal(extension);
  const QueryResult known = connection.query(fmt::format(
      "SELECT EXISTS (SELECT FROM pg_catalog.pg_available_extensions WHERE name = {0}), EXISTS (SELECT FROM "
      "pg_catalog.pg_extension WHERE extname = {0})",
      name));
  if (known.boolean(0, 1)) return std::nullopt;
  if (!known.boolean(0, 0)) return "the target's server lacks it";
  connection.query("BEGIN");
  // Who may create nothing at all has another trouble than this extension.
  const bool may_create = !try_in_savepoint(connection, "CREATE SCHEMA pana_trial; SET LOCAL search_path = pana_trial");
  std::optional<DatabaseError> refusal;
  if (may_create)
    refusal = try_in_savepoint(connection,
                               fmt::format("CREATE EXTENSION {} CASCADE", connection.quote_identifier(extension)));
  connection.query("ROLLBACK");
  if (!refusal || is_lock_in_the_way(*refusal)) return std::nullopt;
  return fmt::format("the target cannot have it ({})", refusal->what());
}

}  // namespace

LeftOutExtensions::LeftOutExtensions(const RestoreRequest& request, const Index& index,
                                     const std::vector<SchemaObject>& pre_data, const ScriptNames& names,
                                     Connection& connection)
    : script_names_(names) {
  const auto& extensions = index.header.extensions;
  for (const std::string& name : request.exclude_extensions) {
    if (std::ranges::none_of(extensions, [&name](const ExtensionUse& extension) { return extension.name == name; })) {
      throw Error(ErrorKind::usage, fmt::format("the backup has no extension {}", name), "pana show lists them");
    }
    names_.insert(name);
  }
  if (request.skip_missing_extensions) {
    for (const ExtensionUse& extension : extensions) {
      if (names_.contains(extension.name)) continue;
      const std::optional<std::string> obstacle = obstacle_to(connection, extension.name);
      if (!obstacle) continue;
      names_.insert(extension.name);
      log(LogLevel::warning, "extension_skipped",
          fmt::format("the extension {} is left out: {}", extension.name, *obstacle));
    }
  }
  if (names_.empty()) return;
  for (const ExtensionUse& extension : extensions) {
    if (names_.contains(extension.name)) schemas_.insert(extension.schema);
  }
  for (const ExtensionUse& extension : extensions) {
    if (!names_.contains(extension.name)) schemas_.erase(extension.schema);
  }
  for (const DatabaseObject& object : index.objects) {
    if (object.id.catalog == kRelationCatalog && !object.extension.empty() && object.address.names.size() == 2)
      members_[{.schema = object.address.names[0], .name = object.address.names[1]}] = object.extension;
  }
  for (const SchemaObject& object : pre_data) {
    if (object.type == "COMMENT" || object.statements.empty()) continue;
    if (object.relation) defined_.insert(names.unicode(*object.relation));
    if (object.refers_to) defined_.insert(names.unicode(*object.refers_to));  // an identity column's sequence
  }
}

bool LeftOutExtensions::owns(const RelationName& relation) const {
  const auto member = members_.find(relation);
  if (member != members_.end()) return names_.contains(member->second);
  return schemas_.contains(relation.schema) && !defined_.contains(relation);
}

bool LeftOutExtensions::holds(const SchemaObject& object) const {
  if (names_.empty()) return false;
  constexpr std::string_view kOfExtension = "EXTENSION ";
  if (object.type == "EXTENSION") return names_.contains(object.name);
  if (object.type == "COMMENT" && object.name.starts_with(kOfExtension))
    return names_.contains(object.name.substr(kOfExtension.size()));
  return object.relation && owns(script_names_.unicode(*object.relation));
}

}  // namespace pana
