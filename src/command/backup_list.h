// Which backups a location holds, each summed up from a few bytes at its end.
//
// Backups are known by their name (backup_name.h). What cannot be read is a state of that one
// backup: it is named, and the others are not the worse for it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "format/index.h"
#include "store/object_store.h"

namespace pana {

// The key under which pana check tries a location; the process id follows.
constexpr const char* kTrialKey = "pana_check_";

// Whether an object is one that pana makes, by its key.
bool is_ours(const std::string& key);

enum class BackupState {
  complete,    // as far as read_summary() sees; only verify reads it all
  damaged,     // it was read, and is no whole backup
  unreadable,  // it was not read: no right, archived, no answer. It may be a good one
  newer        // of a format that a later pana writes. It may be a good one
};
std::string_view state_name(BackupState state);

struct BackupSummary {
  std::string key;
  TimePoint time;
  std::uint64_t bytes = 0;
  BackupState state = BackupState::complete;
  IndexHeader header;  // of a complete one, and the totals
  IndexTotals totals;
  std::string why;  // it is not complete, with its name
  std::string hint;

  bool complete() const { return state == BackupState::complete; }
  // A clock was wrong when it was made, here or there. Machines differ by minutes.
  bool is_of_the_future(TimePoint now) const { return time > now + std::chrono::hours(1); }
  // Of the error that it is not complete.
  ErrorKind failure_kind() const { return state == BackupState::damaged ? ErrorKind::damaged : ErrorKind::failed; }
  // Makes of the failure to read it a state; throws it again when it is that pana was stopped.
  void take_failure(const Error& error);
};

// Whether both can be of one database, as far as is known: of the same name, and not on different servers.
bool may_be_of_one_database(const BackupSeries& one, const BackupSeries& other);

// How the databases of several backups are called: by name, and by the server, too, where several have the name.
class DatabaseNames {
 public:
  explicit DatabaseNames(const std::vector<BackupSummary>& backups);
  std::string of(const BackupSeries& series) const;  // "shop", "postgres of the server 7312345678901234567"

 private:
  std::map<std::string, std::set<std::string>> servers_;  // by the database's name
};

// Sums the backup up from its whole index, of which list_backups() may have seen the beginning only: for one that
// others are removed for, or that is taken for good. A failure becomes its state.
void read_whole_index(ObjectStore& store, BackupSummary& backup, const std::stop_token& stop);

// "damaged_backup", "unreadable_backup" or "newer_backup": a backup that was passed over, and why.
void log_passed_over(const BackupSummary& backup);

// Hands over the backups of a store, newest first, for as long as `take` wants more. Reads the whole index of one after
// another: for who needs the first few, and relies on them.
void visit_newest_first(ObjectStore& store, const std::function<bool(const BackupSummary& backup)>& take,
                        const std::stop_token& stop);

// All backups of a store, or so many of the newest, oldest first, many read at the same time.
std::vector<BackupSummary> list_backups(ObjectStore& store, const std::stop_token& stop, std::size_t newest = SIZE_MAX);

}  // namespace pana
