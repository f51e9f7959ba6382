#include "support/terraform.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <set>
#include <stdexcept>
#include <utility>

namespace pana::test {
namespace fs = std::filesystem;
namespace {

constexpr const char* kProvider = "registry.terraform.io/hashicorp/aws";

// A mirror of the provider on this machine, so that the tests need no network: in the directories where Terraform
// itself looks, else wherever somebody has put one.
std::optional<fs::path> provider_mirror() {
  const char* const home = std::getenv("HOME");
  const fs::path own = home == nullptr ? fs::path() : fs::path(home);
  for (const fs::path& place :
       {own / ".terraform.d/plugins", own / ".local/share/terraform/plugins",
        fs::path("/usr/local/share/terraform/plugins"), fs::path("/usr/share/terraform/plugins")}) {
    if (fs::exists(place / kProvider)) return place;
  }
  // What other runs of Terraform have left behind (.terraform) may vanish under our feet.
  std::string found =
      run({.argv = {"find", "/", "-xdev", "-maxdepth", "5", "-type", "d", "-path", fmt::format("*/{}", kProvider),
                    "-not", "-path", "*/.terraform/*", "-print", "-quit"}})
          .out;
  if (found.empty()) return std::nullopt;
  found.pop_back();  // the newline
  return fs::path(found.substr(0, found.size() - std::string(kProvider).size()));
}

// Without a mirror, Terraform asks its registry.
std::string cli_configuration() {
  std::string text = "disable_checkpoint = true\n";
  if (const std::optional<fs::path> mirror = provider_mirror()) {
    text += fmt::format("provider_installation {{\n  filesystem_mirror {{\n    path = \"{}\"\n  }}\n}}\n",
                        mirror->string());
  }
  return text;
}

// What is committed, and not what somebody's own runs of Terraform have left in the source tree.
const std::set<fs::path> kKinds = {".tf", ".hcl", ".pem", ".example"};

void copy_configuration(const fs::path& from, const fs::path& to) {
  fs::create_directories(to);
  for (const auto& entry : fs::directory_iterator(from)) {
    const fs::path name = entry.path().filename();
    if (entry.is_directory() && name != ".terraform") {
      copy_configuration(entry.path(), to / name);
    } else if (name != "backend.hcl" && kKinds.contains(name.extension())) {
      fs::copy_file(entry.path(), to / name);
    }
  }
}

}  // namespace

std::optional<std::string> Terraform::missing() {
  if (!find_program("terraform")) return "terraform is not installed";
  const std::string json =
      test::run_successfully({.argv = {"terraform", "version", "-json"},
                              .environment = {{"TF_CLI_CONFIG_FILE", "/dev/null"}, {"CHECKPOINT_DISABLE", "1"}}});
  const std::string version = nlohmann::json::parse(json).at("terraform_version");
  int major = 0, minor = 0;
  if (std::sscanf(version.c_str(), "%d.%d", &major, &minor) != 2 || std::pair(major, minor) < std::pair(1, 11)) {
    return fmt::format("terraform {} is too old: its tests need 1.11", version);
  }
  return std::nullopt;
}

Terraform::Terraform(std::map<std::string, std::string> environment)
    : directory_(home_ / "terraform"), environment_(std::move(environment)) {
  copy_configuration(fs::path(PANA_SOURCE_DIR) / "terraform", directory_);
  std::ofstream(home_ / "terraform.rc") << cli_configuration();
  fs::create_directory(home_ / "providers");
  environment_.merge(std::map<std::string, std::string>{{"TF_CLI_CONFIG_FILE", home_ / "terraform.rc"},
                                                        {"TF_PLUGIN_CACHE_DIR", home_ / "providers"},
                                                        {"TF_DATA_DIR", ""},
                                                        {"TF_WORKSPACE", ""},
                                                        {"TF_LOG", ""},
                                                        {"TF_IN_AUTOMATION", "1"},
                                                        {"TF_INPUT", "0"},
                                                        {"TF_CLI_ARGS", "-no-color"}});
}

Command Terraform::command(const std::vector<std::string>& arguments, const fs::path& directory) const {
  Command command{.argv = {"terraform", "-chdir=" + directory.string()},
                  .environment = environment_,
                  .timeout = std::chrono::minutes(10)};
  command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
  return command;
}

Outcome Terraform::run(const std::vector<std::string>& arguments, const std::string& directory) {
  Outcome outcome = test::run(command(arguments, directory_ / directory));
  printed_ += outcome.out + outcome.err;
  return outcome;
}

std::string Terraform::run_successfully(const std::vector<std::string>& arguments, const std::string& directory) {
  Outcome outcome = run(arguments, directory);
  if (!outcome.succeeded())
    throw std::runtime_error(fmt::format("terraform {}: {}", fmt::join(arguments, " "), outcome.description()));
  return std::move(outcome.out);
}

nlohmann::json Terraform::show(const std::string& plan_file) const {
  return nlohmann::json::parse(test::run_successfully(command({"show", "-json", plan_file}, directory_)));
}

}  // namespace pana::test
