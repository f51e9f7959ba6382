// A copy of terraform/ in a directory of its own, and the program terraform to run in it.
//
// The copy is not changed for the tests: where AWS is, and what the variables hold, comes in the environment.
#pragma once

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "support/process.h"
#include "support/temporary_directory.h"

namespace pana::test {

class Terraform {
 public:
  explicit Terraform(std::map<std::string, std::string> environment);

  // The reason why there can be none on this machine; nothing when there can.
  static std::optional<std::string> missing();

  // Runs it in the copy or a directory of the copy, for instance run({"plan"}) or run({"init"}, "bootstrap").
  Outcome run(const std::vector<std::string>& arguments, const std::string& directory = "");
  std::string run_successfully(const std::vector<std::string>& arguments, const std::string& directory = "");

  // A plan file as JSON. It holds the secrets and is not part of what was printed.
  nlohmann::json show(const std::string& plan_file) const;

  const std::filesystem::path& directory() const { return directory_; }
  // All that run() has printed.
  const std::string& printed() const { return printed_; }

 private:
  Command command(const std::vector<std::string>& arguments, const std::filesystem::path& directory) const;

  TemporaryDirectory home_;
  std::filesystem::path directory_;
  std::map<std::string, std::string> environment_;
  std::string printed_;
};

}  // namespace pana::test
