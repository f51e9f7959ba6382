// Which parts of a backup a restore wants.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "command/restore.h"
#include "pg/connection.h"
#include "pg/schema_script.h"

namespace pana {

struct RestoreSelection {
  std::vector<SchemaEntry> pre_data;
  std::vector<SchemaEntry> post_data;
  std::vector<const TableInfo*> tables;  // with their rows
  std::set<TableId> table_ids;
  std::vector<std::size_t> frames;  // of the rows phase, those that hold a wanted table's rows
  std::vector<std::string> sequence_values;
};

// Reads the schema out of the backup and chooses. Throws Error(usage) when a table pattern matches nothing.
// `connection` converts names where the backup is not in UTF-8.
RestoreSelection select_for_restore(const RestoreRequest& request, const BackupReader& backup, Connection& connection);

// The statements of an entry that the request wants: without owners, privileges or tablespaces if it says so.
std::vector<std::string> wanted_statements(const RestoreRequest& request, const SchemaEntry& entry);

}  // namespace pana
