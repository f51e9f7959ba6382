// Extensions that a restore leaves out.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "command/restore_request.h"
#include "command/sql_names.h"
#include "format/index.h"
#include "pg/connection.h"
#include "sql/schema_object.h"

namespace pana {

// Extensions that are left out, with what is their own: tables and sequences that have rows and values in the backup
// and no definition, in a schema where no other extension is.
class LeftOutExtensions {
 public:
  // Throws Error(usage) when the request names one that the backup does not have.
  LeftOutExtensions(const RestoreRequest& request, const Index& index, const std::vector<SchemaObject>& pre_data,
                    const ScriptNames& names, Connection& connection);

  bool is_empty() const { return names_.empty(); }
  bool holds(const SchemaObject& object) const;

  // Its name in Unicode.
  bool owns(const RelationName& relation) const;

 private:
  const ScriptNames& script_names_;
  std::set<std::string> names_;
  std::map<RelationName, std::string> members_;  // with the extension of each, as far as the index says it
  std::set<std::string> schemas_;
  std::set<RelationName> defined_;
};

}  // namespace pana
