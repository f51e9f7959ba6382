#include "support/pgbouncer.h"

#include <fmt/format.h>
#include <libpq-fe.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace pana::test {
namespace fs = std::filesystem;
namespace {

void wait_until_listening(const std::string& url, Background& server) {
  for (int attempt = 0; attempt < 200; ++attempt) {
    if (PQping(url.c_str()) == PQPING_OK) return;
    if (server.ends_within(std::chrono::milliseconds(50))) break;
  }
  throw std::runtime_error("pgbouncer does not listen: " + server.err_so_far());
}

}  // namespace

PgBouncer::PgBouncer(const Cluster& cluster, const Options& options) : cluster_(cluster), port_(free_port()) {
  const fs::path users = directory_ / "users.txt";
  const fs::path configuration = directory_ / "pgbouncer.ini";
  std::ofstream(users) << fmt::format("\"postgres\" \"{}\"\n", cluster.password());
  const fs::path key = directory_ / "server.key";
  std::string tls;
  if (options.tls) {
    run_successfully(
        {.argv = {"openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
                  "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate_file()}});
    tls = fmt::format("client_tls_sslmode = require\nclient_tls_key_file = {}\nclient_tls_cert_file = {}\n",
                      key.string(), certificate_file().string());
  }
  // Startup `options` are refused, not ignored: poolers of providers drop them in silence, and here it would show.
  std::ofstream(configuration) << "[databases]\n"
                               << fmt::format("* = host=127.0.0.1 port={}\n", cluster.port()) << "[pgbouncer]\n"
                               << fmt::format("listen_addr = 127.0.0.1\nlisten_port = {}\n", port_)
                               << "unix_socket_dir =\nauth_type = scram-sha-256\n"
                               << fmt::format("auth_file = {}\n", users.string())
                               << fmt::format("pool_mode = {}\n", options.pool_mode)
                               << fmt::format("default_pool_size = {}\n", options.pool_size)
                               << fmt::format("max_client_conn = {}\n", options.max_client_connections)
                               << fmt::format("query_wait_timeout = {}\n", options.query_wait_timeout_seconds) << tls
                               << "ignore_startup_parameters = extra_float_digits\n";
  if (const auto& account = cluster.account()) {
    for (const fs::path& path : {directory_.path(), users, configuration, key, certificate_file()}) {
      if (fs::exists(path) && ::chown(path.c_str(), account->user_id, account->group_id) != 0) {
        throw std::runtime_error("cannot give away " + path.string());
      }
    }
  }
  server_ = std::make_unique<Background>(Command{.argv = {"pgbouncer", configuration}, .account = cluster.account()});
  wait_until_listening(url("postgres"), *server_);
}

std::optional<std::string> PgBouncer::missing() {
  if (!find_program("pgbouncer")) return "pgbouncer is not installed (package pgbouncer)";
  return std::nullopt;
}

fs::path PgBouncer::certificate_file() const { return directory_ / "server.crt"; }

std::string PgBouncer::certificate() const {
  std::ifstream file(certificate_file());
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string PgBouncer::url(const std::string& database) const {
  // The same URL with the pooler's port.
  std::string url = cluster_.url(database);
  const std::string own = fmt::format(":{}/", cluster_.port());
  return url.replace(url.rfind(own), own.size(), fmt::format(":{}/", port_));
}

}  // namespace pana::test
