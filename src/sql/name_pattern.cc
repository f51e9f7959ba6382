#include "sql/name_pattern.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/error.h"

namespace pana {
namespace {

using CharacterSet = NamePattern::CharacterSet;
using Program = NamePattern::Program;
using Step = NamePattern::Step;

constexpr char32_t kLastCharacter = 0x10FFFF;
constexpr std::size_t kMostRepetitions = 255;  // PostgreSQL's own limit
constexpr std::size_t kMostSteps = 20'000;

// A character of a regular expression; a literal one stands for itself, whatever it is.
struct Symbol {
  char32_t code = 0;
  bool literal = false;
};

using Symbols = std::vector<Symbol>;

CharacterSet single(char32_t code) { return {.ranges = {{code, code}}}; }

bool is_single(const CharacterSet& set) {
  return set.ranges.size() == 1 && set.ranges[0].first == set.ranges[0].second;
}

[[noreturn]] void throw_malformed(std::string_view pattern, std::string_view reason) {
  throw Error(ErrorKind::usage, fmt::format("the pattern {} {}", pattern, reason),
              "put a name with special characters in double quotes: 'public.\"Odd name\"'");
}

// Takes the next character off the front. What is not UTF-8 becomes a character of its own for each byte.
char32_t next_character(std::string_view& text) {
  const auto byte = [&text](std::size_t at) { return static_cast<unsigned char>(text[at]); };
  const unsigned char lead = byte(0);
  const std::size_t bytes = lead < 0xC2 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  char32_t code = bytes == 1 ? lead : lead & (0x7Fu >> bytes);
  bool valid = bytes <= text.size() && (bytes > 1 || lead < 0x80);
  for (std::size_t at = 1; valid && at < bytes; ++at) {
    valid = (byte(at) & 0xC0) == 0x80;
    code = (code << 6) | (byte(at) & 0x3Fu);
  }
  if (!valid) code = kLastCharacter + 1 + lead;
  text.remove_prefix(valid ? bytes : 1);
  return code;
}

// Turns the pattern into a regular expression for each part between dots, as patternToSQLRegex() does.
std::vector<Symbols> regular_expressions(std::string_view pattern) {
  std::vector<Symbols> parts(1);
  bool quoted = false;
  std::string_view rest = pattern;
  while (!rest.empty()) {
    char32_t code = next_character(rest);
    const bool literal = quoted;
    if (code == '"' && quoted && rest.starts_with('"')) {
      rest.remove_prefix(1);
    } else if (code == '"') {
      quoted = !quoted;
      continue;
    }
    if (code == '.' && !literal) {
      parts.emplace_back();
      continue;
    }
    if (code >= 'A' && code <= 'Z' && !literal) code += 'a' - 'A';
    if ((code == '*' || code == '?') && !literal) parts.back().push_back({.code = '.'});
    if (code == '?' && !literal) continue;
    parts.back().push_back({.code = code, .literal = literal || code == '$' || (code == '[' && rest.starts_with(']'))});
  }
  if (quoted) throw_malformed(pattern, "has a double quote without its end");
  if (parts.size() > 2) throw_malformed(pattern, "has more than one dot");
  return parts;
}

Program operator+(Program left, const Program& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

std::ptrdiff_t length(const Program& program) { return static_cast<std::ptrdiff_t>(program.size()); }

Program fork(std::ptrdiff_t first, std::ptrdiff_t second) {
  return {{.set = std::nullopt, .first = first, .second = second}};
}

Program take(CharacterSet set) { return {{.set = std::move(set)}}; }

Program either(const Program& left, const Program& right) {
  const Program skip_right = fork(length(right) + 1, length(right) + 1);
  return fork(1, length(left) + 2) + left + skip_right + right;
}

Program maybe(const Program& once) { return fork(1, length(once) + 1) + once; }

Program one_or_more(const Program& once) { return once + fork(-length(once), 1); }

// Compiles one regular expression by recursive descent.
class Compiler {
 public:
  Compiler(std::string_view pattern, const Symbols& symbols) : pattern_(pattern), symbols_(symbols) {}

  Program compile() {
    skip('^');  // the whole name must match anyway
    Program program = alternatives();
    if (position_ < symbols_.size()) malformed("has a closing parenthesis too many");
    return program;
  }

 private:
  [[noreturn]] void malformed(std::string_view reason) const { throw_malformed(pattern_, reason); }

  bool at_end() const { return position_ == symbols_.size(); }

  // Whether a special character comes next.
  bool at(char32_t code, std::size_t ahead = 0) const {
    const std::size_t at = position_ + ahead;
    return at < symbols_.size() && symbols_[at].code == code && !symbols_[at].literal;
  }

  bool skip(char32_t code) {
    const bool found = at(code);
    if (found) ++position_;
    return found;
  }

  bool at_count() const {
    if (!at('{') || position_ + 1 == symbols_.size()) return false;
    const Symbol& next = symbols_[position_ + 1];
    return next.code >= '0' && next.code <= '9' && !next.literal;
  }

  bool at_quantifier() const { return at('*') || at('+') || at_count(); }

  Program alternatives() {
    Program program = sequence();
    while (skip('|')) program = either(program, sequence());
    return program;
  }

  Program sequence() {
    Program program;
    while (!at_end() && !at('|') && !at(')')) {
      program = std::move(program) + repeated_atom();
      if (program.size() > kMostSteps) malformed("is too long");
    }
    return program;
  }

  Program repeated_atom() {
    if (at_quantifier()) malformed("repeats nothing");
    Program program = atom();
    if (skip('*')) {
      program = maybe(one_or_more(program));
    } else if (skip('+')) {
      program = one_or_more(program);
    } else if (at_count()) {
      program = counted(program);
    }
    if (at_quantifier()) malformed("repeats a repetition");
    return program;
  }

  Program atom() {
    if (skip('.')) return take({.ranges = {}, .negated = true});
    if (skip('[')) return take(bracket());
    if (skip('\\')) return take(escape());
    if (at('^')) malformed("has an unsupported ^");
    if (skip('(')) {
      Program program = alternatives();
      if (!skip(')')) malformed("has a parenthesis without its end");
      return program;
    }
    return take(single(symbols_[position_++].code));
  }

  // {m}, {m,} and {m,n}
  Program counted(const Program& once) {
    skip('{');
    const std::size_t least = number();
    std::size_t most = least;
    const bool open = skip(',');
    const bool endless = open && at('}');
    if (open && !endless) most = number();
    if (!skip('}') || most < least || most > kMostRepetitions) malformed("has a repetition count that makes no sense");
    if (once.size() * (most + 1) > kMostSteps) malformed("is too long");
    Program program;
    for (std::size_t count = 0; count < least; ++count) program = std::move(program) + once;
    for (std::size_t count = least; count < most; ++count) program = std::move(program) + maybe(once);
    return endless ? std::move(program) + maybe(one_or_more(once)) : program;
  }

  std::size_t number() {
    std::size_t value = 0;
    while (!at_end() && symbols_[position_].code >= '0' && symbols_[position_].code <= '9' &&
           value <= kMostRepetitions) {
      value = value * 10 + (symbols_[position_++].code - '0');
    }
    return value;
  }

  CharacterSet escape() {
    if (at_end()) malformed("ends in a backslash");
    const Symbol symbol = symbols_[position_++];
    if (symbol.code == 'd' && !symbol.literal) return {.ranges = {{'0', '9'}}};
    if (symbol.code == 's' && !symbol.literal) return {.ranges = {{' ', ' '}, {'\t', '\r'}}};
    if (symbol.code == 'w' && !symbol.literal) {
      return {.ranges = {{'0', '9'}, {'A', 'Z'}, {'a', 'z'}, {'_', '_'}, {0x80, kLastCharacter}}};
    }
    const bool is_word = (symbol.code >= '0' && symbol.code <= '9') || (symbol.code >= 'a' && symbol.code <= 'z');
    if (is_word && !symbol.literal) malformed("has an unsupported backslash sequence");
    return single(symbol.code);
  }

  // What follows the opening bracket, the closing one included.
  CharacterSet bracket() {
    CharacterSet set{.ranges = {}, .negated = skip('^')};
    for (bool first = true; first || !at(']'); first = false) {
      const CharacterSet element = bracket_element();
      set.ranges.insert(set.ranges.end(), element.ranges.begin(), element.ranges.end());
      if (!at('-') || at(']', 1)) continue;
      ++position_;
      const CharacterSet last = bracket_element();
      if (!is_single(element) || !is_single(last) || last.ranges[0].first < element.ranges[0].first) {
        malformed("has a character range that makes no sense");
      }
      set.ranges.back().second = last.ranges[0].second;
    }
    ++position_;
    return set;
  }

  CharacterSet bracket_element() {
    if (at_end()) malformed("has a bracket without its end");
    if (skip('\\')) return escape();
    if (at('[') && (at(':', 1) || at('.', 1) || at('=', 1))) malformed("has an unsupported character class");
    return single(symbols_[position_++].code);
  }

  std::string_view pattern_;
  const Symbols& symbols_;
  std::size_t position_ = 0;
};

bool holds(const CharacterSet& set, char32_t code) {
  const bool found = std::ranges::any_of(
      set.ranges, [code](const auto& range) { return range.first <= code && code <= range.second; });
  return found != set.negated;
}

// At which steps the machine is; the last one is the place behind them all.
using Places = std::vector<bool>;

// Goes to a step, and on from a step that takes no character.
void go(const Program& program, std::size_t place, Places& places) {
  std::vector<std::size_t> waiting = {place};
  while (!waiting.empty()) {
    const std::size_t here = waiting.back();
    waiting.pop_back();
    if (places[here]) continue;
    places[here] = true;
    if (here == program.size() || program[here].set) continue;
    waiting.push_back(here + static_cast<std::size_t>(program[here].second));
    waiting.push_back(here + static_cast<std::size_t>(program[here].first));
  }
}

bool matches_whole(const Program& program, std::string_view text) {
  Places places(program.size() + 1);
  go(program, 0, places);
  while (!text.empty()) {
    const char32_t code = next_character(text);
    Places next(program.size() + 1);
    for (std::size_t place = 0; place < program.size(); ++place) {
      if (places[place] && program[place].set && holds(*program[place].set, code)) go(program, place + 1, next);
    }
    places = std::move(next);
  }
  return places.back();
}

}  // namespace

NamePattern NamePattern::parse(std::string_view pattern) {
  // SQL and pg_dump would take it for the pattern's end, and match something else.
  if (pattern.find('\0') != std::string_view::npos) throw Error(ErrorKind::usage, "a pattern holds a NUL character");
  const std::vector<Symbols> parts = regular_expressions(pattern);
  NamePattern result;
  result.name_ = Compiler(pattern, parts.back()).compile();
  if (parts.size() == 2) result.schema_ = Compiler(pattern, parts.front()).compile();
  return result;
}

bool NamePattern::matches(std::string_view schema, std::string_view name) const {
  return (!schema_ || matches_whole(*schema_, schema)) && matches_whole(name_, name);
}

}  // namespace pana
