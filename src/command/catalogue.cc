#include "command/catalogue.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/error.h"
#include "base/log.h"
#include "store/directory_store.h"

namespace pana {

namespace fs = std::filesystem;

std::unique_ptr<ObjectStore> open_store(const std::string& location) {
  if (location.empty()) throw Error(ErrorKind::usage, "the location is empty", "name a directory");
  if (location.find("://") != std::string::npos) {
    throw Error(ErrorKind::usage, fmt::format("{} is not a location this pana knows", location), "name a directory");
  }
  return std::make_unique<DirectoryStore>(location);
}

std::optional<TimePoint> backup_time(const std::string& key) {
  constexpr std::string_view kPrefix = "backup_";
  constexpr std::size_t kTimeLength = 15;
  if (!key.starts_with(kPrefix) || key.size() < kPrefix.size() + kTimeLength) return std::nullopt;
  const std::string_view suffix = std::string_view(key).substr(kPrefix.size() + kTimeLength);
  if (suffix != ".sql" && suffix != ".sql.zst") return std::nullopt;
  return parse_compact_time(std::string_view(key).substr(kPrefix.size(), kTimeLength));
}

OpenBackup open_backup(ObjectStore& store, const std::string& key) {
  OpenBackup backup{.object = store.open(key), .reader = nullptr, .name = store.describe(key)};
  try {
    backup.reader = std::make_unique<BackupReader>(*backup.object);
  } catch (const Error& error) {
    throw Error(error.kind(), fmt::format("{}: {}", backup.name, error.what()), error.hint());
  }
  return backup;
}

OpenBackup find_backup(const std::string& backup) {
  const fs::path path(backup);
  if (backup.find("://") == std::string::npos && !fs::is_directory(path)) {
    if (!fs::exists(path)) throw Error(ErrorKind::failed, fmt::format("{} does not exist", backup));
    const fs::path directory = path.has_parent_path() ? path.parent_path() : fs::path(".");
    return open_backup(*open_store(directory.string()), path.filename().string());
  }
  const std::unique_ptr<ObjectStore> store = open_store(backup);
  std::vector<ObjectInfo> objects = store->list();
  for (auto object = objects.rbegin(); object != objects.rend(); ++object) {
    if (!backup_time(object->key)) continue;
    try {
      return open_backup(*store, object->key);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::damaged) throw;
      log(LogLevel::warning, "damaged_backup", fmt::format("passed over: {}", error.what()));
    }
  }
  throw Error(ErrorKind::failed, fmt::format("{} holds no complete backup", backup),
              "pana list shows what is there");
}

std::vector<BackupListing> list_backups(ObjectStore& store) {
  std::vector<BackupListing> backups;
  for (ObjectInfo& object : store.list()) {
    const std::optional<TimePoint> time = backup_time(object.key);
    if (!time) continue;
    BackupListing& listing = backups.emplace_back();
    listing.object = std::move(object);
    listing.time = *time;
    try {
      listing.index = open_backup(store, listing.object.key).reader->index();
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::damaged) throw;
      listing.damage = error.what();
    }
  }
  return backups;
}

}  // namespace pana
