// The one loop in which rows are read out of a database: from the server's socket to whoever wants them.
//
// Several sessions under one snapshot take items from one list. An item is taken whole or not at all: its tables are
// locked before its first row, and a session for which a lock is not free at once leaves the item to the end. Once a
// row was handed over nothing is tried again: what then goes wrong is thrown, as an Obstacle where it is another
// session's lock, and whoever has the rows must drop all of them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/guarded.h"
#include "base/progress.h"
#include "base/rate_limit.h"
#include "base/require.h"
#include "base/work_list.h"
#include "command/plan.h"
#include "pg/copy.h"
#include "pg/snapshot.h"

namespace pana {

// What all sessions of one reading share. Everything in it is safe from several threads.
struct RowReading {
  WorkList<WorkItem>& items;
  Progress& progress;
  RateLimit& rate;
  Guarded<std::vector<WorkItem>> left_over;  // whose tables others have locked, or wait to lock
};

// The statements that read an item: first the locks, for which they wait for a moment only, then the rows, in the
// middle of which they wait for a lock (of a TOAST index that is built anew, say) as long as it takes.
std::string reading_sql(const WorkItem& item);

// Goes to an item's first row; false when one of its tables is locked by somebody. Nothing was read then.
bool begin_reading(CopyOut& copy);

void leave_over(RowReading& reading, const WorkItem& item);

// Throws what went wrong while rows were read, with their table in front.
[[noreturn]] void throw_unread(const std::string& table, const DatabaseError& error);
[[noreturn]] void throw_locked(const WorkItem& item);

// One session's part in a reading. `Rows` receives what it reads: begin_chunk(chunk), add(piece) for each row or piece
// of one, end_chunk(); and add_large_object_line(line).
template <typename Rows>
class RowReader {
 public:
  RowReader(Connection& connection, RowReading& reading, Rows& rows, const std::stop_token& stop)
      : connection_(connection), reading_(reading), rows_to_(rows), stop_(stop) {}

  // Takes items until there are none, over a session that has imported the snapshot.
  void read_items() {
    std::size_t locks = 0;
    while (const WorkItem* const item = reading_.items.next()) {
      const bool is_read = read(*item);
      if (!is_read) leave_over(reading_, *item);
      locks += item->chunks.size();
      if (is_read && locks < kTablesLockedAtMost) continue;
      release_locks(connection_);
      locks = 0;
    }
  }

  // Reads what was left over, in the session that has locked the tables before the snapshot and stands in no queue for
  // them.
  void read_left_over() {
    const auto take = [](std::vector<WorkItem>& items) { return std::exchange(items, {}); };
    for (const WorkItem& item : reading_.left_over.with(take)) {
      if (!read(item)) throw_locked(item);
    }
    release_locks(connection_);
  }

 private:
  // How much is read between two looks at the shared counters.
  static constexpr std::uint64_t kProgressBytes = std::uint64_t{256} * 1024;

  bool read(const WorkItem& item) {
    if (!item.large_objects.empty()) {
      read_large_object_item(item);
      return true;
    }
    const std::string* table = &item.chunks.front().name;
    try {
      CopyOut copy(connection_, reading_sql(item));
      if (!begin_reading(copy)) return false;
      for (const Chunk& chunk : item.chunks) {
        read_chunk(copy, chunk);
        const bool is_last = &chunk == &item.chunks.back();
        if (!is_last) table = &(&chunk + 1)->name;
        require(copy.next_copy() != is_last, "the server answers each COPY of an item");
      }
    } catch (const DatabaseError& error) {
      throw_unread(*table, error);
    }
    return true;
  }

  void read_chunk(CopyOut& copy, const Chunk& chunk) {
    reading_.progress.set_activity(chunk.name);
    rows_to_.begin_chunk(chunk);
    while (const std::optional<RowPiece> piece = copy.next_piece()) {
      rows_to_.add(*piece);
      if (piece->ends_row()) ++rows_;
      bytes_ += piece->text.size();
      if (bytes_ >= kProgressBytes) publish_progress(chunk);
    }
    rows_to_.end_chunk();
    publish_progress(chunk);
    reading_.progress.done += chunk.bytes - std::exchange(counted_, 0);
  }

  void read_large_object_item(const WorkItem& item) {
    reading_.progress.set_activity(kLargeObjectsName);
    read_large_objects(connection_, item.large_objects, [this](std::string_view line) {
      rows_to_.add_large_object_line(line);
      reading_.rate.take(line.size(), stop_);
      reading_.progress.bytes += line.size();
    });
    reading_.progress.done += item.bytes;
  }

  // Progress is counted in the server's table bytes; a chunk's text may be longer or shorter than its share of them.
  void publish_progress(const Chunk& chunk) {
    const std::uint64_t share = std::min(bytes_, chunk.bytes - counted_);
    counted_ += share;
    reading_.progress.done += share;
    reading_.rate.take(bytes_, stop_);
    reading_.progress.bytes += std::exchange(bytes_, 0);
    reading_.progress.rows += std::exchange(rows_, 0);
  }

  Connection& connection_;
  RowReading& reading_;
  Rows& rows_to_;
  const std::stop_token& stop_;
  std::uint64_t bytes_ = 0;    // not yet published
  std::uint64_t rows_ = 0;     // not yet published
  std::uint64_t counted_ = 0;  // of the chunk's bytes, published as done
};

}  // namespace pana
