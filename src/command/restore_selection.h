// The parts of a backup that a restore wants.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "command/restore_request.h"
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
  std::set<TableId> extension_tables;        // left out with their extensions
  std::set<TableId> left_out_tables;         // these, and others that are not loaded
  std::set<std::string> left_out_sequences;  // statements
  NamedRoles roles_of_large_objects;
  NamedRoles roles_of_rights;                         // which a Reconciliation gives
  std::set<LargeObjectId> large_objects_left_alone;   // which have somebody else's contents
  std::map<TableId, std::vector<bool>> kept_columns;  // of TableInfo::columns, where not all of them are loaded

  // Takes these tables' rows out of it.
  void leave_rows_out(const Index& index, const std::set<TableId>& left_out) {
    std::erase_if(tables, [&left_out](const TableInfo* table) { return left_out.contains(table->id); });
    for (const TableId id : left_out) table_ids.erase(id);
    std::erase_if(frames, [&](std::size_t frame) {
      return std::ranges::none_of(index.frames[frame].tables,
                                  [this](const FrameRows& rows) { return table_ids.contains(rows.table); });
    });
  }

  bool is_empty() const {
    const auto is_run = [](const SchemaObject& object) { return !object.statements.empty(); };
    return std::ranges::none_of(pre_data, is_run) && std::ranges::none_of(post_data, is_run) && tables.empty() &&
           large_objects.empty() && sequence_values.empty();
  }

  std::vector<LargeObjectId>
      large_objects;  // their definitions are read again when their turn comes: there may be many
};

}  // namespace pana
