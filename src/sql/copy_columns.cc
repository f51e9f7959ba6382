#include "sql/copy_columns.h"

#include "sql/sql_lexer.h"

namespace pana {

std::string copy_of_columns(std::string_view statement, const std::vector<bool>& kept) {
  SqlLexemes lexemes(statement);
  if (!lexemes.skip({"COPY"})) return std::string(statement);
  const std::string_view table = lexemes.qualified_name();
  if (!lexemes.skip({"("})) return std::string(statement);
  std::string columns;
  std::size_t column = 0;
  for (; column < kept.size(); ++column) {
    const std::string_view name = lexemes.next();
    if (kept[column]) columns.append(columns.empty() ? "" : ", ").append(name);
    if (!lexemes.skip({","})) break;
  }
  if (column + 1 != kept.size()) return std::string(statement);
  return "COPY " + std::string(table) + " (" + columns + ") FROM stdin;";
}

std::vector<std::string_view> fields_of(std::string_view row) {
  if (row.ends_with('\n')) row.remove_suffix(1);
  std::vector<std::string_view> fields;
  for (std::size_t tab = row.find('\t'); tab != std::string_view::npos; tab = row.find('\t')) {
    fields.push_back(row.substr(0, tab));
    row.remove_prefix(tab + 1);
  }
  fields.push_back(row);
  return fields;
}

std::string row_of_columns(std::string_view row, const std::vector<bool>& kept) {
  std::string result;
  bool is_first = true;
  const std::vector<std::string_view> fields = fields_of(row);
  for (std::size_t i = 0; i < fields.size() && i < kept.size(); ++i) {
    if (!kept[i]) continue;
    result.append(is_first ? "" : "\t").append(fields[i]);
    is_first = false;
  }
  return result + "\n";
}

std::optional<std::string> copy_value(std::string_view field) {
  if (field == "\\N") return std::nullopt;
  constexpr std::string_view kLetters = "bfnrtv";
  constexpr std::string_view kMeanings = "\b\f\n\r\t\v";
  std::string value;
  for (std::size_t i = 0; i < field.size(); ++i) {
    if (field[i] != '\\' || i + 1 == field.size()) {
      value += field[i];
      continue;
    }
    const std::size_t letter = kLetters.find(field[++i]);
    value += letter == std::string_view::npos ? field[i] : kMeanings[letter];
  }
  return value;
}

}  // namespace pana
