#include "lambda/backup_handler.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>

#include "base/environment.h"
#include "base/human.h"
#include "base/log.h"
#include "base/progress.h"
#include "base/text.h"
#include "command/backup.h"
#include "command/backup_list.h"
#include "command/locations.h"
#include "lambda/backup_event.h"
#include "lambda/database_url.h"
#include "lambda/deadline.h"
#include "lambda/metrics.h"
#include "lambda/notification.h"
#include "lambda/settings.h"
#include "pg/database_address.h"
#include "store/s3_client.h"

namespace pana {
namespace {

// Lambda delivers an event again within minutes, and never after six hours.
constexpr std::chrono::hours kRepeatedWithin{6};

// What telling the topic may take, and what is kept for the answer behind it.
constexpr std::chrono::seconds kTimeToTell{15};
constexpr std::chrono::seconds kTimeToAnswer{5};

struct Deployment {
  std::string location;
  std::string topic;
  BackupRequest defaults;
  TableFilter::Patterns patterns;
};

Deployment read_deployment() {
  require_database_url();
  Deployment deployment{.location = required_setting("PANA_LOCATION"), .topic = required_setting("PANA_TOPIC_ARN")};
  deployment.defaults.jobs = number_setting("PANA_JOBS", 1, 64, deployment.defaults.jobs);
  deployment.defaults.compression = parse_compression(first_of({environment_value("PANA_COMPRESSION"), "none"}));
  deployment.patterns.exclude_schemas = excluded_schemas();
  return deployment;
}

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
  visit_newest_first(store, [&](const BackupSummary& backup) {
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
    log(LogLevel::warning, "repeated", fmt::format("this run was asked for twice, its backup is there: {}", name));
    return false;
  }, stop);
  return answer;
} catch (const S3Error& error) {
  if (error.status() != 403) throw;
  log(LogLevel::warning, "not_listed", fmt::format("whether this run was asked for twice is not known: {}", error.what()));
  return std::nullopt;
}

Error too_late(const ProgressReading& reading) {
  return Error(ErrorKind::interrupted,
               fmt::format("the function's time was over after {}: the backup was given up ({}) with {} rows, {} of text "
                           "and {:.0f} % of the tables read",
                           human_seconds(reading.seconds), reading.activity.empty() ? "starting" : reading.activity,
                           human_count(reading.rows), human_bytes(reading.bytes), 100 * reading.fraction()),
               "raise memory_size (the CPU grows with it), jobs, and timeout (900 at most); what takes longer than Lambda "
               "allows is done by pana backup on a machine or as a container task");
}

std::vector<Metric> metrics_of(const BackupReport& report) {
  return {{.name = "BackupBytes", .unit = "Bytes", .value = static_cast<double>(report.bytes)},
          {.name = "BackupTextBytes", .unit = "Bytes", .value = static_cast<double>(report.text_bytes)},
          {.name = "BackupRows", .unit = "Count", .value = static_cast<double>(report.rows)},
          {.name = "BackupTables", .unit = "Count", .value = static_cast<double>(report.tables)},
          {.name = "BackupSeconds", .unit = "Seconds", .value = report.seconds}};
}

// One invocation under way.
class Run {
 public:
  Run(const Deployment& deployment, const Invocation& invocation) : deployment_(deployment), invocation_(invocation) {}

  Json answer(const std::stop_token& stop) {
    Json answer;
    run_watched({.deadline = invocation_.deadline,
                 .report = [this] { log_progress("backing up", read_progress(progress_, started_)); },
                 .too_late = [this] { return too_late(read_progress(progress_, started_)); }},
                [&](const std::stop_token& stopped) { answer = back_up_once(stopped); }, stop);
    return answer;
  }

  // In what is left of the time, and not in the last of it: Lambda is to be answered, too.
  void tell(const Error& error) {
    const auto left = std::chrono::floor<std::chrono::seconds>(invocation_.deadline - std::chrono::system_clock::now());
    const ProgressReading reading = read_progress(progress_, started_);
    publish(deployment_.topic,
            describe({.database = database_,
                      .location = deployment_.location,
                      .started = began_,
                      .seconds = reading.seconds,
                      .function = environment_value("AWS_LAMBDA_FUNCTION_NAME"),
                      .region = environment_value("AWS_REGION"),
                      .log_group = environment_value("AWS_LAMBDA_LOG_GROUP_NAME"),
                      .log_stream = environment_value("AWS_LAMBDA_LOG_STREAM_NAME"),
                      .request_id = invocation_.id},
                     error),
            std::clamp(left - kTimeToAnswer, std::chrono::seconds(2), kTimeToTell));
  }

 private:
  Json back_up_once(const std::stop_token& stop) {
    BackupRequest request =
        parse_backup_event(invocation_.event, invocation_.id, deployment_.defaults, deployment_.patterns);
    request.url = database_url(stop);
    database_ = DatabaseAddress(request.url).description();
    const std::unique_ptr<ObjectStore> store = open_store(deployment_.location, {.s3 = {}, .stop = stop});
    if (std::optional<Json> earlier = answer_of_earlier_run(*store, request.run, stop)) return *earlier;
    const BackupReport report = back_up(request, *store, progress_, stop);
    emit(metrics_of(report));
    const std::string name = store->describe(report.key);
    Json answer = {{"backup", name}};
    answer.update(report.json());
    answer["key"] = key_in_bucket(name);
    log(LogLevel::info, "backup", fmt::format("{} is complete", name), answer);
    return answer;
  }

  const Deployment& deployment_;
  const Invocation& invocation_;
  const TimePoint began_ = std::chrono::system_clock::now();
  const std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
  Progress progress_;
  std::string database_;
};

Json handle(const Deployment& deployment, const Invocation& invocation, const std::stop_token& stop) {
  Run run(deployment, invocation);
  try {
    return run.answer(stop);
  } catch (...) {
    const Error error = current_error(kMemoryHint);
    log(LogLevel::info, "telling", fmt::format("the backup failed, telling the topic: {}", error.what()));
    try {
      run.tell(error);
    } catch (...) {
      const Error silence = current_error(kMemoryHint);
      log(LogLevel::error, "not_told", fmt::format("the message about the failure could not be sent: {}", silence.what()),
          {{"hint", silence.hint()}});
    }
    throw error;
  }
}

}  // namespace

Handler make_backup_handler() {
  return [deployment = read_deployment()](const Invocation& invocation, const std::stop_token& stop) {
    return handle(deployment, invocation, stop);
  };
}

}  // namespace pana
