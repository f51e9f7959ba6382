// pana verify --against: proves that a database holds the content of a backup.
#pragma once

#include <chrono>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/progress.h"
#include "command/comparison_report.h"
#include "format/backup_reader.h"
#include "sql/table_filter.h"

namespace pana {

struct CompareRequest {
  std::string url;
  std::size_t jobs = 4;
  TableFilter filter;
  std::set<TableId> without_tables;           // of the backup: left out of the restore that this proves
  std::set<std::string> without_sequences;    // by their statements, without the newline
  std::chrono::seconds longest_silence{600};  // of a server that was asked for something; 0: no limit
};

// Streams the tables of a database as a backup does, locked and under one snapshot, and compares counts and digests of
// every table with the index. A table that only the database has is a difference, too, unless the backup was made with
// filters; a column that the database lacks is one always. What the role may not read cannot be compared:
// Error(refused) names it.
ComparisonReport compare(const CompareRequest& request, const BackupReader& backup, Progress& progress,
                         const std::stop_token& stop);

}  // namespace pana
