#include "command/plan.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <map>
#include <numeric>

namespace pana {
namespace {

constexpr std::uint64_t kFrameBytes = 4 << 20;
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

RelationName name_of(const CatalogTable& table) { return {.schema = table.schema, .name = table.name}; }

void sort_by_size(std::vector<WorkItem>& items) {
  std::stable_sort(items.begin(), items.end(), [](const WorkItem& a, const WorkItem& b) { return a.bytes > b.bytes; });
}

WorkItem item_of(Chunk chunk) {
  const std::uint64_t bytes = chunk.bytes;
  return {.chunks = {std::move(chunk)}, .large_objects = {}, .bytes = bytes};
}

class Planner {
 public:
  Planner(const RowsToRead& rows, const LoadOrder& order, std::size_t jobs, bool split_tables)
      : rows_(rows), order_(order), jobs_(jobs), split_tables_(split_tables) {
    for (const CatalogTable& table : rows.tables) all_tables_ += text_estimate(table);
  }

  // Tables that may be read in any order, largest items first.
  std::vector<WorkItem> items(std::span<const TableId> tables) const {
    std::vector<WorkItem> items;
    Batches batches(items);
    for (const TableId id : tables) {
      for (Chunk& chunk : chunks_of(id)) {
        chunk.bytes <= kSmallTableBytes ? batches.add(std::move(chunk)) : items.push_back(item_of(std::move(chunk)));
      }
    }
    batches.end();
    sort_by_size(items);
    return items;
  }

  // Tables that are read one after the other: the small ones of a stage by one session.
  void add_one_by_one(std::span<const TableId> tables, std::vector<std::vector<WorkItem>>& stages) const {
    std::vector<WorkItem> small;
    Batches batches(small);
    const auto end_small = [&] {
      batches.end();
      for (WorkItem& item : std::exchange(small, {})) stages.push_back({std::move(item)});
    };
    for (const TableId id : tables) {
      std::vector<Chunk> chunks = chunks_of(id);
      if (chunks.size() == 1 && chunks.front().bytes <= kSmallTableBytes) {
        batches.add(std::move(chunks.front()));
        continue;
      }
      end_small();
      std::vector<WorkItem>& stage = stages.emplace_back();
      for (Chunk& chunk : chunks) stage.push_back(item_of(std::move(chunk)));
    }
    end_small();
  }

  void add_large_objects(std::vector<WorkItem>& items) const {
    const auto& [tables, large_objects, large_object_bytes] = rows_;
    for (std::size_t begin = 0; begin < large_objects.size(); begin += kBatchLargeObjects) {
      const auto batch = large_objects.subspan(begin, std::min(kBatchLargeObjects, large_objects.size() - begin));
      items.push_back({.chunks = {},
                       .large_objects = {batch.begin(), batch.end()},
                       .bytes = large_object_bytes * batch.size() / large_objects.size()});
    }
    sort_by_size(items);
  }

 private:
  std::vector<Chunk> chunks_of(TableId id) const {
    const CatalogTable& table = rows_.tables[id - 1];
    const bool in_one_section = order_.refer_to_themselves.contains(name_of(table));
    const std::uint64_t pieces = split_tables_ && !in_one_section ? pieces_of(table, all_tables_, jobs_) : 1;
    if (pieces > 1) return split_table(table, id, pieces);
    std::vector<Chunk> chunks = {whole_table(table, id)};
    chunks.front().in_one_section = in_one_section;
    return chunks;
  }

  const RowsToRead& rows_;
  const LoadOrder& order_;
  const std::size_t jobs_;
  const bool split_tables_;
  std::uint64_t all_tables_ = 0;
};

}  // namespace

std::vector<WorkItem> plan_rows(const RowsToRead& rows, std::size_t jobs, bool split_tables) {
  return plan_rows_in_order(rows, {}, jobs, split_tables).front();
}

std::vector<std::vector<WorkItem>> plan_rows_in_order(const RowsToRead& rows, const LoadOrder& order, std::size_t jobs,
                                                      bool split_tables) {
  std::map<RelationName, TableId> computed;
  for (const RelationName& table : order.computed) computed[table] = 0;
  std::map<std::size_t, std::vector<TableId>> by_level = {{0, {}}};
  for (TableId id = 1; const CatalogTable& table : rows.tables) {
    const auto level = order.levels.find(name_of(table));
    if (const auto found = computed.find(name_of(table)); found != computed.end()) {
      found->second = id;
    } else {
      by_level[level == order.levels.end() ? 0 : level->second].push_back(id);
    }
    ++id;
  }
  std::vector<TableId> one_by_one;
  for (const RelationName& table : order.computed) {
    if (computed[table] != 0) one_by_one.push_back(computed[table]);
  }
  const Planner planner(rows, order, jobs, split_tables);
  std::vector<std::vector<WorkItem>> stages;
  for (const auto& [level, tables] : by_level) stages.push_back(planner.items(tables));
  planner.add_large_objects(stages.front());
  planner.add_one_by_one(one_by_one, stages);
  return stages;
}

std::uint64_t total_bytes(std::span<const WorkItem> items) {
  return std::transform_reduce(items.begin(), items.end(), std::uint64_t{0}, std::plus(),
                               [](const WorkItem& item) { return item.bytes; });
}

std::uint64_t frame_bytes_for(std::uint64_t database_bytes) {
  return std::clamp(database_bytes / kFramesAtMost, kFrameBytes, kLargestFrameBytes);
}

}  // namespace pana
