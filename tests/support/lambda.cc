#include "support/lambda.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <sstream>

#include "net/http.h"
#include "support/pana.h"
#include "support/s3_server.h"

namespace pana::test {
namespace {

std::string script(const std::string& name) { return std::string(PANA_SOURCE_DIR) + "/tests/support/" + name; }

nlohmann::json get(const std::string& origin, const std::string& path) {
  HttpClient http;
  return nlohmann::json::parse(http.send({.origin = origin, .path = path}, {}).body);
}

}  // namespace

RuntimeApi::RuntimeApi()
    : server_(std::make_unique<Background>(Command{.argv = {"/usr/bin/python3", script("runtime_api.py")}})),
      address_("127.0.0.1:" + first_line_of(*server_)) {}

RuntimeApi::Answer RuntimeApi::ask(const std::string& path, const std::string& query, const std::string& body) {
  HttpClient http;
  const HttpResponse response = http.send({.method = "PUT",
                                           .origin = "http://" + address_,
                                           .path = path,
                                           .query = query,
                                           .body = body,
                                           .silence = std::chrono::seconds(0)},
                                          {});
  const nlohmann::json json = nlohmann::json::parse(response.body);
  return {.path = json.value("path", ""),
          .error_type = json.value("error_type", ""),
          .body = json.value("body", nlohmann::json())};
}

RuntimeApi::Answer RuntimeApi::invoke(const std::string& event, double seconds_left, std::string id) {
  static std::atomic<int> count = 0;
  if (id.empty()) id = fmt::format("00000000-0000-4000-8000-{:012}", ++count);
  return ask("/_invoke", fmt::format("id={}&seconds={}", id, seconds_left), event);
}

RuntimeApi::Answer RuntimeApi::initialization_failure() { return ask("/_initialization", "", ""); }

Topic& Topic::shared() {
  static Topic topic;
  return topic;
}

std::optional<std::string> Topic::missing() { return S3Server::moto_missing(); }

Topic::Topic() : server_(std::make_unique<Background>(Command{.argv = {"python3", script("topic_server.py")}})) {
  std::istringstream line(first_line_of(*server_));
  std::string port, record;
  line >> port >> arn_ >> record;
  endpoint_ = "http://127.0.0.1:" + port;
  record_ = "http://127.0.0.1:" + record;
}

std::vector<Topic::Message> Topic::new_messages() {
  const nlohmann::json all = get(record_, "/messages");
  std::vector<Message> messages;
  for (; seen_ < all.size(); ++seen_) messages.push_back({all[seen_].at("subject"), all[seen_].at("message")});
  return messages;
}

std::map<std::string, std::string> function_environment(const RuntimeApi& api, const std::string& handler) {
  const std::string name = handler == "backup" ? "pana_db_backup" : "pana_db_freshness";
  return {{"AWS_LAMBDA_RUNTIME_API", api.address()},
          {"_HANDLER", handler},
          {"AWS_LAMBDA_FUNCTION_NAME", name},
          {"AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/" + name},
          {"AWS_LAMBDA_LOG_STREAM_NAME", "2026/01/31/[$LATEST]0123456789abcdef"},
          {"AWS_ENDPOINT_URL_SNS", Topic::shared().endpoint()},
          {"AWS_ENDPOINT_URL_SSM", Topic::shared().endpoint()},
          {"PANA_TOPIC_ARN", Topic::shared().arn()}};
}

std::vector<nlohmann::json> json_lines(const std::string& text) {
  std::vector<nlohmann::json> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(nlohmann::json::parse(line));
  return lines;
}

Function::Function(const std::string& handler, const std::map<std::string, std::string>& environment,
                   const std::vector<std::string>& argv) {
  Command command{.argv = argv, .environment = environment};
  command.environment.merge(function_environment(api, handler));
  process_ = std::make_unique<Background>(command);
}

Function::~Function() {
  process_->send(SIGTERM);
  EXPECT_TRUE(process_->ends_within(std::chrono::seconds(10)));
  const Outcome outcome = process_->wait();
  expect_clean_output(outcome);
  EXPECT_NO_THROW(json_lines(outcome.out + outcome.err)) << outcome.description();
}

nlohmann::json Function::metrics() const {
  nlohmann::json found = nlohmann::json::object();
  for (const nlohmann::json& line : json_lines(process_->out_so_far())) {
    if (line.contains("_aws")) found.update(line);
  }
  return found;
}

}  // namespace pana::test
