#include "net/aws_profile.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "base/environment.h"
#include "base/text.h"

namespace pana {
namespace {

bool is_comment(std::string_view line) { return line.starts_with('#') || line.starts_with(';'); }

std::string file_text(const char* variable, const char* name_in_home) {
  std::string path = environment_value(variable);
  if (path.empty()) path = environment_value("HOME") + "/.aws/" + name_in_home;
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

Profile parse_profile(std::string_view text, std::string_view section) {
  Profile profile;
  bool inside = false;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const std::string_view words = trimmed(line);
    if (words.empty() || is_comment(words)) continue;
    if (words.starts_with('[')) {
      inside = trimmed(words.substr(1, words.find(']') - 1)) == section;
      continue;
    }
    const std::size_t equals = words.find('=');
    const bool nested = line.starts_with(' ') || line.starts_with('\t');
    if (!inside || nested || equals == std::string_view::npos) continue;
    std::string_view value = trimmed(words.substr(equals + 1));
    if (const std::size_t comment = value.find(" #"); comment != std::string_view::npos) {
      value = trimmed(value.substr(0, comment));
    }
    profile[std::string(trimmed(words.substr(0, equals)))] = value;
  }
  return profile;
}

Profile read_profile(const std::string& name) {
  Profile profile = parse_profile(file_text("AWS_SHARED_CREDENTIALS_FILE", "credentials"), name);
  const std::string config = file_text("AWS_CONFIG_FILE", "config");
  profile.merge(parse_profile(config, name == "default" ? name : "profile " + name));
  profile.merge(parse_profile(config, "profile " + name));
  return profile;
}

std::string profile_from_environment() {
  const std::string name = environment_value("AWS_PROFILE");
  return name.empty() ? "default" : name;
}

}  // namespace pana
