// The Runtime API of AWS Lambda: where a custom runtime gets its invocations and leaves their answers.
//
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html. Used by one thread.
#pragma once

#include <stop_token>
#include <string>

#include "base/error.h"
#include "base/json.h"
#include "deployment/host.h"
#include "net/http.h"

namespace pana {

class Runtime {
 public:
  explicit Runtime(const std::string& address) : origin_("http://" + address) {}  // "127.0.0.1:9001"

  // Waits for as long as it takes; the process may be frozen meanwhile. Throws Error(interrupted) when stopped.
  Run next(const std::stop_token& stop);

  void respond(const Run& invocation, const Json& answer);
  void fail(const Run& invocation, const Error& error);
  // The function cannot take any invocation.
  void fail_initialization(const Error& error);

 private:
  void post(const std::string& path, const Json& body, const std::string& error_type);

  const std::string origin_;
  HttpClient http_;
};

}  // namespace pana
