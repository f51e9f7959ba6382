#include "sql/sql_lexer.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace pana {
namespace {

bool is_space(char byte) { return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r' || byte == '\f'; }

bool is_digit(char byte) { return byte >= '0' && byte <= '9'; }

bool is_letter(char byte) {
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_' ||
         static_cast<unsigned char>(byte) >= 0x80;
}

bool is_tag_byte(char byte) { return is_letter(byte) || is_digit(byte); }

char to_upper(char byte) { return byte >= 'a' && byte <= 'z' ? static_cast<char>(byte - 'a' + 'A') : byte; }

}  // namespace

bool is_keyword(std::string_view lexeme, std::string_view keyword) {
  return std::ranges::equal(lexeme, keyword, [](char a, char b) { return to_upper(a) == b; });
}

bool is_misread_by_psql(std::string_view statement) {
  SqlLexemes lexemes(statement);
  if (!lexemes.skip({"CREATE"})) return false;
  lexemes.skip({"OR", "REPLACE"});
  if (!lexemes.skip({"FUNCTION"}) && !lexemes.skip({"PROCEDURE"})) return false;
  int depth = 0;
  int parentheses = 0;
  for (std::string_view lexeme = lexemes.next(); !lexeme.empty(); lexeme = lexemes.next()) {
    if (lexeme == "(") ++parentheses;
    if (lexeme == ")") --parentheses;
    if (parentheses > 0) continue;
    if (is_keyword(lexeme, "BEGIN") || (depth > 0 && is_keyword(lexeme, "CASE"))) ++depth;
    if (depth > 0 && is_keyword(lexeme, "END")) --depth;
  }
  return depth != 0;
}

std::optional<std::string> parse_literal(std::string_view lexeme) {
  const bool escapes = !lexeme.empty() && to_upper(lexeme.front()) == 'E';
  if (escapes) lexeme.remove_prefix(1);
  if (lexeme.size() < 2 || lexeme.front() != '\'' || lexeme.back() != '\'') return std::nullopt;
  const std::string_view body = lexeme.substr(1, lexeme.size() - 2);
  std::string text;
  for (std::size_t i = 0; i < body.size(); ++i) {
    const bool doubled = body[i] == '\'' || (escapes && body[i] == '\\');
    if (doubled && (++i == body.size() || body[i] != body[i - 1])) return std::nullopt;
    text += body[i];
  }
  return text;
}

std::optional<SqlScanner::Lexeme> SqlScanner::scan(std::string_view text, std::size_t& position, bool last) {
  while (position < text.size()) {
    const Step step = read(text[position]);
    if (step == Step::ended_before) return end(text, position);
    ++position;
    ++bytes_;
    if (step == Step::last_byte) return end(text, position);
  }
  if (last && bytes_ > 0) return end(text, position);
  return std::nullopt;
}

SqlScanner::Lexeme SqlScanner::end(std::string_view text, std::size_t& position) {
  // "$name" without a second dollar is no quote: the dollar stands alone and the name is read again, as a word.
  if (mode_ == Mode::dollar_tag) position -= std::exchange(bytes_, 1) - 1;

  SqlLexemeKind kind = SqlLexemeKind::other;
  if (mode_ == Mode::blank) kind = SqlLexemeKind::blank;
  if (mode_ == Mode::line_comment || mode_ == Mode::block_comment) kind = SqlLexemeKind::comment;
  if (mode_ == Mode::word) kind = SqlLexemeKind::word;
  if (mode_ == Mode::quoted_end || mode_ == Mode::dollar_body) kind = SqlLexemeKind::quoted;
  mode_ = Mode::start;
  const std::size_t bytes = std::exchange(bytes_, 0);
  return {.kind = kind, .text = text.substr(position - bytes, bytes)};
}

SqlScanner::Step SqlScanner::read(char byte) {
  switch (mode_) {
    case Mode::start: return read_first(byte);
    case Mode::blank: return is_space(byte) ? Step::within : Step::ended_before;
    case Mode::dash:
      if (byte != '-') return Step::ended_before;
      mode_ = Mode::line_comment;
      return Step::within;
    case Mode::slash:
      if (byte != '*') return Step::ended_before;
      mode_ = Mode::block_comment;
      comment_depth_ = 1;
      previous_ = 0;
      return Step::within;
    case Mode::line_comment: return byte == '\n' || byte == '\r' ? Step::last_byte : Step::within;
    case Mode::block_comment: return read_block_comment(byte);
    case Mode::word:
      if (byte == '\'' && bytes_ == 1 && to_upper(first_) == 'E') {
        mode_ = Mode::quoted;
        mark_ = '\'';
        escapes_ = true;
        return Step::within;
      }
      return is_tag_byte(byte) || byte == '$' ? Step::within : Step::ended_before;
    case Mode::number: return is_digit(byte) ? Step::within : Step::ended_before;
    case Mode::escaped: mode_ = Mode::quoted; return Step::within;
    case Mode::quoted:
    case Mode::quoted_end: return read_quoted(byte);
    case Mode::dollar_tag: return read_dollar_tag(byte);
    case Mode::dollar_body: return read_dollar_body(byte);
  }
  return Step::within;
}

SqlScanner::Step SqlScanner::read_first(char byte) {
  first_ = byte;
  if (is_space(byte)) mode_ = Mode::blank;
  if (is_letter(byte)) mode_ = Mode::word;
  if (is_digit(byte)) mode_ = Mode::number;
  if (byte == '-') mode_ = Mode::dash;
  if (byte == '/') mode_ = Mode::slash;
  if (byte == '\'' || byte == '"') {
    mode_ = Mode::quoted;
    mark_ = byte;
    escapes_ = false;
  }
  if (byte == '$') {
    mode_ = Mode::dollar_tag;
    delimiter_ = byte;
  }
  return mode_ == Mode::start ? Step::last_byte : Step::within;
}

SqlScanner::Step SqlScanner::read_block_comment(char byte) {
  const bool opens = previous_ == '/' && byte == '*';
  const bool closes = previous_ == '*' && byte == '/';
  previous_ = opens || closes ? '\0' : byte;
  if (opens) ++comment_depth_;
  if (closes && --comment_depth_ == 0) return Step::last_byte;
  return Step::within;
}

SqlScanner::Step SqlScanner::read_quoted(char byte) {
  if (mode_ == Mode::quoted_end) {
    if (byte != mark_) return Step::ended_before;
    mode_ = Mode::quoted;
  } else if (byte == mark_) {
    mode_ = Mode::quoted_end;
  } else if (byte == '\\' && escapes_) {
    mode_ = Mode::escaped;
  }
  return Step::within;
}

SqlScanner::Step SqlScanner::read_dollar_tag(char byte) {
  const bool closes = byte == '$';
  const bool names = delimiter_.size() == 1 ? is_letter(byte) : is_tag_byte(byte);
  if (!closes && !names) return Step::ended_before;
  delimiter_ += byte;
  if (closes) {
    mode_ = Mode::dollar_body;
    delimiter_seen_ = 0;
  }
  return Step::within;
}

SqlScanner::Step SqlScanner::read_dollar_body(char byte) {
  // Dollars stand only at the two ends of the delimiter: whatever else fails to match, only a dollar can begin it anew.
  if (byte == delimiter_[delimiter_seen_]) {
    ++delimiter_seen_;
  } else {
    delimiter_seen_ = byte == '$' ? 1 : 0;
  }
  return delimiter_seen_ == delimiter_.size() ? Step::last_byte : Step::within;
}

void SqlLexer::feed(std::string_view piece) {
  // Moving the rest to the front costs nothing in the long run: less than half of the text is moved.
  if (begin_ > text_.size() / 2) {
    text_.erase(0, begin_);
    position_ -= std::exchange(begin_, 0);
  }
  text_ += piece;
}

std::optional<SqlToken> SqlLexer::next() {
  if (begin_ < text_.size() && text_[begin_] == '\\') return next_meta_command();
  while (const std::optional<SqlScanner::Lexeme> lexeme = scanner_.scan(text_, position_, finished_)) {
    const bool is_first = begin_ + lexeme->text.size() == position_;
    if (is_first && lexeme->kind == SqlLexemeKind::blank) return take_token(SqlTokenKind::blank);
    if (is_first && lexeme->kind == SqlLexemeKind::comment) return take_token(SqlTokenKind::comment);
    if (statement_.ends_with(*lexeme)) return take_token(SqlTokenKind::statement);
  }
  if (finished_ && begin_ < text_.size()) return take_token(SqlTokenKind::statement);
  return std::nullopt;
}

std::optional<SqlToken> SqlLexer::next_meta_command() {
  const std::size_t line_end = text_.find('\n', position_);
  position_ = line_end == std::string::npos ? text_.size() : line_end + 1;
  if (line_end == std::string::npos && !finished_) return std::nullopt;
  return take_token(SqlTokenKind::meta_command);
}

SqlToken SqlLexer::take_token(SqlTokenKind kind) {
  statement_ = {};
  const std::size_t begin = std::exchange(begin_, position_);
  return {.kind = kind, .text = std::string_view(text_).substr(begin, position_ - begin)};
}

bool SqlLexer::Statement::ends_with(const SqlScanner::Lexeme& lexeme) {
  if (lexeme.kind == SqlLexemeKind::word) add_word(lexeme.text);
  if (lexeme.text == "(") ++parentheses;
  if (lexeme.text == ")" && parentheses > 0) --parentheses;
  return lexeme.text == ";" && parentheses == 0 && body_depth == 0;
}

void SqlLexer::Statement::add_word(std::string_view word) {
  if (words < 4) {
    ++words;
    std::ranges::transform(word, std::back_inserter(opening), to_upper);
    opening += ' ';
    creates_routine = creates_routine || opening == "CREATE FUNCTION " || opening == "CREATE PROCEDURE " ||
                      opening == "CREATE OR REPLACE FUNCTION " || opening == "CREATE OR REPLACE PROCEDURE ";
  }
  if (!creates_routine || parentheses > 0) return;
  // CASE ends with END as well.
  if (after_begin && is_keyword(word, "ATOMIC")) ++body_depth;
  if (body_depth > 0 && is_keyword(word, "CASE")) ++body_depth;
  if (body_depth > 0 && is_keyword(word, "END")) --body_depth;
  after_begin = is_keyword(word, "BEGIN");
}

std::string_view SqlLexemes::next() {
  while (!rest_.empty()) {
    std::size_t position = 0;
    const std::optional<SqlScanner::Lexeme> lexeme = SqlScanner().scan(rest_, position, true);
    rest_.remove_prefix(position);
    if (lexeme->kind != SqlLexemeKind::blank && lexeme->kind != SqlLexemeKind::comment) return lexeme->text;
  }
  return {};
}

bool SqlLexemes::skip(std::initializer_list<std::string_view> keywords) {
  const std::string_view start = rest_;
  for (const std::string_view keyword : keywords) {
    if (!is_keyword(next(), keyword)) {
      rest_ = start;
      return false;
    }
  }
  return true;
}

std::string_view SqlLexemes::qualified_name() {
  std::string_view start = rest_;
  std::string_view name;
  for (;;) {
    const std::string_view part = next();
    if (part.empty() || (part.front() != '"' && !is_letter(part.front()))) break;
    name = name.empty()
               ? part
               : std::string_view(name.data(), static_cast<std::size_t>(part.data() + part.size() - name.data()));
    start = rest_;
    if (next() != ".") break;
  }
  rest_ = start;
  return name;
}

}  // namespace pana
