#include "lambda/freshness_handler.h"

#include <fmt/format.h>

#include <chrono>

#include "base/log.h"
#include "command/catalogue.h"
#include "lambda/metrics.h"
#include "lambda/settings.h"
#include "pg/table_filter.h"

namespace pana {
namespace {

// The newest complete backups with these filters, at most two, the newest first.
std::vector<BackupListing> newest_two(ObjectStore& store, const std::vector<std::string>& filters) {
  std::vector<BackupListing> found;
  visit_newest_first(store, [&](const BackupListing& backup) {
    if (!backup.index) {
      log(LogLevel::warning, "damaged_backup", fmt::format("passed over: {}", backup.damage));
    } else if (backup.index->header.filters == filters) {
      found.push_back(backup);
    }
    return found.size() < 2;
  });
  return found;
}

Json look(const std::string& location, const std::vector<std::string>& filters, const std::stop_token& stop) {
  const std::unique_ptr<ObjectStore> store = open_store(location, {.s3 = {}, .stop = stop});
  const std::vector<BackupListing> backups = newest_two(*store, filters);
  if (backups.empty()) {
    throw Error(ErrorKind::failed, fmt::format("there is no complete backup in {}", location),
                "invoke the backup function by hand and see what it says");
  }
  const BackupListing& newest = backups.front();
  const std::chrono::duration<double> age = std::chrono::system_clock::now() - newest.time;
  std::vector<Metric> metrics = {{.name = "BackupAgeSeconds", .unit = "Seconds", .value = age.count()}};
  Json answer = {{"backup", store->describe(newest.object.key)}, {"age_seconds", age.count()}, {"bytes", newest.object.bytes}};
  // By the text's size: compression may have been changed in between.
  const auto text_bytes = static_cast<double>(newest.index->text_bytes());
  if (backups.size() > 1 && backups[1].index->text_bytes() > 0) {
    const double percent = 100 * text_bytes / static_cast<double>(backups[1].index->text_bytes());
    metrics.push_back({.name = "BackupSizePercent", .unit = "Percent", .value = percent});
    answer["size_percent"] = percent;
  }
  emit(metrics);
  return answer;
}

}  // namespace

Handler make_freshness_handler() {
  const std::string location = required_setting("PANA_LOCATION");
  const std::vector<std::string> filters = TableFilter({.exclude_schemas = excluded_schemas()}).arguments();
  return [location, filters](const Invocation&, const std::stop_token& stop) { return look(location, filters, stop); };
}

}  // namespace pana
