#include "command/left_out_extensions.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "base/error.h"
#include "base/log.h"

namespace pana {

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
      const bool is_there = connection
                                .query("SELECT FROM pg_catalog.pg_available_extensions WHERE name = " +
                                       connection.quote_literal(extension.name))
                                .rows() > 0;
      if (is_there || !names_.insert(extension.name).second) continue;
      log(LogLevel::warning, "extension_skipped",
          fmt::format("the target's server lacks the extension {}, which is left out", extension.name));
    }
  }
  if (names_.empty()) return;
  for (const ExtensionUse& extension : extensions) {
    if (names_.contains(extension.name)) schemas_.insert(extension.schema);
  }
  for (const ExtensionUse& extension : extensions) {
    if (!names_.contains(extension.name)) schemas_.erase(extension.schema);
  }
  for (const SchemaObject& object : pre_data) {
    if (object.type == "COMMENT" || object.statements.empty()) continue;
    if (object.relation) defined_.insert(names.unicode(*object.relation));
    if (object.refers_to) defined_.insert(names.unicode(*object.refers_to));  // an identity column's sequence
  }
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
