#include "lambda/runtime.h"

#include <fmt/format.h>

#include <charconv>

namespace pana {
namespace {

constexpr const char* kPath = "/2018-06-01/runtime";

// Category.Reason, as the Runtime API wants it.
std::string type_of(const Error& error) {
  switch (error.kind()) {
    case ErrorKind::failed: return "Pana.Failed";
    case ErrorKind::usage: return "Pana.Usage";
    case ErrorKind::damaged: return "Pana.Damaged";
    case ErrorKind::different: return "Pana.Different";
    case ErrorKind::refused: return "Pana.Refused";
    case ErrorKind::interrupted: return "Pana.Interrupted";
    case ErrorKind::partial: return "Pana.Partial";
  }
  return "Pana.Failed";
}

Json describe(const Error& error) {
  const std::string hint = error.hint().empty() ? "" : "\nHINT: " + error.hint();
  return {{"errorMessage", error.what() + hint}, {"errorType", type_of(error)}, {"stackTrace", Json::array()}};
}

}  // namespace

Run Runtime::next(const std::stop_token& stop) {
  const HttpResponse response = http_.send({.origin = origin_,
                                            .path = fmt::format("{}/invocation/next", kPath),
                                            .silence = std::chrono::seconds(0),
                                            .direct = true},
                                           stop);
  Run invocation{.id = response.header("lambda-runtime-aws-request-id"), .deadline = {}, .event = response.body};
  const std::string deadline = response.header("lambda-runtime-deadline-ms");
  std::int64_t milliseconds = 0;
  std::from_chars(deadline.data(), deadline.data() + deadline.size(), milliseconds);
  invocation.deadline = TimePoint(std::chrono::milliseconds(milliseconds));
  if (response.status != 200 || invocation.id.empty() || milliseconds == 0) {
    throw Error(ErrorKind::failed, fmt::format("the Runtime API gave no invocation, but status {}", response.status));
  }
  return invocation;
}

void Runtime::respond(const Run& invocation, const Json& answer) {
  post(fmt::format("/invocation/{}/response", invocation.id), answer, {});
}

void Runtime::fail(const Run& invocation, const Error& error) {
  post(fmt::format("/invocation/{}/error", invocation.id), describe(error), type_of(error));
}

void Runtime::fail_initialization(const Error& error) { post("/init/error", describe(error), type_of(error)); }

void Runtime::post(const std::string& path, const Json& body, const std::string& error_type) {
  const std::string text = body.dump(-1, ' ', true, Json::error_handler_t::replace);
  HttpRequest request{.method = "POST",
                      .origin = origin_,
                      .path = kPath + path,
                      .headers = {{"content-type", "application/json"}},
                      .body = text,
                      .direct = true};
  if (!error_type.empty()) request.headers.emplace_back("lambda-runtime-function-error-type", error_type);
  const HttpResponse response = http_.send(request, {});
  if (response.status / 100 != 2) {
    throw Error(ErrorKind::failed, fmt::format("the Runtime API did not take the answer: status {}", response.status));
  }
}

}  // namespace pana
