#include "sql/access_rights.h"

#include <algorithm>
#include <array>
#include <utility>

namespace pana {
namespace {

// A role's name, in quotes where it has others than letters, digits and underscores (putid() of acl.c). Takes it off.
std::optional<std::string> take_role(std::string_view& text) {
  std::string name;
  if (!text.starts_with('"')) {
    const std::size_t length = text.find('=');
    name = text.substr(0, length);
    text.remove_prefix(std::min(name.size(), text.size()));
    return name;
  }
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '"' && (i + 1 == text.size() || text[i + 1] != '"')) {
      text.remove_prefix(i + 1);
      return name;
    }
    if (text[i] == '"') ++i;
    name += text[i];
  }
  return std::nullopt;
}

}  // namespace

std::optional<AccessItem> parse_access_item(std::string_view item) {
  const std::optional<std::string> grantee = take_role(item);
  if (!grantee || !item.starts_with('=')) return std::nullopt;
  item.remove_prefix(1);
  AccessItem parsed;
  while (!item.empty() && item.front() != '/') {
    const bool grantable = item.size() > 1 && item[1] == '*';
    parsed.rights.insert({.grantee = *grantee, .privilege = item.front(), .grantable = grantable});
    item.remove_prefix(grantable ? 2 : 1);
  }
  if (item.empty()) return std::nullopt;
  item.remove_prefix(1);
  const std::optional<std::string> grantor = take_role(item);
  if (!grantor || grantor->empty() || !item.empty()) return std::nullopt;
  parsed.grantor = *grantor;
  return parsed;
}

std::string_view privilege_name(char privilege) {
  using Letter = std::pair<char, std::string_view>;
  constexpr std::array kLetters = {Letter{'r', "SELECT"},  Letter{'a', "INSERT"},   Letter{'w', "UPDATE"},
                                   Letter{'d', "DELETE"},  Letter{'D', "TRUNCATE"}, Letter{'x', "REFERENCES"},
                                   Letter{'t', "TRIGGER"}, Letter{'X', "EXECUTE"},  Letter{'U', "USAGE"},
                                   Letter{'C', "CREATE"},  Letter{'m', "MAINTAIN"}};
  const auto found = std::ranges::find(kLetters, privilege, &Letter::first);
  return found == kLetters.end() ? std::string_view() : found->second;
}

}  // namespace pana
