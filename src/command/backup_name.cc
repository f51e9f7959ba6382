#include "command/backup_name.h"

#include <fmt/format.h>

namespace pana {
namespace {

constexpr std::string_view kPrefix = "backup_";
constexpr std::string_view kPlain = ".sql";
constexpr std::string_view kCompressed = ".sql.zst";

}  // namespace

std::string BackupName::key() const {
  return fmt::format("{}{}{}", kPrefix, compact_time(time), is_compressed ? kCompressed : kPlain);
}

std::optional<BackupName> parse_backup_name(std::string_view key) {
  if (!key.starts_with(kPrefix) || !ends_like_backup(key)) return std::nullopt;
  const bool is_compressed = key.ends_with(kCompressed);
  key.remove_prefix(kPrefix.size());
  key.remove_suffix((is_compressed ? kCompressed : kPlain).size());
  const std::optional<TimePoint> time = parse_compact_time(key);
  if (!time) return std::nullopt;
  return BackupName{.time = *time, .is_compressed = is_compressed};
}

bool ends_like_backup(std::string_view name) { return name.ends_with(kPlain) || name.ends_with(kCompressed); }

}  // namespace pana
