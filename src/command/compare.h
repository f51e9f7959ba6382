// pana verify --against: proves that a database holds the content of a backup.
#pragma once

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
};

struct ComparisonReport {
  std::vector<TableComparison> tables;
  std::vector<std::string> sequences;  // the statements that only one side has, with "-" (backup) or "+" (database)
  bool equal() const;
};

struct CompareRequest {
  std::string url;
  std::size_t jobs = 4;
  TableFilter filter;
};

// Streams the tables of a database, under one snapshot, and compares counts and digests of every table with the
// index. A table that only the database has is a difference, too, unless the backup was made with filters.
ComparisonReport compare(const CompareRequest& request, const BackupReader& backup, Progress& progress,
                         const std::stop_token& stop);

}  // namespace pana
