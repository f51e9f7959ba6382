#include "support/pana.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <fstream>
#include <stdexcept>

#include "command/backup_name.h"

namespace pana::test {
namespace fs = std::filesystem;
namespace {

Source loaded(const std::string& database, const std::string& file) {
  const Cluster& cluster = shared_cluster();
  cluster.psql_file("postgres", fixture("roles.sql"));
  cluster.create_database(database);
  cluster.psql_file(database, fixture(file));
  return {.database = database, .content = content_of(cluster, database)};
}

bool is_backup(const fs::path& file) { return parse_backup_name(file.filename().string()).has_value(); }

}  // namespace

Command pana_command(const std::vector<std::string>& arguments) {
  Command command{.argv = {PANA_PROGRAM}};
  command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
  return command;
}

Outcome pana(const std::vector<std::string>& arguments) { return pana(pana_command(arguments)); }

Outcome pana(const Command& command) {
  Outcome outcome = run(command);
  expect_clean_output(outcome);
  return outcome;
}

void expect_clean_output(const Outcome& outcome) {
  const std::string said = outcome.out + outcome.err;
  for (const char* report : {"Sanitizer", "runtime error:"})
    EXPECT_THAT(said, testing::Not(testing::HasSubstr(report)));
  // The passwords of all clusters begin like this.
  EXPECT_THAT(said, testing::Not(testing::HasSubstr("secret-")));
}

testing::AssertionResult ends_with(int status, const Outcome& outcome) {
  if (outcome.exit_status == status) return testing::AssertionSuccess();
  return testing::AssertionFailure() << "expected exit status " << status << ": " << outcome.description();
}

std::vector<std::string> strangers_in(const fs::path& directory) {
  std::vector<std::string> strangers;
  for (const auto& entry : fs::recursive_directory_iterator(directory)) {
    if (!is_backup(entry.path())) strangers.push_back(entry.path().filename());
  }
  return strangers;
}

std::vector<fs::path> backups_in(const fs::path& directory) {
  std::vector<fs::path> backups;
  for (const auto& entry : fs::directory_iterator(directory)) {
    if (is_backup(entry.path())) backups.push_back(entry.path());
  }
  std::sort(backups.begin(), backups.end());
  return backups;
}

void write_script(const fs::path& path, std::string_view commands) {
  std::ofstream(path) << "#!/bin/sh\n" << commands << '\n';
  fs::permissions(path, fs::perms::owner_all);
}

Outcome restore_with_psql(const Cluster& cluster, const fs::path& backup, const std::string& database) {
  const std::string reader = backup.extension() == ".zst" ? "zstd -dc" : "cat";
  // The shell's arguments are the file and psql with its options.
  Command command = cluster.client("psql", {"-X", "-q", "-o", "/dev/null", "-v", "ON_ERROR_STOP=1"}, database);
  std::vector<std::string> argv = {"bash", "-c", "set -o pipefail; " + reader + " -- \"$1\" | \"${@:2}\"", "restore",
                                   backup};
  argv.insert(argv.end(), command.argv.begin(), command.argv.end());
  command.argv = argv;
  return run(command);
}

const Source& everything() {
  static const Source source = loaded("everything", "everything.sql");
  return source;
}

const Source& many() {
  static const Source source = loaded("many", "many.sql");
  return source;
}

const Source& shop() {
  static const Source source = loaded("shop", "shop.sql");
  return source;
}

const Source& big() {
  static const Source source = loaded("big", "big.sql");
  return source;
}

void EndToEnd::SetUp() {
  if (const auto reason = Cluster::missing()) GTEST_SKIP() << *reason;
}

fs::path EndToEnd::back_up(const std::string& database, const std::vector<std::string>& options) const {
  std::vector<std::string> arguments = {"backup", cluster().url(database), "--to", backups_.path(), "--json"};
  arguments.insert(arguments.end(), options.begin(), options.end());
  const Outcome outcome = pana(arguments);
  if (!outcome.succeeded()) throw std::runtime_error("no backup: " + outcome.description());
  return backups_.path() / nlohmann::json::parse(outcome.out).at("key").get<std::string>();
}

std::string EndToEnd::fresh_database(const std::string& name, const std::string& encoding) {
  cluster().create_database(name, encoding);
  return cluster().url(name);
}

}  // namespace pana::test
