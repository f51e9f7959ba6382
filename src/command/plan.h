// Who reads what: the tables of a backup cut into pieces of work for several connections.
//
// Only a table that would otherwise be the long pole is split into ranges of heap pages: range scans bypass
// PostgreSQL's ring buffer for bulk reads and would push the application's pages out of its cache. Small tables are
// read many to a query, so that round trips do not rule.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "format/frame.h"
#include "pg/catalog.h"
#include "pg/large_objects.h"
#include "pg/load_order.h"

namespace pana {

// A page range of one table read by one COPY.
struct Chunk {
  TableId table = 0;
  std::string copy_out;  // COPY ... TO STDOUT
  std::string copy_in;   // COPY ... FROM stdin;, with a newline: what a frame's section begins with
  std::string name;      // for messages
  std::uint64_t bytes = 0;
  bool in_one_section = false;  // its rows refer to each other: psql checks them at the end of each COPY
};

// What one worker does at a time: either chunks whose COPYs go out as one query, or some large objects.
struct WorkItem {
  std::vector<Chunk> chunks;
  std::vector<LargeObjectId> large_objects;
  std::uint64_t bytes = 0;
};

// What is to be read. The table with the id i + 1 is tables[i].
struct RowsToRead {
  std::span<const CatalogTable> tables;
  std::span<const LargeObjectId> large_objects;
  std::uint64_t large_object_bytes = 0;  // of all large objects of the database (read_large_object_bytes)
};

// Largest items first.
std::vector<WorkItem> plan_rows(const RowsToRead& rows, std::size_t jobs, bool split_tables = true);

// Items that are read one stage after the other, so that the file has the rows in an order in which psql can load them:
// first those of all tables that need no order, in one stage.
std::vector<std::vector<WorkItem>> plan_rows_in_order(const RowsToRead& rows, const LoadOrder& order, std::size_t jobs,
                                                      bool split_tables);

// How much text the items may become, from above.
std::uint64_t total_bytes(std::span<const WorkItem> items);

constexpr std::uint64_t kLargestFrameBytes = 64 << 20;

// How much text a frame should hold: about 4 MiB, more for a very large database, so that its index stays small.
std::uint64_t frame_bytes_for(std::uint64_t database_bytes);

}  // namespace pana
