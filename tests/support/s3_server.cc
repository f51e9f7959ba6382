#include "support/s3_server.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <sstream>
#include <stdexcept>

#include "net/sigv4.h"
#include "store/s3_store.h"
#include "support/cluster.h"

namespace pana::test {
namespace fs = std::filesystem;
namespace {

constexpr const char* kRegion = "eu-central-1";

// Debian's own: another one in PATH need not be readable by the servers' account.
constexpr const char* kPython = "/usr/bin/python3";

std::string fixture_script(const std::string& name) { return std::string(PANA_SOURCE_DIR) + "/tests/support/" + name; }

std::map<std::string, std::string> environment_for(const std::string& port, const std::string& key_id,
                                                   const std::string& secret) {
  return {{"AWS_ACCESS_KEY_ID", key_id},
          {"AWS_SECRET_ACCESS_KEY", secret},
          {"AWS_REGION", kRegion},
          {"AWS_ENDPOINT_URL", "http://127.0.0.1:" + port},
          {"AWS_CONFIG_FILE", "/dev/null"},
          {"AWS_SHARED_CREDENTIALS_FILE", "/dev/null"},
          {"AWS_EC2_METADATA_DISABLED", "true"},
          {"AWS_MAX_ATTEMPTS", "3"}};
}

}  // namespace

S3Server::S3Server(const std::string& script, const std::string& key_id, bool wants_directory) {
  const std::string secret = "secret-of-the-store";
  Command command{.argv = {kPython, fixture_script(script)}};
  if (wants_directory) {
    command.argv.push_back(directory_ / "home");
    command.account = server_account();
    if (command.account &&
        ::chown(directory_.path().c_str(), command.account->user_id, command.account->group_id) != 0) {
      throw std::runtime_error("cannot give away " + directory_.path().string());
    }
  }
  for (const std::string& argument : {key_id, secret, std::string(kRegion)}) command.argv.push_back(argument);
  server_ = std::make_unique<Background>(command);
  environment_ = environment_for(first_line_of(*server_), key_id, secret);
}

S3Server::S3Server(const std::vector<std::string>& moto_arguments) {
  Command command{.argv = {"python3", fixture_script("moto_server.py")}};
  command.argv.insert(command.argv.end(), moto_arguments.begin(), moto_arguments.end());
  server_ = std::make_unique<Background>(command);
  std::istringstream line(first_line_of(*server_));
  std::string port, key_id, secret;
  line >> port >> key_id >> secret;
  environment_ = environment_for(port, key_id, secret);
}

// Asked, they end in order, and write no more into a directory that is about to be removed.
S3Server::~S3Server() {
  server_->send(SIGTERM);
  server_->ends_within(std::chrono::seconds(20));
}

std::unique_ptr<S3Server> S3Server::moto(const std::string& bucket, const std::string& policy) {
  return std::unique_ptr<S3Server>(new S3Server({bucket, policy}));
}

std::unique_ptr<S3Server> S3Server::aws() {
  return std::unique_ptr<S3Server>(new S3Server(std::vector<std::string>{}));
}

S3Server& S3Server::stand_in() {
  static S3Server server("s3_stand_in.py", "tests", false);
  return server;
}

S3Server& S3Server::swift() {
  static S3Server server("swift_server.py", "pana:tests", true);
  return server;
}

S3Server& S3Server::radosgw() {
  static S3Server server("radosgw_server.py", "tests", true);
  return server;
}

std::optional<std::string> S3Server::stand_in_missing() {
  if (!fs::exists(kPython)) return "python3 is not installed (package python3)";
  return std::nullopt;
}

std::optional<std::string> S3Server::moto_missing() {
  if (find_program("python3") && run({.argv = {"python3", "-c", "import moto.server, boto3"}}).succeeded())
    return std::nullopt;
  return "moto is not installed (Python package moto[server])";
}

std::optional<std::string> S3Server::swift_missing() {
  for (const char* program :
       {"swift-proxy-server", "swift-account-server", "swift-container-server", "swift-object-server"}) {
    if (!find_program(program)) {
      return fmt::format("{} is not installed (packages swift-proxy, swift-account, swift-container, swift-object)",
                         program);
    }
  }
  if (const auto closed = closed_to_others(PANA_SOURCE_DIR)) {
    return fmt::format("its account may not pass {} (run the tests as somebody else than root, or elsewhere)",
                       closed->string());
  }
  return std::nullopt;
}

std::optional<std::string> S3Server::radosgw_missing() {
  for (const char* program : {"radosgw", "radosgw-admin", "ceph-mon", "ceph-osd", "ceph"}) {
    if (!find_program(program)) {
      return fmt::format("{} is not installed (packages radosgw, ceph-mon, ceph-osd, ceph-common)", program);
    }
  }
  return std::nullopt;
}

std::map<std::string, std::string> S3Server::environment_of_backup_role() {
  const std::string form =
      "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A%3Arole%2Fbackup&RoleSessionName=tests&"
      "DurationSeconds=900";
  HttpRequest request{.method = "POST",
                      .origin = endpoint(),
                      .path = "/",
                      .headers = {{"content-type", "application/x-www-form-urlencoded"}},
                      .body = form};
  sign(request,
       {.access_key_id = environment_.at("AWS_ACCESS_KEY_ID"),
        .secret_access_key = environment_.at("AWS_SECRET_ACCESS_KEY"),
        .session_token = ""},
       kRegion, "sts", std::chrono::system_clock::now());
  HttpClient http;
  const std::string xml = http.send(request, {}).body;
  const auto element = [&xml](const std::string& name) {
    const std::size_t begin = xml.find("<" + name + ">");
    const std::size_t end = xml.find("</" + name + ">");
    if (begin == std::string::npos || end == std::string::npos)
      throw std::runtime_error("no credentials of a role: " + xml);
    return xml.substr(begin + name.size() + 2, end - begin - name.size() - 2);
  };
  std::map<std::string, std::string> environment = environment_;
  environment["AWS_ACCESS_KEY_ID"] = element("AccessKeyId");
  environment["AWS_SECRET_ACCESS_KEY"] = element("SecretAccessKey");
  environment["AWS_SESSION_TOKEN"] = element("SessionToken");
  return environment;
}

HttpResponse S3Server::request(const std::string& method, const std::string& path, const std::string& query,
                               const std::string& body) {
  HttpRequest request{.method = method, .origin = endpoint(), .path = path, .query = query, .body = body};
  sign(request,
       {.access_key_id = environment_.at("AWS_ACCESS_KEY_ID"),
        .secret_access_key = environment_.at("AWS_SECRET_ACCESS_KEY"),
        .session_token = ""},
       kRegion, "s3", std::chrono::system_clock::now());
  HttpClient http;
  HttpResponse response = http.send(request, {});
  if (response.status / 100 != 2) {
    throw std::runtime_error(fmt::format("{} {}: status {}: {}", method, path, response.status, response.body));
  }
  return response;
}

nlohmann::json S3Server::control(const std::string& path, const std::string& body) {
  HttpClient http;
  return nlohmann::json::parse(http.send({.method = "PUT", .origin = endpoint(), .path = path, .body = body}, {}).body);
}

std::vector<std::string> S3Server::uploads(const std::string& location) {
  const std::string place = location.substr(std::string("s3://").size()) + "/";
  std::vector<std::string> keys = control("/_state", "").at("uploads");
  std::erase_if(keys, [&place](const std::string& key) { return !key.starts_with(place); });
  return keys;
}

std::vector<std::string> S3Server::keys(const std::string& location) const {
  const Environment environment(environment_);
  std::vector<std::string> keys;
  for (const ObjectInfo& object : S3Store(location, {}, {}).list()) keys.push_back(object.key);
  return keys;
}

std::uint64_t S3Server::requests(const std::string& operation) {
  return control("/_state", "").at("requests").value(operation, std::uint64_t{0});
}

Environment::Environment(const std::map<std::string, std::string>& variables) {
  for (const auto& [name, value] : variables) {
    const char* const before = std::getenv(name.c_str());
    before_[name] = before == nullptr ? std::nullopt : std::optional<std::string>(before);
    ::setenv(name.c_str(), value.c_str(), 1);
  }
}

Environment::~Environment() {
  for (const auto& [name, value] : before_) {
    value ? ::setenv(name.c_str(), value->c_str(), 1) : ::unsetenv(name.c_str());
  }
}

}  // namespace pana::test
