// Which parts of a backup a restore wants.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "command/restore.h"
#include "command/sql_names.h"
#include "pg/connection.h"
#include "pg/large_objects.h"
#include "sql/schema_object.h"

namespace pana {

// Roles that statements name, in Unicode, and whether they are to own something.
using NamedRoles = std::map<std::string, bool>;

struct SequenceValue {
  std::optional<RelationName> sequence;  // nothing when the statement is not what a backup holds
  std::string sql;
};

struct RestoreSelection {
  std::vector<SchemaObject> pre_data;  // with no statements and settings but those that the request wants
  std::vector<SchemaObject> post_data;
  std::vector<const TableInfo*> tables;  // with their rows
  std::set<TableId> table_ids;
  std::vector<std::size_t> frames;  // of the rows phase, those that hold a wanted table's rows
  std::vector<SequenceValue> sequence_values;
  bool leaves_extensions_out = false;
  std::set<TableId> left_out_tables;         // with their extensions
  std::set<std::string> left_out_sequences;  // statements
  NamedRoles roles_of_large_objects;
  std::set<LargeObjectId> large_objects_left_alone;  // which have somebody else's contents

  bool is_empty() const {
    const auto is_run = [](const SchemaObject& object) { return !object.statements.empty(); };
    return std::ranges::none_of(pre_data, is_run) && std::ranges::none_of(post_data, is_run) && tables.empty() &&
           large_objects.empty() && sequence_values.empty();
  }

  std::vector<LargeObjectId>
      large_objects;  // their definitions are read again when their turn comes: there may be many
};

// The definitions of the large objects that are wanted, with their comments and grants as far as the request wants
// these, in the file's order, one after the other.
void read_large_object_definitions(const RestoreRequest& request, const BackupReader& backup,
                                   const std::stop_token& stop, const std::function<void(SchemaObject object)>& take);

// Reads the schema out of the backup and chooses. Throws Error(usage) when a table pattern matches nothing, or nothing
// is chosen. `connection`, to the target, tells which parents and publications of chosen tables are there: a partition
// is attached to a parent that is not chosen when its indexes are made, which then become parts of the parent's.
RestoreSelection select_for_restore(const RestoreRequest& request, const BackupReader& backup, const ScriptNames& names,
                                    Connection& connection, const std::stop_token& stop);

}  // namespace pana
