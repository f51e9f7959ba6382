#include "sql/table_adaptation.h"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <vector>

#include "sql/sql_lexer.h"

namespace pana {
namespace {

// A lexeme of the statement, and the parentheses around it.
struct Lexeme {
  std::string_view text;
  std::size_t begin = 0;
  std::size_t depth = 0;

  std::size_t end() const { return begin + text.size(); }
};

using Lexemes = std::vector<Lexeme>;

Lexemes lexemes_of(std::string_view sql) {
  Lexemes all;
  SqlLexemes reader(sql);
  std::size_t depth = 0;
  for (std::string_view text = reader.next(); !text.empty(); text = reader.next()) {
    if (text == ")" && depth > 0) --depth;
    all.push_back({.text = text, .begin = static_cast<std::size_t>(text.data() - sql.data()), .depth = depth});
    if (text == "(") ++depth;
  }
  return all;
}

bool is_any_keyword(const Lexeme& lexeme, std::initializer_list<std::string_view> keywords) {
  return std::ranges::any_of(keywords,
                             [&lexeme](std::string_view keyword) { return is_keyword(lexeme.text, keyword); });
}

// Where what stands behind a column's type begins.
bool ends_type(const Lexeme& lexeme) {
  return lexeme.depth == 1 && is_any_keyword(lexeme, {"COLLATE", "DEFAULT", "GENERATED", "NOT", "NULL", "CONSTRAINT",
                                                      "OPTIONS", "STORAGE", "COMPRESSION", "WITH"});
}

// A part of a table's list in parentheses, [begin, end) of the lexemes: a column or a constraint.
struct Element {
  std::size_t begin = 0;
  std::size_t end = 0;
};

std::optional<Element> element_at(const Lexemes& lexemes, std::size_t byte) {
  std::optional<Element> element;
  for (std::size_t i = 0; i < lexemes.size(); ++i) {
    const Lexeme& lexeme = lexemes[i];
    const bool opens = lexeme.depth == 0 && lexeme.text == "(";
    const bool divides = lexeme.depth == 1 && lexeme.text == ",";
    const bool closes = lexeme.depth == 0 && lexeme.text == ")";
    if (element && (divides || closes) && byte < lexeme.begin) {
      element->end = i;
      return element;
    }
    if (closes) return std::nullopt;
    if (opens || divides) element = Element{.begin = i + 1};
  }
  return std::nullopt;
}

std::string replaced(std::string_view sql, std::size_t begin, std::size_t end, std::string_view by) {
  return fmt::format("{}{}{}", sql.substr(0, begin), by, sql.substr(end));
}

// Of a type's name from here: with its schema, its modifier and the brackets of an array.
std::size_t end_of_type(const Lexemes& lexemes, std::size_t first) {
  std::size_t end = first + 1;
  while (end + 1 < lexemes.size() && lexemes[end].text == ".") end += 2;
  if (end < lexemes.size() && lexemes[end].text == "(") {
    const std::size_t depth = lexemes[end].depth;
    while (end < lexemes.size() && !(lexemes[end].text == ")" && lexemes[end].depth == depth)) ++end;
    ++end;
  }
  while (end + 1 < lexemes.size() && lexemes[end].text == "[" && lexemes[end + 1].text == "]") end += 2;
  return end;
}

// public.f('{}'::probe.mood[]): whether the lexeme begins a type that something is cast to.
bool is_cast_to(const Lexemes& lexemes, std::size_t place) {
  return place >= 2 && lexemes[place - 1].text == ":" && lexemes[place - 2].text == ":";
}

class Column {
 public:
  Column(std::string_view sql, const Lexemes& lexemes, Element element, std::size_t byte)
      : sql_(sql), lexemes_(lexemes), element_(element), name_(lexemes[element.begin].text) {
    place_ = element.begin;
    while (place_ + 1 < element.end && lexemes[place_].end() <= byte) ++place_;
    rest_ = element.begin + 1;
    while (rest_ < element.end && !ends_type(lexemes[rest_])) ++rest_;
  }

  std::optional<TableAdaptation> adapt() const {
    if (place_ == element_.begin) return std::nullopt;
    if (place_ < rest_) return of_type(element_.begin + 1, rest_);
    if (is_cast_to(lexemes_, place_)) return of_type(place_, end_of_type(lexemes_, place_));
    // pg_dump writes DEFAULT or GENERATED, and NOT NULL behind it.
    std::size_t first = place_;
    while (first > rest_ && !(lexemes_[first].depth == 1 && is_any_keyword(lexemes_[first], {"DEFAULT", "GENERATED"})))
      --first;
    if (!is_any_keyword(lexemes_[first], {"DEFAULT", "GENERATED"})) return std::nullopt;
    std::size_t end = first + 1;
    while (end < element_.end && !(lexemes_[end].depth == 1 && is_any_keyword(lexemes_[end], {"NOT", "CONSTRAINT"})))
      ++end;
    const std::string what = is_keyword(lexemes_[first].text, "DEFAULT")
                                 ? fmt::format("column {} has no default", name_)
                                 : fmt::format("column {} is not generated, and NULL", name_);
    return TableAdaptation{.sql = replaced(sql_, lexemes_[first - 1].end(), lexemes_[end - 1].end(), ""), .what = what};
  }

 private:
  std::optional<TableAdaptation> of_type(std::size_t first, std::size_t end) const {
    const std::size_t begin = lexemes_[first].begin;
    const std::size_t last = lexemes_[end - 1].end();
    const std::string_view type = sql_.substr(begin, last - begin);
    if (type == "text") return std::nullopt;
    return TableAdaptation{.sql = replaced(sql_, begin, last, "text"),
                           .what = fmt::format("column {} {} text in place of {}", name_,
                                               first == element_.begin + 1 ? "is" : "has", type)};
  }

  std::string_view sql_;
  const Lexemes& lexemes_;
  Element element_;
  std::string_view name_;
  std::size_t place_ = 0;  // the lexeme that is unknown
  std::size_t rest_ = 0;   // what stands behind the type
};

// With the comma before or behind it.
std::string without(std::string_view sql, const Lexemes& lexemes, const Element& element) {
  if (lexemes[element.begin - 1].text == ",")
    return replaced(sql, lexemes[element.begin - 1].begin, lexemes[element.end - 1].end(), "");
  const bool is_followed = lexemes[element.end].text == ",";
  return replaced(sql, lexemes[element.begin].begin,
                  is_followed ? lexemes[element.end].end() : lexemes[element.end].begin, "");
}

}  // namespace

std::vector<std::string_view> elements_of_table(std::string_view create_table) {
  const Lexemes lexemes = lexemes_of(create_table);
  std::vector<std::string_view> elements;
  std::size_t first = 0;  // of the element; 0: the list has not begun
  for (std::size_t i = 0; i < lexemes.size(); ++i) {
    const bool opens = lexemes[i].depth == 0 && lexemes[i].text == "(";
    const bool closes = lexemes[i].depth == 0 && lexemes[i].text == ")";
    if (first != 0 && (closes || (lexemes[i].depth == 1 && lexemes[i].text == ",")) && i > first)
      elements.push_back(create_table.substr(lexemes[first].begin, lexemes[i - 1].end() - lexemes[first].begin));
    if (closes) break;
    if (opens || (first != 0 && lexemes[i].depth == 1 && lexemes[i].text == ",")) first = i + 1;
  }
  return elements;
}

std::optional<TableAdaptation> without_unknown(std::string_view create_table, std::size_t byte) {
  const Lexemes lexemes = lexemes_of(create_table);
  const std::optional<Element> element = element_at(lexemes, byte);
  if (!element || element->begin == element->end) return std::nullopt;
  if (!is_keyword(lexemes[element->begin].text, "CONSTRAINT"))
    return Column(create_table, lexemes, *element, byte).adapt();
  if (element->begin + 1 >= element->end) return std::nullopt;
  return TableAdaptation{.sql = without(create_table, lexemes, *element),
                         .what = fmt::format("constraint {} is left out", lexemes[element->begin + 1].text)};
}

}  // namespace pana
