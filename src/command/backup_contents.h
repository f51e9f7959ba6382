// What the control connection learns of a database, under the snapshot and before the first row is read.
#pragma once

#include <string>
#include <vector>

#include "command/backup_request.h"
#include "format/index.h"
#include "pg/connection.h"
#include "pg/large_objects.h"
#include "pg/load_order.h"
#include "pg/pg_dump.h"
#include "pg/snapshot.h"
#include "sql/table_filter.h"

namespace pana {

struct BackupContents {
  Snapshot snapshot;
  std::vector<std::string> sequence_values;
  LoadOrder load_order;  // that psql needs, which makes the schema before it loads rows
  std::vector<LargeObjectId> large_objects;
  std::uint64_t large_object_bytes = 0;  // of text, at most about so much
  IndexHeader header;
  Globals globals;
  std::vector<DatabaseObject> objects;  // once the script has been read
  std::vector<TableInfo> tables;        // contents still empty; the table with the id i + 1 is snapshot.tables[i]
};

// pg_dump's options for what a backup leaves out (IndexHeader::filters).
std::vector<std::string> options_that_leave_out(const TableFilter& filter, const Unreadable& skipped);

// Reads the catalog under the snapshot, which is `control`'s own.
BackupContents read_backup_contents(Connection& control, const BackupRequest& request, const PgDumpProgram& pg_dump,
                                    Snapshot snapshot, std::string encoding);

}  // namespace pana
