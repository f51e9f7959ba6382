#include "support/server_tree.h"

#include <cstdlib>
#include <system_error>

#include "support/process.h"

namespace pana::test {
namespace fs = std::filesystem;
namespace {

// /usr/lib/postgresql/15/bin and its like, newest first by number.
std::optional<fs::path> newest_of_system() {
  std::optional<fs::path> newest;
  int newest_version = 0;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator("/usr/lib/postgresql", none)) {
    const int version = std::atoi(entry.path().filename().c_str());
    if (version <= newest_version || !fs::exists(entry.path() / "bin/initdb")) continue;
    newest_version = version;
    newest = entry.path() / "bin";
  }
  return newest;
}

// Where an installation has what its programs need.
struct Layout {
  fs::path share;
  fs::path libraries;
};

// What `pg_config --option` of the installation says, without the newline.
std::optional<fs::path> configured(const fs::path& programs, const std::string& option) {
  const Outcome outcome = run({.argv = {programs / "pg_config", option}});
  if (!outcome.succeeded()) return std::nullopt;
  return outcome.out.substr(0, outcome.out.find('\n'));
}

std::optional<Layout> layout_of(const fs::path& programs) {
  if (fs::exists(programs / "pg_config")) {
    const auto share = configured(programs, "--sharedir");
    const auto library = configured(programs, "--pkglibdir");
    const auto configured_programs = configured(programs, "--bindir");
    if (!share || !library || !configured_programs || *configured_programs != programs) return std::nullopt;
    return Layout{*share, *library};
  }
  // As scripts/get-postgresql lays them: the libraries of the programs themselves are in lib.
  const fs::path home = programs.parent_path();
  if (!fs::exists(home / "share/postgresql") || !fs::exists(home / "lib/postgresql")) return std::nullopt;
  return Layout{home / "share/postgresql", home / "lib"};
}

void link_all_but(const fs::path& from, const fs::path& to, const std::string& exception) {
  fs::create_directories(to);
  for (const auto& entry : fs::directory_iterator(from)) {
    if (entry.path().filename() != exception) fs::create_symlink(entry.path(), to / entry.path().filename());
  }
}

}  // namespace

std::optional<fs::path> find_server_programs() {
  if (const char* chosen = std::getenv("PANA_TEST_SERVER")) return chosen;
  if (const auto newest = newest_of_system()) return newest;
  const auto initdb = find_program("initdb");
  if (!initdb) return std::nullopt;
  return fs::canonical(*initdb).parent_path();
}

std::optional<fs::path> find_server_programs(int major) {
  for (const fs::path& home : {fs::path(PANA_SOURCE_DIR) / "build/postgresql", fs::path("/usr/lib/postgresql")}) {
    const fs::path programs = home / std::to_string(major) / "bin";
    if (fs::exists(programs / "initdb")) return programs;
  }
  return std::nullopt;
}

std::optional<fs::path> find_client_programs(const fs::path& server_programs) {
  if (fs::exists(server_programs / "psql")) return server_programs;
  const auto newest = newest_of_system();
  if (newest && fs::exists(*newest / "psql")) return newest;
  return std::nullopt;
}

std::optional<fs::path> make_server_tree(const fs::path& programs, const fs::path& root, const fs::path& extension) {
  const auto layout = layout_of(programs);
  if (!layout) return std::nullopt;

  // The same paths below the root as below "/": whatever part of them is common, the relative paths stay the same.
  const fs::path moved_programs = root / programs.relative_path();
  const fs::path moved_share = root / layout->share.relative_path();
  fs::create_directories(moved_programs);
  for (const char* program : {"postgres", "initdb", "pg_ctl"}) {
    fs::copy_file(programs / program, moved_programs / program);
  }
  fs::create_directories((root / layout->libraries.relative_path()).parent_path());
  fs::create_directory_symlink(layout->libraries, root / layout->libraries.relative_path());
  link_all_but(layout->share, moved_share, "extension");
  link_all_but(layout->share / "extension", moved_share / "extension", "");
  for (const auto& file : fs::directory_iterator(extension)) {
    fs::copy_file(file.path(), moved_share / "extension" / file.path().filename());
  }
  return moved_programs;
}

}  // namespace pana::test
