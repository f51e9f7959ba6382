// A copy of the server's programs in a tree of links to the rest of the installation.
//
// PostgreSQL finds its share directory relative to its own program. Moving the program moves the directory that
// `CREATE EXTENSION` reads, so an extension can be offered to one cluster without a writable system directory (a
// setting for this exists from PostgreSQL 18 only).
#pragma once

#include <filesystem>
#include <optional>

namespace pana::test {

// The directory with PostgreSQL's initdb and postgres: PANA_TEST_SERVER, the newest of the system, or that of PATH.
std::optional<std::filesystem::path> find_server_programs();

// Those of a major version: what scripts/get-postgresql got, or the system's.
std::optional<std::filesystem::path> find_server_programs(int major);

// The directory with psql and pg_dump for such a server: its own, or that of the newest version of the system; nothing
// to use those of PATH.
std::optional<std::filesystem::path> find_client_programs(const std::filesystem::path& server_programs);

// Builds the tree below `root` and adds the files of `extension` to its extensions. Returns the directory with the
// programs; nothing when the installation's layout is not one that can be moved.
std::optional<std::filesystem::path> make_server_tree(const std::filesystem::path& programs,
                                                      const std::filesystem::path& root,
                                                      const std::filesystem::path& extension);

}  // namespace pana::test
