// Which parts of a backup a restore wants.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "command/restore.h"
#include "pg/connection.h"
#include "pg/schema_object.h"

namespace pana {

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
};

// Reads the schema out of the backup and chooses. Throws Error(usage) when a table pattern matches nothing.
// `connection`, to the target, converts names where the backup is not in UTF-8. It also tells which parents and publications of
// chosen tables are there: a partition is attached to a parent that is not chosen when its indexes are made, which then become
// parts of the parent's.
RestoreSelection select_for_restore(const RestoreRequest& request, const BackupReader& backup, Connection& connection);

}  // namespace pana
