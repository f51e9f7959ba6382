// The program under test, and databases for it to work on.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "support/cluster.h"
#include "support/compare.h"
#include "support/process.h"
#include "support/temporary_directory.h"

namespace pana::test {

// Exit statuses, as the README documents them.
constexpr int kOk = 0;
constexpr int kFailed = 1;
constexpr int kUsage = 2;
constexpr int kDamaged = 3;
constexpr int kDifferent = 4;
constexpr int kRefused = 5;
constexpr int kInterrupted = 6;

// Whether the program is built with a sanitizer that needs memory and /proc for itself.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

Command pana_command(const std::vector<std::string>& arguments);

// Runs pana. A sanitizer's report or a cluster's password in what it says fails the test.
Outcome pana(const std::vector<std::string>& arguments);
Outcome pana(const Command& command);
void expect_clean_output(const Outcome& outcome);

// Expects the exit status, and shows what the program said when it is another.
testing::AssertionResult ends_with(int status, const Outcome& outcome);

// The files of a directory that are no backups by their name.
std::vector<std::string> strangers_in(const std::filesystem::path& directory);
std::vector<std::filesystem::path> backups_in(const std::filesystem::path& directory);

// A program for the shell, which only its owner may run.
void write_script(const std::filesystem::path& path, std::string_view commands);

// Restores a backup with nothing of ours: psql, behind zstd where it is compressed.
Outcome restore_with_psql(const Cluster& cluster, const std::filesystem::path& backup, const std::string& database);

// A database that tests read and none changes.
struct Source {
  std::string database;
  Content content;
};

// Loaded at first use: every kind of object (fixtures/everything.sql); some six hundred odd tables (many.sql); a small
// product's database as the demonstration shows it (shop.sql); one big table and two small ones (big.sql).
const Source& everything();
const Source& many();
const Source& shop();
const Source& big();

// A test that needs a cluster: skipped, with the reason, where there can be none.
class EndToEnd : public testing::Test {
 protected:
  void SetUp() override;

  static const Cluster& cluster() { return shared_cluster(); }

  // Backs the database up into the test's directory and returns the file; fails the test when that fails.
  std::filesystem::path back_up(const std::string& database, const std::vector<std::string>& options = {}) const;

  // An empty database of the given name, and its URL.
  static std::string fresh_database(const std::string& name, const std::string& encoding = "UTF8");

  TemporaryDirectory backups_;
};

}  // namespace pana::test
