#include "deployment/scheduled_backup.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "base/environment.h"
#include "base/human.h"
#include "base/log.h"
#include "base/progress.h"
#include "command/backup.h"
#include "command/backup_list.h"
#include "command/backup_options.h"
#include "command/locations.h"
#include "deployment/backup_event.h"
#include "deployment/database_url.h"
#include "deployment/deadline.h"
#include "deployment/metrics.h"
#include "deployment/notification.h"
#include "deployment/settings.h"
#include "pg/database_address.h"
#include "store/s3_client.h"

namespace pana {
namespace {

// A host may start a run again within minutes, and never does after six hours (Lambda's limit for asynchronous events).
constexpr std::chrono::hours kRepeatedWithin{6};

// What telling the topic may take, and what is kept for the answer behind it.
constexpr std::chrono::seconds kTimeToTell{15};
constexpr std::chrono::seconds kTimeToAnswer{5};

// "s3://bucket/KEY"
std::string key_in_bucket(const std::string& name) {
  const std::size_t scheme = name.find("://");
  return scheme == std::string::npos ? name : name.substr(name.find('/', scheme + 3) + 1);
}

// The answer of the run that made this backup already. A look that the role does not allow must not keep a backup from
// being made.
std::optional<Json> answer_of_earlier_run(ObjectStore& store, const std::string& run, const std::stop_token& stop) try {
  std::optional<Json> answer;
  const TimePoint oldest = std::chrono::system_clock::now() - kRepeatedWithin;
  visit_newest_first(
      store,
      [&](const BackupSummary& backup) {
        if (backup.time < oldest) return false;
        if (!backup.complete()) log_passed_over(backup);
        if (!backup.complete() || backup.header.run != run) return true;
        const std::string name = store.describe(backup.key);
        answer = {{"backup", name},
                  {"key", key_in_bucket(name)},
                  {"bytes", backup.bytes},
                  {"text_bytes", backup.totals.text_bytes},
                  {"rows", backup.totals.rows},
                  {"tables", backup.totals.tables},
                  {"snapshot_time", backup.header.snapshot_time},
                  {"repeated", true}};
        log(LogLevel::warning, "repeated",
            fmt::format("AWS started this run twice, and its backup exists already: {}", name));
        return false;
      },
      stop);
  return answer;
} catch (const S3Error& error) {
  if (error.status() != 403) throw;
  log(LogLevel::warning, "not_listed", fmt::format("cannot tell whether AWS started this run twice: {}", error.what()));
  return std::nullopt;
}

Error too_late(const ProgressReading& reading, const std::string& hint) {
  return Error(ErrorKind::interrupted,
               fmt::format("the backup ran out of time after {} and was abandoned while {}, with {} rows, {} of text "
                           "and {:.0f} % of the tables read",
                           human_seconds(reading.seconds), reading.activity.empty() ? "starting" : reading.activity,
                           human_count(reading.rows), human_bytes(reading.bytes), 100 * reading.fraction()),
               hint);
}

std::vector<Metric> metrics_of(const BackupReport& report) {
  return {{.name = "BackupBytes", .unit = "Bytes", .value = static_cast<double>(report.bytes)},
          {.name = "BackupTextBytes", .unit = "Bytes", .value = static_cast<double>(report.text_bytes)},
          {.name = "BackupRows", .unit = "Count", .value = static_cast<double>(report.rows)},
          {.name = "BackupTables", .unit = "Count", .value = static_cast<double>(report.tables)},
          {.name = "BackupSeconds", .unit = "Seconds", .value = report.seconds}};
}

void take_from_environment(const BackupOption& option, BackupRequest& request) {
  if (*option.variable == '\0') return;
  const std::string value = environment_value(option.variable);
  if (value.empty()) return;
  try {
    option.apply(request, value);
  } catch (const Error& error) {
    throw Error(ErrorKind::usage,
                fmt::format("the environment variable {}: {} is {}", option.variable, value, error.what()));
  }
}

}  // namespace

// One run under way.
class ScheduledBackup::Attempt {
 public:
  Attempt(const ScheduledBackup& backup, const Run& run) : backup_(backup), run_(run) {}

  Json answer(const std::stop_token& stop) {
    Json answer;
    run_watched(
        {.deadline = run_.deadline,
         .report = [this] { log_progress("backing up", reading()); },
         .too_late = [this] { return too_late(reading(), backup_.host_.time_hint); }},
        [&](const std::stop_token& stopped) { answer = back_up_now(stopped); }, stop);
    return answer;
  }

  // In what is left of the time, and not in the last of it: the host is to be answered, too.
  void tell(const Error& error) {
    const auto left = std::chrono::floor<std::chrono::seconds>(run_.deadline - std::chrono::system_clock::now());
    publish(backup_.topic_,
            describe({.database = database_,
                      .location = backup_.location_,
                      .started = began_,
                      .seconds = reading().seconds,
                      .next_steps = backup_.host_.next_steps(run_.id)},
                     error),
            std::clamp(left - kTimeToAnswer, std::chrono::seconds(2), kTimeToTell));
  }

 private:
  ProgressReading reading() { return read_progress(progress_, started_); }

  Json back_up_now(const std::stop_token& stop) {
    BackupRequest request = parse_backup_event(run_.event, run_.id, backup_.defaults_);
    request.url = database_url(stop);
    database_ = DatabaseAddress(request.url).description();
    const std::unique_ptr<ObjectStore> store = open_store(backup_.location_, {.s3 = {}, .stop = stop});
    if (std::optional<Json> earlier = answer_of_earlier_run(*store, request.run, stop)) return *earlier;
    const BackupReport report = back_up(request, *store, progress_, stop);
    emit(backup_.host_.name, metrics_of(report));
    const std::string name = store->describe(report.key);
    Json answer = {{"backup", name}};
    answer.update(report.json());
    answer["key"] = key_in_bucket(name);
    log(LogLevel::info, "backup", fmt::format("{} is complete", name), answer);
    return answer;
  }

  const ScheduledBackup& backup_;
  const Run& run_;
  const TimePoint began_ = std::chrono::system_clock::now();
  const std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
  Progress progress_;
  std::string database_;
};

ScheduledBackup::ScheduledBackup(Host host) : host_(std::move(host)) {
  require_database_url();
  location_ = required_setting("PANA_LOCATION");
  topic_ = required_setting("PANA_TOPIC_ARN");
  for (const BackupOption& option : backup_options()) take_from_environment(option, defaults_);
  defaults_.filter = TableFilter({.exclude_schemas = excluded_schemas()});
}

Json ScheduledBackup::run(const Run& run, const std::stop_token& stop) const {
  Attempt attempt(*this, run);
  try {
    return attempt.answer(stop);
  } catch (...) {
    const Error error = current_error();
    log(LogLevel::info, "telling", fmt::format("the backup failed, telling the topic: {}", error.what()));
    try {
      attempt.tell(error);
    } catch (...) {
      const Error silence = current_error();
      log(LogLevel::error, "not_told",
          fmt::format("the message about the failure could not be sent: {}", silence.what()),
          {{"hint", silence.hint()}});
    }
    throw error;
  }
}

}  // namespace pana
