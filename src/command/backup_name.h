// How backups are called in a location: backup_YYYYMMDD_HHMMSS.sql, or .sql.zst where compressed. The one place that
// knows.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace pana {

struct BackupName {
  TimePoint time;  // when it was begun, in whole seconds
  bool is_compressed = false;

  std::string key() const;
};

// Nothing when the key is not one of ours.
std::optional<BackupName> parse_backup_name(std::string_view key);

// Whether a name ends like a backup's, as a copy under another name does.
bool ends_like_backup(std::string_view name);

}  // namespace pana
