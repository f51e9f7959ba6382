// Which backups a location holds.
//
// A LOCATION is a directory or s3://bucket/prefix; a BACKUP is a file or an object, or a location, which means its
// newest complete backup if that is of the whole database, or all there are of the same parts. Backups are known by their name, backup_YYYYMMDD_HHMMSS.sql or .sql.zst; whether one is complete is seen by reading its index.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "format/backup_reader.h"
#include "store/object_store.h"
#include "store/s3_options.h"

namespace pana {

// How locations are reached.
struct StoreAccess {
  S3Options s3;
  std::stop_token stop;
};

std::unique_ptr<ObjectStore> open_store(const std::string& location, const StoreAccess& access);

// The key under which pana check tries a location; the process id follows.
constexpr const char* kTrialKey = "pana_check_";

// Whether an object is one that pana makes, by its key.
bool is_ours(const std::string& key);

// The time in the name of a backup; nothing when the key is not one of ours.
std::optional<TimePoint> backup_time(const std::string& key);

// A backup opened for reading.
struct OpenBackup {
  std::unique_ptr<ObjectStore> store;  // where find_backup() found it; the others go before it
  std::unique_ptr<ObjectReader> object;
  std::unique_ptr<BackupReader> reader;
  std::string name;  // as describe() gives it
};

// Throws Error(damaged), with the backup's name, when it is unreadable. `store` must outlive it.
OpenBackup open_backup(ObjectStore& store, const std::string& key);

// What the user calls a BACKUP. Throws Error(failed) when there is none, Error(refused) when it is a location whose newest
// one holds other parts than those before it.
OpenBackup find_backup(const std::string& backup, const StoreAccess& access);

struct BackupListing {
  ObjectInfo object;
  TimePoint time;
  std::optional<Index> index;  // nothing: it cannot be read
  std::string damage;          // why
};

// Hands over the backups of a store, newest first, each with its index, for as long as `take` wants more.
void visit_newest_first(ObjectStore& store, const std::function<bool(const BackupListing& backup)>& take);

// All backups of a store, oldest first, each with its index.
std::vector<BackupListing> list_backups(ObjectStore& store);

}  // namespace pana
