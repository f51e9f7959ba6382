// What the documents promise and the source has are the same.
#include <gtest/gtest.h>

#include <cctype>
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
  for (std::sregex_iterator match(text.begin(), text.end(), regex), end; match != end; ++match)
    found.insert((*match)[1]);
  return found;
}

TEST(Documentation, ListsEveryEventOfTheLogAndNoOther) {
  const fs::path source(PANA_SOURCE_DIR);
  std::set<std::string> logged;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(source / "src")) {
    const bool is_test = entry.path().filename().string().ends_with("_test.cc");
    if (entry.is_regular_file() && !is_test)
      logged.merge(all_matches(text_of(entry.path()), "log\\(LogLevel::[a-z]+,\\s*\"([a-z0-9_]+)\""));
  }
  logged.insert({"unreadable_backup", "newer_backup"});  // log_passed_over() puts them together from a state
  const std::string page = text_of(source / "docs/commands.md");
  const std::size_t begin = page.find("`event` is one of");
  ASSERT_NE(std::string::npos, begin);
  std::string list = page.substr(begin + 17, page.find("\n\n", begin) - begin - 17);
  list = std::regex_replace(list, std::regex("\\([^)]*\\)"), "");  // what the fields of an event are
  std::set<std::string> listed = all_matches(list, "`([a-z0-9_]+)`");
  for (const char* field : {"exit_status", "hint"}) listed.erase(field);
  EXPECT_EQ(listed, logged);
}

// Every option that --help shows stands in the documents, and every exit status.
TEST(Documentation, HasEveryOption) {
  const fs::path source(PANA_SOURCE_DIR);
  const std::string pages = text_of(source / "docs/commands.md") + text_of(source / "docs/s3.md");
  const std::set<std::string> documented =
      all_matches(pages, "(--[a-z][a-z0-9-]+)");  // whole, not the beginning of another
  std::set<std::string> commands = {""};
  commands.merge(all_matches(pana({"--help"}).out, "\\n  ([a-z]+) "));
  ASSERT_GT(commands.size(), 7U);
  for (const std::string& command : commands) {
    const std::vector<std::string> arguments =
        command.empty() ? std::vector<std::string>{"--help"} : std::vector<std::string>{command, "--help"};
    for (const std::string& option : all_matches(pana(arguments).out, "(--[a-z][a-z0-9-]+)")) {
      if (option == "--help" || option == "--version") continue;
      EXPECT_TRUE(documented.contains(option)) << "pana " << command << " " << option;
    }
  }
  for (int status = 0; status <= 7; ++status)
    EXPECT_NE(std::string::npos, pages.find("\n| " + std::to_string(status) + " | "));
}

// As the forges make it of a heading: lower case, without marks, spaces as hyphens.
std::string anchor_of(const std::string& heading) {
  std::string anchor;
  for (const char letter : heading) {
    if (std::isalnum(static_cast<unsigned char>(letter)) != 0 || letter == '-' || letter == '_')
      anchor += static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
    if (letter == ' ') anchor += '-';
  }
  return anchor;
}

TEST(Documentation, HasNoLinkThatLeadsNowhere) {
  const fs::path source(PANA_SOURCE_DIR);
  std::vector<fs::path> pages = {source / "README.md", source / "CONTRIBUTING.md", source / "CHANGELOG.md",
                                 source / "bench/README.md"};
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(source / "docs")) {
    if (entry.path().extension() == ".md") pages.push_back(entry.path());
  }
  std::size_t links = 0;
  for (const fs::path& page : pages) {
    for (const std::string& link : all_matches(text_of(page), "\\]\\(([^)\\s]+)\\)")) {
      if (link.find("://") != std::string::npos) continue;
      ++links;
      const std::string file = link.substr(0, link.find('#'));
      const fs::path target = file.empty() ? page : page.parent_path() / file;
      EXPECT_TRUE(fs::exists(target)) << page << ": " << link;
      if (link.find('#') == std::string::npos) continue;
      std::set<std::string> anchors;
      for (const std::string& heading : all_matches(text_of(target), "\n#+ ([^\n]+)"))
        anchors.insert(anchor_of(heading));
      EXPECT_TRUE(anchors.contains(link.substr(link.find('#') + 1))) << page << ": " << link;
    }
  }
  EXPECT_GT(links, 40U);
}

}  // namespace
}  // namespace pana::test
