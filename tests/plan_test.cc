// The plan's queries are what the server can do without reading more than it is asked for.
#include "command/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pg/session.h"
#include "support/pana.h"

namespace pana::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class PlannedRows : public EndToEnd {};

// A range of pages that were found by a scan of the whole table would read it once for every range.
TEST_F(PlannedRows, ARangeOfPagesIsATidRangeScan) {
  if (cluster().version() < 14) GTEST_SKIP() << "TID range scans came with PostgreSQL 14";
  Connection connection(DatabaseAddress(cluster().url(big().database)), {});
  prepare_reading_session(connection, "UTF8");
  const std::vector<CatalogTable> tables = read_tables(connection, TableFilter());
  int ranges = 0;
  for (const WorkItem& item : plan_rows({.tables = tables}, 4)) {
    for (const Chunk& chunk : item.chunks) {
      constexpr std::string_view kBegin = "COPY (";
      constexpr std::string_view kEnd = ") TO STDOUT";
      if (!chunk.copy_out.starts_with(kBegin)) continue;
      const std::string select =
          chunk.copy_out.substr(kBegin.size(), chunk.copy_out.size() - kBegin.size() - kEnd.size());
      const QueryResult plan = connection.query("EXPLAIN (COSTS off) " + select);
      std::string lines;
      for (int row = 0; row < plan.rows(); ++row) lines += plan.string(row, 0) + "\n";
      EXPECT_THAT(lines, AllOf(HasSubstr("Tid Range Scan"), Not(HasSubstr("Seq Scan"))));
      ++ranges;
    }
  }
  EXPECT_GT(ranges, 1);
}

// Parts of an upload are chosen from this figure: too small a one is found out hours later, when there are 10,000 of
// them.
TEST_F(PlannedRows, LargeObjectsCountWithTheirText) {
  const std::string url = fresh_database("objects");
  // Of their size on disk, which compression may make a small part of the text's, and of their number.
  cluster().sql("objects",
                "SELECT lo_from_bytea(0, decode(repeat(md5(i::text), 8000), 'hex')) FROM generate_series(1, 40) AS i; "
                "ANALYZE pg_largeobject");
  Connection connection(DatabaseAddress(url), {});
  const std::vector<LargeObjectId> ids = read_large_object_ids(connection);
  const std::vector<WorkItem> items =
      plan_rows({.large_objects = ids, .large_object_bytes = read_large_object_bytes(connection)}, 4);
  const std::filesystem::path backup = back_up("objects");
  constexpr std::uint64_t kMargin = 4;  // of s3_part_bytes()
  EXPECT_GT(total_bytes(items) * kMargin, std::filesystem::file_size(backup));
  EXPECT_GT(total_bytes(items), std::filesystem::file_size(backup) / 2);
}

}  // namespace
}  // namespace pana::test
