// What a comparison of a database with a backup has found.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "format/digest.h"

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
  std::vector<std::string> sequences;        // the statements that set them
  std::vector<std::string> large_objects;    // "large object 42"; one without contents, too
  std::uint64_t compared_large_objects = 0;  // of the database
  bool equal() const;
  void leave_extra_out();  // what only the database has
};

}  // namespace pana
