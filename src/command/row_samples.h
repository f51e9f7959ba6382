// What a restore looks at of a backup's rows before it loads them.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "format/backup_reader.h"

namespace pana {

// What a column of a table holds in the backup.
struct ColumnContent {
  std::uint64_t values = 0;  // that are not NULL
  std::string first;
  bool differ = false;

  std::string text() const;  // "the same value in 3 rows"
};

// Of the columns of TableInfo::columns that are not kept; reads all of the table's rows. Throws as
// BackupReader::read_frame() does.
std::vector<ColumnContent> read_columns(const BackupReader& backup, const TableInfo& table,
                                        const std::vector<bool>& kept);

// All rows of a table that is not large. Throws likewise.
void read_rows(const BackupReader& backup, const TableInfo& table,
               const std::function<void(const std::vector<std::string_view>& fields)>& take);

// The first rows of a table, to be tried.
struct Sample {
  std::string statement;  // COPY ...
  std::vector<std::string> rows;
  std::size_t bytes = 0;

  bool is_complete() const { return rows.size() >= 100 || bytes >= (std::size_t{1} << 20); }
};

// From the first frame of each table; none of a table without rows.
std::map<TableId, Sample> read_samples(const BackupReader& backup, const std::set<TableId>& tables);

}  // namespace pana
