#include "pg/text_array.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "base/unicode.h"

namespace pana {

std::vector<std::string> parse_text_array(std::string_view text) {
  std::vector<std::string> elements;
  if (text.size() < 2 || text.front() != '{' || text.back() != '}') return elements;
  text = text.substr(1, text.size() - 2);
  while (!text.empty()) {
    std::string& element = elements.emplace_back();
    bool quoted = false;
    std::size_t i = 0;
    for (; i < text.size() && (quoted || text[i] != ','); ++i) {
      if (text[i] == '"') {
        quoted = !quoted;
      } else {
        if (text[i] == '\\') ++i;
        element += text[i];
      }
    }
    text.remove_prefix(std::min(i + 1, text.size()));
  }
  return elements;
}

std::vector<std::string> to_unicode(Connection& connection, std::string_view encoding, std::vector<std::string> names) {
  if (encoding == "UTF8" || std::all_of(names.begin(), names.end(), is_ascii)) return names;
  if (encoding == "SQL_ASCII") {
    std::transform(names.begin(), names.end(), names.begin(), bytes_as_code_points);
    return names;
  }
  std::string elements;
  for (const std::string& name : names) elements.append(elements.empty() ? "'" : ",'").append(hex(name)).append("'");
  connection.query("SET client_encoding = UTF8");
  const QueryResult result = connection.query(
      fmt::format("SELECT pg_catalog.convert_from(pg_catalog.decode(name, 'hex'), '{}') "
                  "FROM pg_catalog.unnest(ARRAY[{}]::text[]) WITH ORDINALITY AS n (name, position) ORDER BY position",
                  encoding, elements));
  connection.query(fmt::format("SET client_encoding = '{}'", encoding));
  for (std::size_t i = 0; i < names.size(); ++i) names[i] = result.string(static_cast<int>(i), 0);
  return names;
}

void make_unicode(Connection& connection, std::string_view encoding, const std::vector<std::string*>& texts) {
  std::vector<std::string> names;
  for (const std::string* const text : texts) names.push_back(*text);
  names = to_unicode(connection, encoding, std::move(names));
  for (std::size_t i = 0; i < texts.size(); ++i) *texts[i] = std::move(names[i]);
}

}  // namespace pana
