#include "command/locations.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/human.h"
#include "base/log.h"
#include "command/backup_list.h"
#include "command/backup_name.h"
#include "pg/conninfo.h"
#include "store/directory_store.h"
#include "store/s3_store.h"

namespace pana {

namespace fs = std::filesystem;

namespace {

bool is_url(const std::string& location) { return location.find("://") != std::string::npos; }

// The location and the key of a BACKUP that names one object; nothing when it names a location. What an object of S3
// is can only be told by its name.
std::optional<std::pair<std::string, std::string>> object_named(const std::string& backup) {
  if (is_connection_string(backup))
    return std::nullopt;  // open_store() says so: it may hold a password, and must not become a name
  if (is_url(backup)) {
    const std::size_t slash = backup.rfind('/');
    if (!ends_like_backup(backup)) return std::nullopt;
    return std::pair(backup.substr(0, slash), backup.substr(slash + 1));
  }
  const fs::path path(backup);
  std::error_code cannot_look;  // whoever opens it says why
  if (fs::is_directory(path, cannot_look)) return std::nullopt;
  if (!fs::exists(path, cannot_look) && !cannot_look)
    throw Error(ErrorKind::failed, fmt::format("{} does not exist", backup),
                "run pana list LOCATION to see which backups there are");
  return std::pair(path.has_parent_path() ? path.parent_path().string() : ".", path.filename().string());
}

// Who restores it, or finds a database equal to it, shall not take it for the whole.
void warn_of_parts(const OpenBackup& backup) {
  const IndexHeader& header = backup.reader->index().header;
  if (!header.filters.empty()) {
    log(LogLevel::warning, "partial_backup",
        fmt::format("the backup holds only the parts chosen with {}: {}", fmt::join(header.filters, " "), backup.name));
  }
  if (!header.kept_from_us.empty()) {
    log(LogLevel::warning, "kept_from_us",
        fmt::format("the backup lacks what the server shows only to superusers and owners: {}",
                    fmt::join(header.kept_from_us, ", ")));
  }
}

// Of the other backups so many are looked at: the newest, for databases that share a location take turns there.
constexpr std::size_t kOthersLookedAt = 100;

// Of the night on which something has to be restored no more is asked than this look: what does not answer at once is
// left alone, and a warning tells.
std::vector<BackupSummary> look_at_others(const std::string& location, StoreAccess access) try {
  access.s3.attempts_at_most = 1;
  access.s3.read_timeout_seconds = std::min<std::int64_t>(access.s3.read_timeout_seconds, 10);
  std::vector<BackupSummary> backups = list_backups(*open_store(location, access), access.stop, kOthersLookedAt);
  const auto unreadable = std::ranges::count_if(
      backups, [](const BackupSummary& backup) { return backup.state == BackupState::unreadable; });
  if (unreadable > 0) {
    log(LogLevel::warning, "others_unknown",
        fmt::format("cannot tell whether {} in {} are of the same database, because pana could not read them",
                    counted(static_cast<std::uint64_t>(unreadable), "other backup"), location));
  }
  std::erase_if(backups, [](const BackupSummary& backup) { return !backup.complete(); });
  return backups;
} catch (const Error& error) {
  if (error.kind() == ErrorKind::interrupted) throw;
  log(LogLevel::warning, "others_unknown",
      fmt::format("whether the other backups in {} are of the same database is not known: {}", location, error.what()));
  return {};
}

// The newest of the others that is of another database. One of the same name that ended before the newest one's began
// is that same database on a server that is gone, as after an upgrade: a warning.
const BackupSummary* find_other_database(const BackupSeries& series, const std::vector<BackupSummary>& others,
                                         const DatabaseNames& databases) {
  std::optional<TimePoint> began;  // what is known to be on the newest one's server
  std::set<std::string> servers;
  for (const BackupSummary& other : others) {
    if (other.header.database != series.database || other.header.system_identifier.empty()) continue;
    if (!began && other.header.system_identifier == series.system_identifier) began = other.time;
    servers.insert(other.header.system_identifier);
  }
  const BackupSummary* predecessor = nullptr;
  for (auto other = others.rbegin(); other != others.rend(); ++other) {
    const BackupSeries its = other->header.series();
    const bool is_predecessor = its.database == series.database && began && other->time < *began;
    if (is_predecessor && !predecessor && !may_be_of_one_database(series, its)) predecessor = &*other;
    // One of an unknown server can be of any of several.
    const bool is_of_unknown = series.system_identifier.empty() && its.database == series.database &&
                               servers.size() > 1 && !its.system_identifier.empty();
    if (!is_predecessor && (is_of_unknown || !may_be_of_one_database(series, its))) return &*other;
  }
  if (predecessor != nullptr) {
    log(LogLevel::warning, "other_server",
        fmt::format("older backups there are of {}, the newest is of {}: {}",
                    databases.of(predecessor->header.series()), databases.of(series), predecessor->key));
  }
  return nullptr;
}

// Who names a location whose newest backup is of another database than they think, or of one table that somebody stored
// beside the whole, would get that and believe it to be theirs and everything.
void refuse_others(const ObjectStore& store, const OpenBackup& newest, const std::string& location,
                   const StoreAccess& access) {
  const std::vector<BackupSummary> others = look_at_others(location, access);
  const DatabaseNames databases(others);
  const BackupSeries series = newest.reader->index().header.series();
  if (const BackupSummary* const other = find_other_database(series, others, databases)) {
    const std::string name = store.describe(other->key);
    throw Error(ErrorKind::refused,
                fmt::format("{} holds backups of several databases: the newest is of {}: {}; another is of {}: {}",
                            location, databases.of(series), newest.name, databases.of(other->header.series()), name),
                fmt::format("name the one that is meant, such as {} or {}", newest.name, name));
  }
  if (series.filters.empty()) return;
  for (auto other = others.rbegin(); other != others.rend(); ++other) {
    const std::vector<std::string>& filters = other->header.filters;
    if (filters == series.filters) continue;
    const std::string name = store.describe(other->key);
    throw Error(ErrorKind::refused,
                fmt::format("the newest backup in {} holds only the parts chosen with {}: {}; an older one {}: {}",
                            location, fmt::join(series.filters, " "), newest.name,
                            filters.empty() ? "holds the whole database"
                                            : fmt::format("is of others, {}", fmt::join(filters, " ")),
                            name),
                fmt::format("name the one that is meant, such as {}", name));
  }
}

OpenBackup open_newest(ObjectStore& store, const std::string& location, const StoreAccess& access) {
  const std::stop_token& stop = access.stop;
  std::optional<OpenBackup> newest;
  std::vector<BackupSummary> passed_over;
  visit_newest_first(
      store,
      [&](const BackupSummary& backup) {
        if (backup.complete()) {
          newest = open_backup(store, backup.key, stop);
          return false;
        }
        log_passed_over(backup);
        passed_over.push_back(backup);
        return true;
      },
      stop);
  if (newest) {
    refuse_others(store, *newest, location, access);
    newest->passed_over = std::move(passed_over);
    return std::move(*newest);
  }
  throw Error(
      passed_over.empty() ? ErrorKind::failed : passed_over.front().failure_kind(),
      fmt::format("{} holds no complete backup{}", location, passed_over.empty() ? "" : "; " + passed_over.front().why),
      passed_over.empty() ? "pana list shows what is there" : passed_over.front().hint);
}

}  // namespace

std::unique_ptr<ObjectStore> open_store(const std::string& location, const StoreAccess& access) {
  constexpr const char* kHint = "name a directory, or s3://bucket/prefix";
  if (location.empty()) throw Error(ErrorKind::usage, "the location is empty", kHint);
  if (is_connection_string(location)) {
    throw Error(ErrorKind::usage, "the location is a database's URL or connection string", kHint);
  }
  if (location.starts_with("s3://") && ends_like_backup(location)) {
    throw Error(ErrorKind::usage, "the location has a name that only a backup may have", kHint);
  }
  if (location.starts_with("s3://")) return std::make_unique<S3Store>(location, access.s3, access.stop);
  if (is_url(location) || location.starts_with("s3:")) {
    throw Error(ErrorKind::usage, fmt::format("{} is no location that pana knows", location), kHint);
  }
  return std::make_unique<DirectoryStore>(location);
}

OpenBackup open_backup(ObjectStore& store, const std::string& key, const std::stop_token& stop) {
  OpenBackup backup{
      .store = nullptr, .object = store.open(key), .reader = nullptr, .name = store.describe(key), .passed_over = {}};
  try {
    backup.reader = std::make_unique<BackupReader>(*backup.object, stop);
  } catch (const Error& error) {
    throw Error(error.kind(), fmt::format("{}: {}", backup.name, error.what()), error.hint());
  }
  return backup;
}

OpenBackup find_backup(const std::string& backup, const StoreAccess& access) {
  const auto named = object_named(backup);
  std::unique_ptr<ObjectStore> store = open_store(named ? named->first : backup, access);
  OpenBackup open = named ? open_backup(*store, named->second, access.stop) : open_newest(*store, backup, access);
  open.store = std::move(store);
  warn_of_parts(open);
  return open;
}

}  // namespace pana
