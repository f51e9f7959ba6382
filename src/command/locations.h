// What the user names: a LOCATION is a directory or s3://bucket/prefix; a BACKUP is a file or an object, or a location,
// which means its newest complete backup if all there are of that database, and it is whole or all are of the same
// parts.
#pragma once

#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "command/backup_list.h"
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

// A backup opened for reading.
struct OpenBackup {
  std::unique_ptr<ObjectStore> store;  // where find_backup() found it; the others go before it
  std::unique_ptr<ObjectReader> object;
  std::unique_ptr<BackupReader> reader;
  std::string name;                        // as describe() gives it
  std::vector<BackupSummary> passed_over;  // newer ones of the location that are not complete, the newest first
};

// Throws Error(damaged), with the backup's name, when it is unreadable. `store` must outlive it.
OpenBackup open_backup(ObjectStore& store, const std::string& key, const std::stop_token& stop);

// What the user calls a BACKUP. In a location, newer ones that are not complete or cannot be read are passed over, and
// named in the log. Throws Error(failed) when there is none, Error(refused) when it is a location with other databases'
// backups, too, or whose newest one holds other parts than those before it.
OpenBackup find_backup(const std::string& backup, const StoreAccess& access);

}  // namespace pana
