// A network between pana and a server that fails when it is told to (fault_proxy.py).
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "support/cluster.h"
#include "support/process.h"

namespace pana::test {

class FaultProxy {
 public:
  explicit FaultProxy(const Cluster& cluster);

  // The cluster's URL of the database, with the proxy's port.
  std::string url(const std::string& database) const;

  // Strikes once, after so many bytes from the server: "reset", "fin", "stall", "refuse"; one connection or all.
  void set_fault(const std::string& kind, std::uint64_t after_bytes, bool all_connections = false);
  // Takes the fault back; returns how many bytes came from the server since it was set.
  std::uint64_t clear_fault();
  std::uint64_t bytes() const;  // from the server since the fault was set
  void set_rate(std::uint64_t bytes_per_second_and_connection);

 private:
  std::uint64_t control(const std::string& path, const std::string& body);

  const Cluster& cluster_;
  std::unique_ptr<Background> server_;
  std::string port_;
  std::string control_;
};

}  // namespace pana::test
