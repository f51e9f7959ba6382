// pana restore: a backup, or some tables of it, into a database.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "base/progress.h"
#include "command/reconcile.h"
#include "command/restore_globals.h"
#include "command/restore_request.h"
#include "format/backup_reader.h"

namespace pana {

struct RestoreReport {
  std::string target;  // "host:port/database"
  std::uint64_t rows = 0;
  std::uint64_t tables = 0;
  std::uint64_t bytes_read = 0;  // of the backup
  double seconds = 0;
  RestoredGlobals globals;
  std::set<TableId> left_out_tables;             // with their extensions
  std::set<std::string> left_out_sequences;      // the statements that set them
  std::vector<std::string> rights_not_restored;  // those that the server only warned of, each a sentence
  std::vector<std::string> errors;               // with keep_going: what could not be restored
  std::vector<std::string> triggers;             // that fired for rows, which may be others than the backup's now
  std::vector<std::string> adapted;              // what is different of tables that need a missing extension
  std::vector<std::string> left_out;             // what cannot be without it
  std::vector<std::string> dropped;              // in a dry run: what --clean would drop, with its size
  std::vector<std::string> emptied;              // or empty
  std::optional<ReconcileReport> reconciled;
};

// Looks first and changes nothing when the target lacks something: Error(refused) then names all of it. Throws at the
// first error otherwise, unless told to keep going. A dry run ends behind that look.
RestoreReport restore(const RestoreRequest& request, const BackupReader& backup, Progress& progress,
                      const std::stop_token& stop);

}  // namespace pana
