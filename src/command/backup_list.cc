#include "command/backup_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <utility>

#include "base/guarded.h"
#include "base/log.h"
#include "base/parallel.h"
#include "base/work_list.h"
#include "command/backup_name.h"
#include "format/backup_reader.h"

namespace pana {
namespace {

// A summary waits for two or three answers of the store, and holds some 2 MiB.
constexpr std::size_t kReadAtOnce = 16;

// A whole index can be as large as it likes.
constexpr std::size_t kWholeIndexesAtOnce = 4;

// The backups by their names, oldest first; nothing is read of them yet.
std::vector<BackupSummary> named_backups(ObjectStore& store) {
  std::vector<BackupSummary> backups;
  for (ObjectInfo& object : store.list()) {
    if (const auto name = parse_backup_name(object.key)) {
      backups.push_back({.key = std::move(object.key), .time = name->time, .bytes = object.bytes});
    }
  }
  return backups;
}

// Runs what reads a backup; a failure of it becomes the backup's state.
void read(ObjectStore& store, BackupSummary& backup, const std::function<void(const ObjectReader& object)>& look) try {
  look(*store.open(backup.key));
} catch (const Error& error) {
  backup.take_failure(error);
  if (backup.state != BackupState::unreadable)
    backup.why = fmt::format("{}: {}", store.describe(backup.key), backup.why);
}

// Returns false when only the whole index tells.
bool summarize(ObjectStore& store, BackupSummary& backup, const std::stop_token& stop) {
  bool is_told = true;
  read(store, backup, [&](const ObjectReader& object) {
    std::optional<IndexSummary> summary = read_summary(object, stop);
    is_told = summary.has_value();
    if (!summary) return;
    backup.header = std::move(summary->header);
    backup.totals = summary->totals;
  });
  return is_told;
}

void for_each_at_once(std::size_t threads, std::span<BackupSummary*> backups, const std::stop_token& stop,
                      const std::function<void(BackupSummary* backup, const std::stop_token& stop)>& work) {
  WorkList<BackupSummary*> list(backups);
  run_parallel(
      std::min(threads, backups.size()),
      [&](const std::stop_token& worker_stop) {
        while (BackupSummary** const backup = worker_stop.stop_requested() ? nullptr : list.next())
          work(*backup, worker_stop);
      },
      stop);
}

}  // namespace

bool is_ours(const std::string& key) { return parse_backup_name(key).has_value() || key.starts_with(kTrialKey); }

std::string_view state_name(BackupState state) {
  switch (state) {
    case BackupState::complete: return "complete";
    case BackupState::damaged: return "damaged";
    case BackupState::unreadable: return "unreadable";
    case BackupState::newer: return "newer";
  }
  return "";
}

void BackupSummary::take_failure(const Error& error) {
  if (error.kind() == ErrorKind::interrupted) throw error;
  const bool is_newer = dynamic_cast<const NewerFormat*>(&error) != nullptr;
  state = error.kind() == ErrorKind::damaged ? BackupState::damaged
          : is_newer                         ? BackupState::newer
                                             : BackupState::unreadable;
  why = error.what();
  hint = error.hint();
}

bool may_be_of_one_database(const BackupSeries& one, const BackupSeries& other) {
  return one.database == other.database && (one.system_identifier == other.system_identifier ||
                                            one.system_identifier.empty() || other.system_identifier.empty());
}

DatabaseNames::DatabaseNames(const std::vector<BackupSummary>& backups) {
  for (const BackupSummary& backup : backups) servers_[backup.header.database].insert(backup.header.system_identifier);
}

std::string DatabaseNames::of(const BackupSeries& series) const {
  const auto servers = servers_.find(series.database);
  if (servers == servers_.end() || servers->second.size() < 2) return series.database;
  return fmt::format("{} of {}", series.database,
                     series.system_identifier.empty() ? "an unknown server" : "the server " + series.system_identifier);
}

void read_whole_index(ObjectStore& store, BackupSummary& backup, const std::stop_token& stop) {
  read(store, backup, [&](const ObjectReader& object) {
    const BackupReader reader(object, stop);
    backup.header = reader.index().header;
    backup.totals = reader.index().totals();
  });
}

void log_passed_over(const BackupSummary& backup) {
  log(LogLevel::warning, fmt::format("{}_backup", state_name(backup.state)), fmt::format("passed over: {}", backup.why),
      {{"hint", backup.hint}});
}

void visit_newest_first(ObjectStore& store, const std::function<bool(const BackupSummary& backup)>& take,
                        const std::stop_token& stop) {
  std::vector<BackupSummary> backups = named_backups(store);
  for (auto backup = backups.rbegin(); backup != backups.rend(); ++backup) {
    read_whole_index(store, *backup, stop);
    if (!take(*backup)) return;
  }
}

std::vector<BackupSummary> list_backups(ObjectStore& store, const std::stop_token& stop, std::size_t newest) {
  std::vector<BackupSummary> backups = named_backups(store);
  if (backups.size() > newest) backups.erase(backups.begin(), backups.end() - static_cast<std::ptrdiff_t>(newest));
  std::vector<BackupSummary*> all;
  all.reserve(backups.size());
  for (BackupSummary& backup : backups) all.push_back(&backup);
  Guarded<std::vector<BackupSummary*>> older;
  for_each_at_once(kReadAtOnce, all, stop, [&](BackupSummary* backup, const std::stop_token& worker_stop) {
    if (!summarize(store, *backup, worker_stop)) older.with([backup](auto& list) { list.push_back(backup); });
  });
  std::vector<BackupSummary*> whole = older.with([](auto& list) { return std::move(list); });
  for_each_at_once(kWholeIndexesAtOnce, whole, stop, [&](BackupSummary* backup, const std::stop_token& worker_stop) {
    read_whole_index(store, *backup, worker_stop);
  });
  return backups;
}

}  // namespace pana
