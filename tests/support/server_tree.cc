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

// What `pg_config --option` of the installation says, without the newline.
std::optional<fs::path> configured(const fs::path& programs, const std::string& option) {
  if (!fs::exists(programs / "pg_config")) return std::nullopt;
  const Outcome outcome = run({.argv = {programs / "pg_config", option}});
  if (!outcome.succeeded()) return std::nullopt;
  return outcome.out.substr(0, outcome.out.find('\n'));
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

std::optional<fs::path> find_client_programs() {
  const auto newest = newest_of_system();
  if (newest && fs::exists(*newest / "psql")) return newest;
  return std::nullopt;
}

std::optional<fs::path> make_server_tree(const fs::path& programs, const fs::path& root, const fs::path& extension) {
  const auto share = configured(programs, "--sharedir");
  const auto library = configured(programs, "--pkglibdir");
  const auto configured_programs = configured(programs, "--bindir");
  if (!share || !library || !configured_programs || *configured_programs != programs) return std::nullopt;

  // The same paths below the root as below "/": whatever part of them is common, the relative paths stay the same.
  const fs::path moved_programs = root / programs.relative_path();
  const fs::path moved_share = root / share->relative_path();
  fs::create_directories(moved_programs);
  for (const char* program : {"postgres", "initdb", "pg_ctl"}) {
    fs::copy_file(programs / program, moved_programs / program);
  }
  fs::create_directories((root / library->relative_path()).parent_path());
  fs::create_directory_symlink(*library, root / library->relative_path());
  link_all_but(*share, moved_share, "extension");
  link_all_but(*share / "extension", moved_share / "extension", "");
  for (const auto& file : fs::directory_iterator(extension)) {
    fs::copy_file(file.path(), moved_share / "extension" / file.path().filename());
  }
  return moved_programs;
}

}  // namespace pana::test
