#include "command/backup_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "pg/copy.h"
#include "pg/large_objects.h"
#include "pg/snapshot.h"

namespace pana {
namespace {

// How much a worker reads between two looks at the shared counters.
constexpr std::uint64_t kProgressBytes = 256 * 1024;

// A frame that holds less at the end of a table goes on with the next one. Larger ones end there: who restores one
// table reads little of its neighbours.
constexpr std::uint64_t kSharedFrameBytes = 128 * 1024;

// One worker's way from the socket to the store: a frame under construction and where it goes.
class RowReader {
 public:
  RowReader(RowWork& work, const std::stop_token& stop) : work_(work), stop_(stop), frame_(work.compression) {}

  // Reads the item's rows; returns how many of its chunks are read. Fewer than all: the next one's table is locked.
  std::size_t read(Connection& connection, const WorkItem& item) {
    if (!item.large_objects.empty()) {
      read_large_object_item(connection, item);
      return 0;
    }
    std::size_t chunks_read = 0;
    try {
      CopyOut copy(connection, item.copy_out());
      while (copy.next_copy()) {
        read_chunk(copy, item.chunks.at(chunks_read));
        ++chunks_read;
      }
    } catch (const DatabaseError& error) {
      if (!is_lock_in_the_way(error)) throw;
    }
    return chunks_read;
  }

  void flush() {
    if (frame_.empty()) return;
    Frame frame = frame_.finish(Phase::rows);
    work_.backup.append(frame, stop_);
    frame_.reuse(std::move(frame.encoded));
  }

 private:
  void read_chunk(CopyOut& rows, const Chunk& chunk) {
    work_.progress.set_activity(chunk.name);
    bool open = false;
    while (const std::optional<std::string_view> row = rows.next_row()) {
      if (!open) frame_.begin_copy(chunk.table, chunk.copy_in);
      open = true;
      frame_.add_row(*row);
      ++rows_;
      bytes_ += row->size();
      if (bytes_ >= kProgressBytes) publish_progress(chunk);
      if (frame_.bytes() < work_.frame_bytes) continue;
      frame_.end_copy();
      open = false;
      flush();
    }
    if (open) frame_.end_copy();
    if (frame_.bytes() >= kSharedFrameBytes) flush();
    publish_progress(chunk);
    work_.progress.done += chunk.bytes - std::exchange(counted_, 0);
  }

  // The lines of large objects do not share a frame with a table's rows.
  void read_large_object_item(Connection& connection, const WorkItem& item) {
    work_.progress.set_activity("large objects");
    flush();
    read_large_objects(connection, item.large_objects, [this](std::string_view line) {
      frame_.add_large_object_line(line);
      work_.rate.take(line.size(), stop_);
      work_.progress.bytes += line.size();
      if (frame_.bytes() >= work_.frame_bytes) flush();
    });
    flush();
    work_.progress.done += item.bytes;
  }

  // Progress is counted in the server's table bytes; a chunk's text may be longer or shorter than its share of them.
  void publish_progress(const Chunk& chunk) {
    const std::uint64_t share = std::min(bytes_, chunk.bytes - counted_);
    counted_ += share;
    work_.progress.done += share;
    work_.rate.take(bytes_, stop_);
    work_.progress.bytes += std::exchange(bytes_, 0);
    work_.progress.rows += std::exchange(rows_, 0);
  }

  RowWork& work_;
  const std::stop_token& stop_;
  FrameBuilder frame_;
  std::uint64_t bytes_ = 0;    // not yet published
  std::uint64_t rows_ = 0;     // not yet published
  std::uint64_t counted_ = 0;  // of the chunk's bytes, published as done
};

}  // namespace

void read_items(Connection& connection, RowWork& work, const std::stop_token& stop) {
  RowReader reader(work, stop);
  std::size_t locks = 0;
  while (WorkItem* const item = work.items.next()) {
    const std::size_t chunks_read = reader.read(connection, *item);
    locks += chunks_read;
    const bool is_whole = chunks_read == item->chunks.size();
    if (!is_whole) {
      log(LogLevel::info, "lock_queue",
          fmt::format("{} is left for the end: another session waits for an exclusive lock on it",
                      item->chunks[chunks_read].name));
      item->chunks.erase(item->chunks.begin(), item->chunks.begin() + static_cast<std::ptrdiff_t>(chunks_read));
      work.left_over.with([item](std::vector<WorkItem>& items) { items.push_back(std::move(*item)); });
    }
    if (is_whole && locks < kTablesLockedAtMost) continue;
    release_locks(connection);  // the control connection has its own
    locks = 0;
  }
  reader.flush();
}

void read_left_over(Connection& control, RowWork& work, const std::stop_token& stop) {
  RowReader reader(work, stop);
  for (const WorkItem& item : work.left_over.with([](std::vector<WorkItem>& items) { return std::move(items); })) {
    if (reader.read(control, item) < item.chunks.size()) {
      throw Error(ErrorKind::failed, fmt::format("{} could not be locked for reading", item.chunks.front().name));
    }
  }
  reader.flush();
}

}  // namespace pana
