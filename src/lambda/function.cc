#include "lambda/function.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "base/environment.h"
#include "base/log.h"
#include "base/setting.h"
#include "base/text.h"
#include "deployment/freshness.h"
#include "deployment/scheduled_backup.h"
#include "lambda/runtime.h"

namespace pana {
namespace {

constexpr const char* kAddressVariable = "AWS_LAMBDA_RUNTIME_API";

// What an invocation does: returns its answer, or throws what becomes its error.
using Handler = std::function<Json(const Run& run, const std::stop_token& stop)>;

// The zip brings what Lambda's machine lacks, or has in another version: see scripts/package-lambda.
void use_if_packaged(const char* variable, const std::string& name) {
  const std::string path = first_of({environment_value("LAMBDA_TASK_ROOT"), "/var/task"}) + "/" + name;
  if (::access(path.c_str(), R_OK) == 0) ::setenv(variable, path.c_str(), /*overwrite=*/0);
}

std::string next_steps(const std::string& request_id) {
  const std::string region = environment_value("AWS_REGION");
  return fmt::format(
      "Where to look:\n"
      "  request {0}\n"
      "  aws logs filter-log-events --region {1} --log-group-name {2} --log-stream-names '{3}' --filter-pattern "
      "'\"{0}\"'\n\n"
      "When the cause is fixed, start a backup:\n"
      "  aws lambda invoke --region {1} --function-name {4} --cli-read-timeout 0 response.json\n\n"
      "Lambda runs a scheduled backup once more, a minute after it failed; another message follows if that fails, "
      "too.\n",
      request_id, region, environment_value("AWS_LAMBDA_LOG_GROUP_NAME"),
      environment_value("AWS_LAMBDA_LOG_STREAM_NAME"), environment_value("AWS_LAMBDA_FUNCTION_NAME"));
}

// As a deployment says them. What only an event of one run says helps no schedule, but for a table that cannot be read.
std::map<Setting, std::string> deployment_settings() {
  return {{Setting::compression, "compression"},
          {Setting::exclude_schema, "exclude_schemas"},
          {Setting::exclude_table_data, "an event's exclude_table_data"},
          {Setting::jobs, "jobs"},
          {Setting::memory, "memory_size"}};
}

Host lambda_host() {
  return {.name = environment_value("AWS_LAMBDA_FUNCTION_NAME"),
          .time_hint =
              "raise memory_size (the CPU grows with it), jobs, and timeout (900 at most); if it takes longer than "
              "Lambda allows, run pana backup on a machine or in a container",
          .next_steps = next_steps};
}

Handler make_handler() {
  use_if_packaged("PANA_PG_DUMP", "bin/pg_dump");
  use_if_packaged("SSL_CERT_FILE", "ca-certificates.crt");
  const std::string name = environment_value("_HANDLER");
  if (name == "backup") {
    return [backup = ScheduledBackup(lambda_host())](const Run& run, const std::stop_token& stop) {
      return backup.run(run, stop);
    };
  }
  if (name == "freshness") {
    return [freshness = Freshness(lambda_host())](const Run&, const std::stop_token& stop) {
      return freshness.look(stop);
    };
  }
  throw Error(ErrorKind::usage, fmt::format("there is no handler {}", name),
              "the function's handler is backup or freshness");
}

void complain(const Error& error) {
  log(LogLevel::error, "error", error.what(), error.hint().empty() ? Json::object() : Json{{"hint", error.hint()}});
}

void serve(Runtime& runtime, const Handler& handler, const Run& invocation, const std::stop_token& stop) {
  set_log_fields({{"requestId", invocation.id}});
  std::optional<Error> failure;
  Json answer;
  try {
    answer = handler(invocation, stop);
  } catch (...) {
    failure = current_error();
  }
  if (!failure) return runtime.respond(invocation, answer);
  complain(*failure);
  runtime.fail(invocation, *failure);
}

}  // namespace

bool is_lambda() { return !environment_value(kAddressVariable).empty(); }

int run_lambda(const std::stop_token& stop) try {
  name_settings(deployment_settings());
  Runtime runtime(environment_value(kAddressVariable));
  Handler handler;
  try {
    handler = make_handler();
  } catch (...) {
    const Error error = current_error();
    complain(error);
    runtime.fail_initialization(error);
    return error.exit_status();
  }
  while (true) serve(runtime, handler, runtime.next(stop), stop);
} catch (...) {
  const Error error = current_error();
  if (error.kind() == ErrorKind::interrupted) return 0;  // Lambda has no more use for this process
  complain(error);
  return error.exit_status();
}

}  // namespace pana
