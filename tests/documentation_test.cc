// What the README promises and the source has are the same.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include "support/pana.h"

namespace pana::test {
namespace {

namespace fs = std::filesystem;

std::string text_of(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

std::set<std::string> all_matches(const std::string& text, const std::string& pattern) {
  const std::regex regex(pattern);
  std::set<std::string> found;
  for (std::sregex_iterator match(text.begin(), text.end(), regex), end; match != end; ++match) found.insert((*match)[1]);
  return found;
}

TEST(Documentation, ListsEveryEventOfTheLogAndNoOther) {
  const fs::path source(PANA_SOURCE_DIR);
  std::set<std::string> logged;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(source / "src")) {
    const bool is_test = entry.path().filename().string().ends_with("_test.cc");
    if (entry.is_regular_file() && !is_test) logged.merge(all_matches(text_of(entry.path()), "log\\(LogLevel::[a-z]+,\\s*\"([a-z0-9_]+)\""));
  }
  logged.insert({"unreadable_backup", "newer_backup"});  // log_passed_over() puts them together from a state
  const std::string readme = text_of(source / "README.md");
  const std::size_t begin = readme.find("`event` is one of");
  ASSERT_NE(std::string::npos, begin);
  std::string list = readme.substr(begin + 17, readme.find("\n\n", begin) - begin - 17);
  list = std::regex_replace(list, std::regex("\\([^)]*\\)"), "");  // what the fields of an event are
  std::set<std::string> listed = all_matches(list, "`([a-z0-9_]+)`");
  for (const char* field : {"exit_status", "hint"}) listed.erase(field);
  EXPECT_EQ(listed, logged);
}

}  // namespace
}  // namespace pana::test
