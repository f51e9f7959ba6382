#include "command/plan.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <numeric>

namespace pana {
namespace {

constexpr std::uint64_t kFrameBytes = 4 << 20;
constexpr std::uint64_t kLargestFrameBytes = 64 << 20;
constexpr std::uint64_t kFramesAtMost = 16384;

// Below this, the time a table takes is not worth a split.
constexpr std::uint64_t kSmallestSplitTableBytes = 32 << 20;

// Tables up to this size share a query, up to this many and this much of them.
constexpr std::uint64_t kSmallTableBytes = 1 << 20;
constexpr std::uint64_t kBatchBytes = 8 << 20;
constexpr std::size_t kBatchTables = 64;

constexpr std::size_t kBatchLargeObjects = 256;

// How much text a table may become, in the measure of its heap: what is in TOAST is compressed, or bytes that take two
// digits each.
std::uint64_t text_estimate(const CatalogTable& table) {
  constexpr std::uint64_t kTextOfToast = 4;
  return table.bytes + (kTextOfToast - 1) * table.toast_bytes;
}

std::string select_sql(const CatalogTable& table, std::string_view where) {
  return fmt::format("COPY (SELECT {} FROM ONLY {} {}) TO STDOUT", fmt::join(table.sql_columns, ", "), table.sql_name,
                     where);
}

Chunk chunk_of(const CatalogTable& table, TableId id, std::string copy_out, std::uint64_t bytes) {
  return {.table = id,
          .copy_out = std::move(copy_out),
          .copy_in = fmt::format("COPY {} FROM stdin;\n", table.copy_target()),
          .name = table.sql_name,
          .bytes = bytes};
}

Chunk whole_table(const CatalogTable& table, TableId id) {
  std::string copy_out = table.condition.empty() ? fmt::format("COPY {} TO STDOUT", table.copy_source())
                                                 : select_sql(table, table.condition);
  return chunk_of(table, id, std::move(copy_out), text_estimate(table));
}

std::vector<Chunk> split_table(const CatalogTable& table, TableId id, std::uint64_t pieces) {
  std::vector<Chunk> chunks;
  for (std::uint64_t piece = 0; piece < pieces; ++piece) {
    const std::uint64_t begin = table.pages * piece / pieces;
    const std::uint64_t end = table.pages * (piece + 1) / pieces;
    std::string where = fmt::format("WHERE ctid >= '({},0)'::pg_catalog.tid", begin);
    // The last chunk is open-ended: the table may have grown since it was measured, and the snapshot may see rows on
    // new pages.
    if (piece + 1 < pieces) where += fmt::format(" AND ctid < '({},0)'::pg_catalog.tid", end);
    chunks.push_back(chunk_of(table, id, select_sql(table, where), text_estimate(table) / pieces));
  }
  return chunks;
}

// Into how many ranges a table is split; 1: not at all.
std::uint64_t pieces_of(const CatalogTable& table, std::uint64_t total_bytes, std::size_t jobs) {
  const std::uint64_t bytes = text_estimate(table);
  if (jobs < 2 || !table.can_split || !table.condition.empty() || bytes < kSmallestSplitTableBytes) return 1;
  if (bytes <= total_bytes / (2 * jobs)) return 1;
  const std::uint64_t piece_bytes = std::max(total_bytes / (8 * jobs), kSmallestSplitTableBytes / 2);
  return std::clamp<std::uint64_t>(bytes / piece_bytes, 1, std::max<std::uint64_t>(table.pages, 1));
}

// Collects small tables into items of several chunks.
class Batches {
 public:
  explicit Batches(std::vector<WorkItem>& items) : items_(items) {}

  void add(Chunk chunk) {
    batch_.bytes += chunk.bytes;
    batch_.chunks.push_back(std::move(chunk));
    if (batch_.chunks.size() == kBatchTables || batch_.bytes >= kBatchBytes) end();
  }

  void end() {
    if (!batch_.chunks.empty()) items_.push_back(std::exchange(batch_, {}));
  }

 private:
  std::vector<WorkItem>& items_;
  WorkItem batch_;
};

}  // namespace

std::vector<WorkItem> plan_rows(const RowsToRead& rows, std::size_t jobs, bool split_tables) {
  const auto [tables, large_objects, large_object_bytes] = rows;
  std::uint64_t all_tables = 0;
  for (const CatalogTable& table : tables) all_tables += text_estimate(table);

  std::vector<WorkItem> items;
  Batches batches(items);
  for (TableId id = 1; const CatalogTable& table : tables) {
    const std::uint64_t pieces = split_tables ? pieces_of(table, all_tables, jobs) : 1;
    std::vector<Chunk> chunks = pieces > 1 ? split_table(table, id, pieces) : std::vector{whole_table(table, id)};
    for (Chunk& chunk : chunks) {
      if (chunk.bytes <= kSmallTableBytes) {
        batches.add(std::move(chunk));
      } else {
        const std::uint64_t bytes = chunk.bytes;
        items.push_back({.chunks = {std::move(chunk)}, .large_objects = {}, .bytes = bytes});
      }
    }
    ++id;
  }
  batches.end();
  for (std::size_t begin = 0; begin < large_objects.size(); begin += kBatchLargeObjects) {
    const auto batch = large_objects.subspan(begin, std::min(kBatchLargeObjects, large_objects.size() - begin));
    items.push_back({.chunks = {},
                     .large_objects = {batch.begin(), batch.end()},
                     .bytes = large_object_bytes * batch.size() / large_objects.size()});
  }
  std::stable_sort(items.begin(), items.end(),
                   [](const WorkItem& a, const WorkItem& b) { return a.bytes > b.bytes; });
  return items;
}

std::uint64_t total_bytes(std::span<const WorkItem> items) {
  return std::transform_reduce(items.begin(), items.end(), std::uint64_t{0}, std::plus(), [](const WorkItem& item) { return item.bytes; });
}

std::uint64_t frame_bytes_for(std::uint64_t database_bytes) {
  return std::clamp(database_bytes / kFramesAtMost, kFrameBytes, kLargestFrameBytes);
}

}  // namespace pana
