#include "command/row_reading.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "base/log.h"
#include "base/obstacle.h"
#include "base/setting.h"

namespace pana {
namespace {

// How long an item may stand in the queue of a lock. Short: who stands before it there waits for the session that has
// locked all tables, and which can read the item in the end.
constexpr int kLockTimeoutMilliseconds = 100;

constexpr const char* kLockHint =
    "a migration or another long exclusive lock is in the way; see pg_locks, and try again later";

std::string hint_for_unread(std::string_view table, std::string_view sqlstate) {
  // data_corrupted, index_corrupted, undefined_file, io_error, internal_error
  constexpr std::array kDamage = {"XX001", "XX002", "58P01", "58030", "XX000"};
  constexpr std::string_view kLimitExceeded = "54000";
  if (sqlstate == kLimitExceeded) {
    return "a value is longer as text than the 1 GB that PostgreSQL can give: find it with pg_column_size()" +
           advice(", or leave the rows out with {} '{}'", Setting::exclude_table_data, table);
  }
  if (std::ranges::find(kDamage, sqlstate) == kDamage.end()) return {};
  return "the server's files look damaged" +
         advice(": back up everything else first, with {} '{}'", Setting::exclude_table_data, table);
}

}  // namespace

std::string reading_sql(const WorkItem& item) {
  std::vector<std::string> tables;
  std::vector<std::string> copies;
  for (const Chunk& chunk : item.chunks) {
    tables.push_back("ONLY " + chunk.name);
    copies.push_back(chunk.copy_out);
  }
  return fmt::format("SET lock_timeout = {}; LOCK TABLE {} IN ACCESS SHARE MODE; SET lock_timeout = 0; {}",
                     kLockTimeoutMilliseconds, fmt::join(tables, ", "), fmt::join(copies, "; "));
}

bool begin_reading(CopyOut& copy) try {
  require(copy.next_copy(), "the server answers the first COPY of an item");
  return true;
} catch (const DatabaseError& error) {
  if (!is_lock_in_the_way(error)) throw;
  return false;
}

void leave_over(RowReading& reading, const WorkItem& item) {
  log(LogLevel::info, "lock_queue",
      fmt::format("pana reads at the end what another session has locked or waits to lock exclusively: {}{}",
                  item.chunks.front().name,
                  item.chunks.size() > 1 ? fmt::format(" or one of {} others", item.chunks.size() - 1) : ""));
  reading.left_over.with([&item](std::vector<WorkItem>& items) { items.push_back(item); });
}

void throw_unread(const std::string& table, const DatabaseError& error) {
  const std::string message = fmt::format("cannot read the rows of {}: {}", table, error.what());
  if (is_lock_in_the_way(error)) throw Obstacle(Obstacle::Cause::lock, error.kind(), message, kLockHint);
  throw DatabaseError(message, error.sqlstate(),
                      error.hint().empty() ? hint_for_unread(table, error.sqlstate()) : error.hint());
}

void throw_locked(const WorkItem& item) {
  throw Obstacle(Obstacle::Cause::lock, ErrorKind::failed,
                 fmt::format("{} could not be locked for reading", item.chunks.front().name), kLockHint);
}

}  // namespace pana
