// What surrounds a function of AWS Lambda, on loopback: the Runtime API that starts and hears it, the topic it tells
// its failures, and the process itself.
#pragma once

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "support/process.h"

namespace pana::test {

// A Runtime API of our own (runtime_api.py); one function asks it.
class RuntimeApi {
 public:
  RuntimeApi();

  const std::string& address() const { return address_; }  // "127.0.0.1:PORT"

  struct Answer {
    std::string path;        // "/invocation/ID/response", ".../error", "/init/error"; empty when there was none
    std::string error_type;  // of the header
    nlohmann::json body;
    bool is_success() const { return path.ends_with("/response"); }
    std::string error() const { return body.value("errorMessage", "no error: " + body.dump()); }
  };
  // Sends an event and waits for its answer. `id` of no text: one that was not used before.
  Answer invoke(const std::string& event, double seconds_left = 900, std::string id = {});
  // Waits for a function that cannot start to say so.
  Answer initialization_failure();

 private:
  Answer ask(const std::string& path, const std::string& query, const std::string& body);

  std::unique_ptr<Background> server_;
  std::string address_;
};

// moto's SNS with one topic, and its SSM (topic_server.py).
class Topic {
 public:
  struct Message {
    std::string subject;
    std::string message;
  };

  static Topic& shared();
  static std::optional<std::string> missing();

  const std::string& arn() const { return arn_; }
  const std::string& endpoint() const { return endpoint_; }
  // Those that came since the last call.
  std::vector<Message> new_messages();

 private:
  Topic();

  std::unique_ptr<Background> server_;
  std::string endpoint_;
  std::string record_;
  std::string arn_;
  std::size_t seen_ = 0;
};

// The environment in which Lambda starts a function, with the settings that do not depend on a test.
std::map<std::string, std::string> function_environment(const RuntimeApi& api, const std::string& handler);

// One JSON value a line. Throws when a line is none.
std::vector<nlohmann::json> json_lines(const std::string& text);

// The process of a function and the API that it asks. It is asked to stop at the end; what it said must be JSON and
// hold no password.
class Function {
 public:
  // `environment` is added to function_environment(); `argv` starts the function.
  Function(const std::string& handler, const std::map<std::string, std::string>& environment,
           const std::vector<std::string>& argv = {PANA_PROGRAM});
  ~Function();
  Function(const Function&) = delete;
  Function& operator=(const Function&) = delete;

  // What its log holds as metrics, by their names.
  nlohmann::json metrics() const;
  std::string log() const { return process_->err_so_far(); }

  RuntimeApi api;

 private:
  std::unique_ptr<Background> process_;
};

}  // namespace pana::test
