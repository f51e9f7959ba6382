// A pattern for names of tables, as pg_dump's --table and psql's \d take it.
//
// The rules are those of psql's manual page, "Patterns": letters are folded to lower case, * stands for any characters
// and ? for one, a dot separates the schema's pattern from the name's, and double quotes take all of that away from
// what is between them ("" there is one quote). The rest is a regular expression that must match the whole name:
// ab[0-9], (orders|items), (R+|), a{2}, \d, with $ and [] as ordinary characters. Left out, and an error: back
// references, the classes [:alpha:] and so on, and constraints (but for a ^ at the start, which says nothing). For \w
// every character beyond ASCII is a letter.
//
// Without a dot pg_dump takes only tables that are visible, found first by this name in the search_path that the
// server gives the role (not the empty one of pg_dump): --table foo finds public.foo, but not app.foo. A pattern cannot
// know that: where has_schema() is false the caller has to add pg_table_is_visible() if it wants to be as strict.
//
// Names are UTF-8; a byte that is not counts as one character. Time is linear in the length of the name.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace pana {

class NamePattern {
 public:
  // Throws Error(usage) when the pattern has a NUL, more than one dot, an open quote or no sense as a regular
  // expression.
  static NamePattern parse(std::string_view pattern);

  // The names are given as they are, without quotes. Without a schema pattern any schema will do.
  bool matches(std::string_view schema, std::string_view name) const;

  bool has_schema() const { return schema_.has_value(); }

  // The characters in (or, negated, out of) some ranges, both ends included.
  struct CharacterSet {
    std::vector<std::pair<char32_t, char32_t>> ranges;
    bool negated = false;
  };

  // A step of the little machine that tries all ways through a name at the same time: it takes a character of the set
  // and goes to the next step or, where the set is missing, goes on at two other steps, relative to this one. It has
  // found a match when it is behind its last step at the end of the name.
  struct Step {
    std::optional<CharacterSet> set;
    std::ptrdiff_t first = 0;
    std::ptrdiff_t second = 0;
  };
  using Program = std::vector<Step>;

 private:
  std::optional<Program> schema_;
  Program name_;
};

}  // namespace pana
