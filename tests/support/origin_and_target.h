// Tests that fill a database, back it up and restore it into another one.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "support/pana.h"

namespace pana::test {

class OriginAndTarget : public EndToEnd {
 protected:
  void SetUp() override {
    EndToEnd::SetUp();
    if (IsSkipped()) return;
    cluster().psql_file("postgres", fixture("roles.sql"));
    fresh_database("origin");
    target_ = fresh_database("target");
  }

  static void origin(const std::string& sql) { cluster().sql("origin", sql); }
  static std::string target(const std::string& sql) { return cluster().sql("target", sql); }

  // Fills both alike, and backs the origin up.
  std::filesystem::path both(const std::string& sql) const {
    origin(sql);
    target(sql);
    return back_up("origin");
  }

  Outcome restore(const std::filesystem::path& backup, const std::vector<std::string>& options = {}) const {
    std::vector<std::string> arguments = {"restore", backup, "--into", target_};
    arguments.insert(arguments.end(), options.begin(), options.end());
    return pana(arguments);
  }

  // The target's URL for the role, which may log in from now on.
  static std::string url_of(const std::string& role) {
    cluster().allow_login(role);
    return cluster().url("target", role, cluster().password());
  }

  std::string target_;  // its URL
};

}  // namespace pana::test
