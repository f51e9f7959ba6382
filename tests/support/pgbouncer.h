// A PgBouncer in front of a cluster, with its own directory and port, stopped by its own process id.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "support/cluster.h"
#include "support/process.h"
#include "support/temporary_directory.h"

namespace pana::test {

class PgBouncer {
 public:
  struct Options {
    std::string pool_mode = "session";  // or "transaction", "statement"
    int pool_size = 20;                 // server connections to each database
    int max_client_connections = 100;   // further logins are refused, as Supabase's pooler does
    int query_wait_timeout_seconds = 120;
    bool tls = false;  // demanded of clients, with a certificate for 127.0.0.1 that is its own authority
  };

  PgBouncer(const Cluster& cluster, const Options& options);

  // The reason why there can be none on this machine; nothing when there can.
  static std::optional<std::string> missing();

  std::string url(const std::string& database) const;
  std::string certificate() const;  // in PEM

 private:
  std::filesystem::path certificate_file() const;

  const Cluster& cluster_;
  TemporaryDirectory directory_;
  int port_;
  std::unique_ptr<Background> server_;
};

}  // namespace pana::test
