// pana verify --against: proves that a database holds the content of a backup.
#pragma once

#include <chrono>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/progress.h"
#include "format/backup_reader.h"
#include "pg/table_filter.h"

namespace pana {

enum class TableState { equal, different, missing, extra };
std::string_view state_name(TableState state);

struct TableComparison {
  std::string schema;
  std::string name;
  TableState state = TableState::equal;
  RowDigest backup;
  RowDigest database;
  std::vector<std::string> missing_columns;  // of the backup's, in the database: then the state is different
};

struct ComparisonReport {
  std::vector<TableComparison> tables;
  // What only one side has, with "-" (backup) or "+" (database) in front.
  std::vector<std::string> sequences;      // the statements that set them
  std::vector<std::string> large_objects;  // "large object 42"; one without contents, too
  std::uint64_t compared_large_objects = 0;  // of the database
  bool equal() const;
  void leave_extra_out();  // what only the database has
};

struct CompareRequest {
  std::string url;
  std::size_t jobs = 4;
  TableFilter filter;
  std::set<TableId> without_tables;         // of the backup: left out of the restore that this proves
  std::set<std::string> without_sequences;  // by their statements, without the newline
  std::chrono::seconds longest_silence{600};  // of a server that was asked for something; 0: no limit
};

// Streams the tables of a database as a backup does, locked and under one snapshot, and compares counts and digests of every
// table with the index. A table that only the database has is a difference, too, unless the backup was made with filters; a
// column that the database lacks is one always. What the role may not read cannot be compared: Error(refused) names it.
ComparisonReport compare(const CompareRequest& request, const BackupReader& backup, Progress& progress,
                         const std::stop_token& stop);

}  // namespace pana
