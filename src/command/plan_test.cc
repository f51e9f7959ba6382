#include "command/plan.h"

#include <gtest/gtest.h>

#include <set>

namespace pana {
namespace {

constexpr std::uint64_t kMebibyte = 1 << 20;

CatalogTable table(const std::string& name, std::uint64_t bytes, bool can_split = true) {
  CatalogTable result;
  result.sql_name = "public." + name;
  result.sql_columns = {"id", "\"Total\""};
  result.bytes = bytes;
  result.pages = bytes / 8192;
  result.can_split = can_split;
  return result;
}

std::size_t chunks_of(const std::vector<WorkItem>& items, TableId id) {
  std::size_t count = 0;
  for (const WorkItem& item : items) {
    for (const Chunk& chunk : item.chunks) count += chunk.table == id ? 1 : 0;
  }
  return count;
}

TEST(Plan, SplitsOnlyTheTableThatWouldBeTheLongPole) {
  const std::vector<CatalogTable> tables = {table("large", 1000 * kMebibyte), table("other", 100 * kMebibyte),
                                            table("third", 90 * kMebibyte)};
  const std::vector<WorkItem> items = plan_rows({.tables = tables}, 4);
  EXPECT_GT(chunks_of(items, 1), 4U);
  EXPECT_EQ(chunks_of(items, 2), 1U);
  EXPECT_EQ(chunks_of(items, 3), 1U);
}

TEST(Plan, DoesNotSplitForOneJobOrWhatCannotBeSplit) {
  const std::vector<CatalogTable> tables = {table("large", 1000 * kMebibyte)};
  EXPECT_EQ(chunks_of(plan_rows({.tables = tables}, 1), 1), 1U);
  const std::vector<CatalogTable> not_heap = {table("large", 1000 * kMebibyte, false)};
  EXPECT_EQ(chunks_of(plan_rows({.tables = not_heap}, 4), 1), 1U);
}

TEST(Plan, CoversEveryPageOnceAndLeavesTheLastRangeOpen) {
  const std::vector<CatalogTable> tables = {table("large", 1000 * kMebibyte)};
  std::string expected_begin = "(0,0)";
  std::vector<std::string> statements;
  for (const WorkItem& item : plan_rows({.tables = tables}, 2)) {
    for (const Chunk& chunk : item.chunks) statements.push_back(chunk.copy_out);
  }
  for (std::size_t i = 0; i < statements.size(); ++i) {
    const std::string& sql = statements[i];
    EXPECT_NE(sql.find("ctid >= '" + expected_begin), std::string::npos) << sql;
    const std::size_t end = sql.find("ctid < '");
    EXPECT_EQ(end == std::string::npos, i + 1 == statements.size()) << sql;
    if (end != std::string::npos) expected_begin = sql.substr(end + 8, sql.find(')', end) - end - 7);
  }
}

TEST(Plan, ReadsManySmallTablesInOneQuery) {
  const std::vector<CatalogTable> tables(500, table("tiny", 8192));
  const std::vector<WorkItem> items = plan_rows({.tables = tables}, 4);
  EXPECT_LT(items.size(), 10U);
  std::set<TableId> seen;
  for (const WorkItem& item : items) {
    for (const Chunk& chunk : item.chunks) EXPECT_TRUE(seen.insert(chunk.table).second);
  }
  EXPECT_EQ(seen.size(), 500U);
  EXPECT_EQ(*seen.begin(), 1U);
}

TEST(Plan, StartsWithTheLargest) {
  const std::vector<CatalogTable> tables = {table("small", 20 * kMebibyte), table("large", 30 * kMebibyte)};
  const std::vector<WorkItem> items = plan_rows({.tables = tables}, 1);
  EXPECT_EQ(items.front().chunks.front().table, 2U);
}

TEST(Plan, ExpectsMoreTextOfToast) {
  std::vector<CatalogTable> tables = {table("heap", 30 * kMebibyte), table("documents", 20 * kMebibyte)};
  tables[1].toast_bytes = 18 * kMebibyte;
  EXPECT_EQ(plan_rows({.tables = tables}, 1).front().chunks.front().table, 2U);
}

TEST(Plan, KeepsTheConditionOfAnExtensionsTable) {
  CatalogTable configuration = table("conf", 8192);
  configuration.condition = "WHERE id > 10";
  const std::vector<WorkItem> items = plan_rows({.tables = std::span(&configuration, 1)}, 4);
  EXPECT_EQ(items.front().chunks.front().copy_out,
            "COPY (SELECT id, \"Total\" FROM ONLY public.conf WHERE id > 10) TO STDOUT");
}

TEST(FrameBytes, GrowWithTheDatabaseWithinBounds) {
  EXPECT_EQ(frame_bytes_for(0), 4 * kMebibyte);
  EXPECT_EQ(frame_bytes_for(std::uint64_t{1} << 40), 64 * kMebibyte);
}

}  // namespace
}  // namespace pana
