#include "deployment/freshness.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "base/log.h"
#include "command/backup_list.h"
#include "command/locations.h"
#include "deployment/metrics.h"
#include "deployment/settings.h"
#include "sql/table_filter.h"

namespace pana {
namespace {

// A clock may be a little ahead; a backup of the future would look fresh for ever.
constexpr std::chrono::minutes kClockSkew{5};

// Of so many the function looks at each, at most: it has a minute.
constexpr std::size_t kLookedAtAtMost = 200;

// Behind so many that were made by hand no run is looked for.
constexpr std::size_t kByHandAtMost = 20;

struct Found {
  std::vector<BackupSummary> backups;  // the deployment's complete ones: the newest and the one before
  std::string other;                   // the newest complete one of something else
  std::string passed_over;             // why the newest that is not complete is not
};

// Whose backups count is what the newest one says that was made by a run: somebody may have stored another database's
// beside them by hand. Where there was no run, all are by hand, and the newest says it.
std::vector<BackupSummary> of_one_database(const std::vector<BackupSummary>& backups, std::string& other) {
  const auto by_run =
      std::ranges::find_if(backups, [](const BackupSummary& backup) { return !backup.header.run.empty(); });
  if (backups.empty()) return {};
  const BackupSeries series = (by_run == backups.end() ? backups.front() : *by_run).header.series();
  std::vector<BackupSummary> same;
  for (const BackupSummary& backup : backups) {
    if (may_be_of_one_database(series, backup.header.series())) {
      same.push_back(backup);
    } else if (other.empty()) {
      other = backup.key;
    }
  }
  return same;
}

Found find_newest(ObjectStore& store, const std::vector<std::string>& filters, const std::stop_token& stop) {
  Found found;
  std::vector<BackupSummary> backups;
  std::size_t by_runs = 0;
  std::size_t looked_at = 0;
  visit_newest_first(
      store,
      [&](const BackupSummary& backup) {
        if (!backup.complete()) {
          log_passed_over(backup);
          if (found.passed_over.empty()) found.passed_over = backup.why;
        } else if (backup.time > std::chrono::system_clock::now() + kClockSkew) {
          log(LogLevel::warning, "damaged_backup",
              fmt::format("passed over: {} is of the future: the clock that named it was wrong",
                          store.describe(backup.key)));
        } else if (backup.header.filters == filters) {
          backups.push_back(backup);
          if (!backup.header.run.empty()) ++by_runs;
        } else if (found.other.empty()) {
          found.other = backup.key;
        }
        const bool is_enough = by_runs >= 2 || (by_runs == 0 && backups.size() >= kByHandAtMost);
        return !is_enough && ++looked_at < kLookedAtAtMost;
      },
      stop);
  found.backups = of_one_database(backups, found.other);
  return found;
}

}  // namespace

Freshness::Freshness(const Host& host)
    : host_name_(host.name), location_(required_setting("PANA_LOCATION")),
      filters_(TableFilter({.exclude_schemas = excluded_schemas()}).arguments()) {}

Json Freshness::look(const std::stop_token& stop) const {
  const std::unique_ptr<ObjectStore> store = open_store(location_, {.s3 = {}, .stop = stop});
  const Found found = find_newest(*store, filters_, stop);
  const std::vector<BackupSummary>& backups = found.backups;
  if (backups.empty()) {
    const std::string but =
        found.other.empty()
            ? ""
            : fmt::format(" of what the deployment backs up now, only of another choice: {}", found.other);
    const std::string why = found.passed_over.empty() ? "" : "; " + found.passed_over;
    throw Error(ErrorKind::failed, fmt::format("there is no complete backup in {}{}{}", location_, but, why),
                "invoke the backup function by hand and see what it says");
  }
  const BackupSummary& newest = backups.front();
  const std::chrono::duration<double> age = std::chrono::system_clock::now() - newest.time;
  std::vector<Metric> metrics = {{.name = "BackupAgeSeconds", .unit = "Seconds", .value = age.count()}};
  Json answer = {{"backup", store->describe(newest.key)}, {"age_seconds", age.count()}, {"bytes", newest.bytes}};
  // By the text's size: compression may have been changed in between.
  const auto text_bytes = static_cast<double>(newest.totals.text_bytes);
  if (backups.size() > 1 && backups[1].totals.text_bytes > 0) {
    const double percent = 100 * text_bytes / static_cast<double>(backups[1].totals.text_bytes);
    metrics.push_back({.name = "BackupSizePercent", .unit = "Percent", .value = percent});
    answer["size_percent"] = percent;
  }
  emit(host_name_, metrics);
  return answer;
}

}  // namespace pana
