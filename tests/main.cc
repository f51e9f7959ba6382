// Runs the end-to-end tests, with one PostgreSQL cluster for all of them.
#include <gtest/gtest.h>

#include <cstdlib>

#include "support/cluster.h"

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
  ::setenv("LC_ALL", "C.UTF-8", 1);
}

}  // namespace

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  forget_connection_settings();
  ::testing::AddGlobalTestEnvironment(new ClusterEnvironment);
  return RUN_ALL_TESTS();
}
