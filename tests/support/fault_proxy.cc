#include "support/fault_proxy.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "net/http.h"

namespace pana::test {

FaultProxy::FaultProxy(const Cluster& cluster)
    : cluster_(cluster),
      server_(std::make_unique<Background>(
          Command{.argv = {"/usr/bin/python3", std::string(PANA_SOURCE_DIR) + "/tests/support/fault_proxy.py",
                           std::to_string(cluster.port())}})) {
  std::istringstream line(first_line_of(*server_));
  line >> port_ >> control_;
}

std::string FaultProxy::url(const std::string& database) const {
  std::string url = cluster_.url(database);
  const std::string own = fmt::format(":{}/", cluster_.port());
  return url.replace(url.rfind(own), own.size(), fmt::format(":{}/", port_));
}

void FaultProxy::set_fault(const std::string& kind, std::uint64_t after_bytes, bool all_connections) {
  control("/fault",
          nlohmann::json{{"kind", kind}, {"after", after_bytes}, {"scope", all_connections ? "all" : "one"}}.dump());
}

std::uint64_t FaultProxy::clear_fault() { return control("/fault", "{}"); }

std::uint64_t FaultProxy::bytes() const {
  HttpClient http;
  return nlohmann::json::parse(http.send({.origin = "http://127.0.0.1:" + control_, .path = "/"}, {}).body).at("bytes");
}

void FaultProxy::set_rate(std::uint64_t bytes_per_second_and_connection) {
  control("/rate", std::to_string(bytes_per_second_and_connection));
}

std::uint64_t FaultProxy::control(const std::string& path, const std::string& body) {
  HttpClient http;
  const HttpResponse response =
      http.send({.method = "PUT", .origin = "http://127.0.0.1:" + control_, .path = path, .body = body}, {});
  return nlohmann::json::parse(response.body).at("bytes");
}

}  // namespace pana::test
