#include "support/platform.h"

namespace pana::test {

void create_platform(const Cluster& cluster, const std::string& database, PlatformVersion version) {
  cluster.create_database(database);
  const std::string name = version == PlatformVersion::older ? "older" : "current";
  run_successfully(cluster.client(
      "psql", {"-X", "-q", "-o", "/dev/null", "-v", "platform_version=" + name, "-f", fixture("platform.sql")},
      database));
  cluster.allow_login("postgres");
}

void add_project(const Cluster& cluster, const std::string& database) {
  run_successfully(
      psql_of_postgres(cluster, {"-q", "-o", "/dev/null", "-f", fixture("platform/project.sql")}, database));
  cluster.psql_file(database, fixture("platform/project_event_trigger.sql"));
}

Command psql_of_postgres(const Cluster& cluster, const std::vector<std::string>& arguments,
                         const std::string& database) {
  Command command = cluster.client("psql", {"-X"}, database);
  command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
  command.environment["PGUSER"] = "postgres";
  return command;
}

std::string project_url(const Cluster& cluster, const std::string& database) {
  return cluster.url(database, "postgres", cluster.password());
}

}  // namespace pana::test
