// The sequences of a database and where they stand. Which of them belong to a backup follows pg_dump's own rules
// (bin/pg_dump/pg_dump.c: getOwnedSeqs, processExtensionTables).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pg/catalog.h"
#include "pg/connection.h"
#include "sql/table_filter.h"

namespace pana {

struct CatalogSequence {
  CatalogName name;
  bool readable = false;
  bool in_usable_schema = false;
};

// The sequences whose values belong to the backup. One that a table owns goes with its table, too.
std::vector<CatalogSequence> read_sequences(Connection& connection, const TableFilter& filter);

// A statement for each sequence that sets it to its present value: SELECT pg_catalog.setval(...);
std::vector<std::string> read_sequence_values(Connection& connection, const TableFilter& filter);

// Where a sequence stands.
struct SequencePosition {
  std::int64_t last_value = 0;
  bool is_called = false;  // last_value was given out
  bool ascends = true;

  // Whether what this one has given out is given out again by one that stands there.
  bool is_ahead_of(const SequencePosition& other) const;
};

// Of sequences with these names, quoted where needed; nothing for one that is not there or may not be read.
std::vector<std::optional<SequencePosition>> read_sequence_positions(Connection& connection,
                                                                     const std::vector<std::string>& sql_names);

}  // namespace pana
