// What surrounds a function of AWS Lambda, on loopback: the Runtime API that starts and hears it, the topic it tells its
// failures, and the process itself.
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

// The environment in which Lambda starts a function, with the settings that the deployment gives it; a cleared
// AWS_ENDPOINT_URL is the caller's to set.
std::map<std::string, std::string> function_environment(const RuntimeApi& api, const std::string& handler);

}  // namespace pana::test
