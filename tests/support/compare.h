// What a database holds, measured without pana, and how two databases differ.
//
// The oracle of the end-to-end tests: psql and pg_dump alone, nothing of the program under test. Two databases with
// equal Content hold the same definitions, rows, sequence positions, large objects and materialized views.
#pragma once

#include <string>

#include "support/cluster.h"

namespace pana::test {

struct Content {
  std::string schema = {};              // pg_dump --schema-only, without the lines that differ from run to run
  std::string tables = {};              // a line each: name, number of rows, digest of the rows as text in any order
  std::string sequences = {};           // last value and is_called
  std::string large_objects = {};       // digest, owner, grants, comment
  std::string materialized_views = {};  // populated or not, number of rows, digest
};

Content content_of(const Cluster& cluster, const std::string& database);

// Only Content::tables: for tests that look at nothing else.
std::string tables_of(const Cluster& cluster, const std::string& database);

// Only Content::schema.
std::string schema_of(const Cluster& cluster, const std::string& database);

// What differs, for a person to read; empty when nothing does. The order of the schema's entries does not count.
std::string differences(const Content& expected, const Content& seen);

// The same for one part: lines, or the entries of a schema.
std::string different_lines(const std::string& expected, const std::string& seen);
std::string different_entries(const std::string& expected, const std::string& seen);

}  // namespace pana::test
