// Databases that stand in for those of Supabase projects, in a cluster of Cluster::of_platform().
//
// fixtures/platform.sql says what they hold, and what differs from a real one. The role postgres owns such a database,
// is no superuser, and logs in with the cluster's password.
#pragma once

#include <string>
#include <vector>

#include "support/cluster.h"

namespace pana::test {

enum class PlatformVersion { current, older };  // older: a year before

// A new project's database, replacing one that has this name.
void create_platform(const Cluster& cluster, const std::string& database,
                     PlatformVersion version = PlatformVersion::current);

// What a user makes of a new project: fixtures/platform/project.sql, by postgres, and its event trigger.
void add_project(const Cluster& cluster, const std::string& database);

// psql as the role postgres, with its settings and rights.
Command psql_of_postgres(const Cluster& cluster, const std::vector<std::string>& arguments,
                         const std::string& database);

// The database's URL for the role postgres.
std::string project_url(const Cluster& cluster, const std::string& database);

}  // namespace pana::test
