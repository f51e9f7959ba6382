// Runs the end-to-end tests, with one PostgreSQL cluster for all of them.
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "support/cluster.h"
#include "support/server_tree.h"

namespace {

class ClusterEnvironment : public ::testing::Environment {
 public:
  void TearDown() override { pana::test::stop_shared_cluster(); }
};

// What the machine's user has set up for PostgreSQL's programs must not reach the tests.
void forget_connection_settings() {
  for (const char* name : {"DATABASE_URL", "PGHOST", "PGHOSTADDR", "PGPORT", "PGDATABASE", "PGUSER", "PGPASSWORD",
                           "PGPASSFILE", "PGSERVICE", "PGSERVICEFILE", "PGSSLMODE", "PGOPTIONS", "PGAPPNAME"}) {
    ::unsetenv(name);
  }
  for (const char* name : {"PANA_TO", "PANA_JOBS", "PANA_COMPRESSION"}) ::unsetenv(name);
  ::setenv("PANA_LOG_FORMAT", "json", 1);  // with the events' names and fields
  ::setenv("LC_ALL", "C.UTF-8", 1);
}

// pg_dump of the chosen server's version is where pana looks for one.
void put_clients_first_in_path() {
  const auto server_programs = pana::test::find_server_programs();
  const auto clients = server_programs ? pana::test::find_client_programs(*server_programs) : std::nullopt;
  const char* const path = std::getenv("PATH");
  if (clients && path != nullptr) ::setenv("PATH", (clients->string() + ":" + path).c_str(), 1);
}

}  // namespace

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  forget_connection_settings();
  put_clients_first_in_path();
  ::testing::AddGlobalTestEnvironment(new ClusterEnvironment);
  return RUN_ALL_TESTS();
}
