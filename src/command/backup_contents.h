// What the control connection learns of a database, under the snapshot and before the first row is read.
#pragma once

#include <string>
#include <vector>

#include "command/backup.h"
#include "format/index.h"
#include "pg/large_objects.h"
#include "pg/pg_dump.h"
#include "pg/snapshot.h"

namespace pana {

struct BackupContents {
  Snapshot snapshot;
  std::vector<std::string> sequence_values;
  std::vector<LargeObjectId> large_objects;
  IndexHeader header;
  std::vector<TableInfo> tables;  // contents still empty; the table with the id i + 1 is snapshot.tables[i]
};

// Locks the tables, exports the snapshot and reads the catalog under it. `control` keeps the transaction.
BackupContents read_backup_contents(Connection& control, const BackupRequest& request, const PgDumpProgram& pg_dump,
                                    std::string encoding);

}  // namespace pana
