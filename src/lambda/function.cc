#include "lambda/function.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <optional>

#include "base/environment.h"
#include "base/log.h"
#include "base/text.h"
#include "lambda/backup_handler.h"
#include "lambda/freshness_handler.h"

namespace pana {
namespace {

constexpr const char* kAddressVariable = "AWS_LAMBDA_RUNTIME_API";

// The zip brings what Lambda's machine lacks, or has in another version: see scripts/package-lambda.
void use_if_packaged(const char* variable, const std::string& name) {
  const std::string path = first_of({environment_value("LAMBDA_TASK_ROOT"), "/var/task"}) + "/" + name;
  if (::access(path.c_str(), R_OK) == 0) ::setenv(variable, path.c_str(), /*overwrite=*/0);
}

Handler make_handler() {
  use_if_packaged("PANA_PG_DUMP", "bin/pg_dump");
  use_if_packaged("SSL_CERT_FILE", "ca-certificates.crt");
  const std::string name = environment_value("_HANDLER");
  if (name == "backup") return make_backup_handler();
  if (name == "freshness") return make_freshness_handler();
  throw Error(ErrorKind::usage, fmt::format("there is no handler {}", name), "the function's handler is backup or freshness");
}

void complain(const Error& error) {
  log(LogLevel::error, "error", error.what(), error.hint().empty() ? Json::object() : Json{{"hint", error.hint()}});
}

void serve(Runtime& runtime, const Handler& handler, const Invocation& invocation, const std::stop_token& stop) {
  set_log_fields({{"requestId", invocation.id}});
  std::optional<Error> failure;
  Json answer;
  try {
    answer = handler(invocation, stop);
  } catch (...) {
    failure = current_error(kMemoryHint);
  }
  if (!failure) return runtime.respond(invocation, answer);
  complain(*failure);
  runtime.fail(invocation, *failure);
}

}  // namespace

bool is_lambda() { return !environment_value(kAddressVariable).empty(); }

int run_lambda(const std::stop_token& stop) try {
  Runtime runtime(environment_value(kAddressVariable));
  Handler handler;
  try {
    handler = make_handler();
  } catch (...) {
    const Error error = current_error(kMemoryHint);
    complain(error);
    runtime.fail_initialization(error);
    return error.exit_status();
  }
  while (true) serve(runtime, handler, runtime.next(stop), stop);
} catch (...) {
  const Error error = current_error(kMemoryHint);
  if (error.kind() == ErrorKind::interrupted) return 0;  // Lambda has no more use for this process
  complain(error);
  return error.exit_status();
}

}  // namespace pana
