// Cuts the text of a SQL script into its top-level statements, where psql would cut it.
//
// The text comes in pieces of any size: where they are cut does not change the tokens. Memory is about twice
// the longest statement plus one piece, time is linear. The rules are those of psql's scanner (psqlscan.l) with
// standard_conforming_strings on: a semicolon ends a statement unless it stands in a quoted string or identifier, a
// dollar quote, a comment, parentheses, or the BEGIN ATOMIC ... END body of a CREATE FUNCTION or CREATE PROCEDURE. Only
// an E'' string has backslash escapes. Bytes from 0x80 are letters, which suits every server encoding (not SJIS, BIG5
// and the like).
//
// Two differences, both for the better: BEGIN opens a body only before ATOMIC (psql takes a function named "begin",
// which pg_dump does not quote, for the start of one), and a backslash within a statement is an ordinary byte (psql
// starts a meta-command there; pg_dump never writes one).
#pragma once

#include <cstddef>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

namespace pana {

enum class SqlLexemeKind { blank, comment, word, quoted, other };

// Finds the ends of lexemes in a growing text: a run of blanks, a comment, a word, a quoted string or identifier with
// its quotes, a number, or a single byte of anything else.
class SqlScanner {
 public:
  struct Lexeme {
    SqlLexemeKind kind = SqlLexemeKind::other;
    std::string_view text;
  };

  // Reads `text` on from `position`, which is moved along. Returns the lexeme that ends at `position`, or nothing when
  // the text ends within it; then the caller continues at the same place when it has more text. Says `last` when there
  // will be no more: the end of the text ends the lexeme.
  std::optional<Lexeme> scan(std::string_view text, std::size_t& position, bool last);

 private:
  enum class Mode {
    start,  // nothing of the lexeme has been read
    blank,
    dash,
    slash,
    line_comment,
    block_comment,
    word,
    number,
    quoted,
    quoted_end,  // the quote has ended, unless the same mark follows
    escaped,     // the byte after a backslash in an E'' string
    dollar_tag,
    dollar_body
  };
  enum class Step { within, last_byte, ended_before };

  Step read(char byte);
  Step read_first(char byte);
  Step read_block_comment(char byte);
  Step read_quoted(char byte);
  Step read_dollar_tag(char byte);
  Step read_dollar_body(char byte);
  Lexeme end(std::string_view text, std::size_t& position);

  Mode mode_ = Mode::start;
  std::size_t bytes_ = 0;  // of the lexeme, up to now
  char first_ = 0;         // byte of the lexeme
  char previous_ = 0;      // byte in a block comment, 0 when it belongs to a mark already counted
  std::size_t comment_depth_ = 0;
  char mark_ = 0;                   // that ends the quote
  bool escapes_ = false;            // an E'' string
  std::string delimiter_;           // of the dollar quote
  std::size_t delimiter_seen_ = 0;  // bytes of the delimiter that have just been read
};

enum class SqlTokenKind {
  blank,         // white space between statements
  comment,       // one comment between statements: "--" to its line end (included), or "/*" to "*/"
  meta_command,  // a backslash between statements, to its line end (included)
  statement      // from its first byte to its semicolon; at the end of the text that may be missing
};

struct SqlToken {
  SqlTokenKind kind = SqlTokenKind::blank;
  std::string_view text;
};

class SqlLexer {
 public:
  void feed(std::string_view piece);

  // Says that the text ends here: what is left over becomes the last token.
  void finish() { finished_ = true; }

  // The next token that is known to be complete, nothing when more text is needed. The texts of all tokens put
  // together are the input, byte for byte. A text is valid until the next feed().
  std::optional<SqlToken> next();

 private:
  // What of a statement decides whether a semicolon ends it.
  struct Statement {
    std::size_t parentheses = 0;
    std::size_t body_depth = 0;  // the open BEGIN ATOMIC, and each open CASE within it
    int words = 0;
    std::string opening;  // the first words in capitals, a blank behind each
    bool creates_routine = false;
    bool after_begin = false;

    bool ends_with(const SqlScanner::Lexeme& lexeme);
    void add_word(std::string_view word);
  };

  std::optional<SqlToken> next_meta_command();
  SqlToken take_token(SqlTokenKind kind);

  std::string text_;
  std::size_t begin_ = 0;     // of the token
  std::size_t position_ = 0;  // of the first byte not scanned
  bool finished_ = false;
  SqlScanner scanner_;
  Statement statement_;
};

// Reads the lexemes of one statement from its front, blanks and comments left out: enough to tell what kind of
// statement it is and of which table.
class SqlLexemes {
 public:
  explicit SqlLexemes(std::string_view statement) : rest_(statement) {}

  // The next lexeme as written, a view into the statement; empty at the end.
  std::string_view next();

  // Goes past these keywords (given in capitals) if all of them come next; says whether they did.
  bool skip(std::initializer_list<std::string_view> keywords);

  // Goes past a name with its qualification and returns it as written: public."Odd name". Empty when none comes.
  std::string_view qualified_name();

 private:
  std::string_view rest_;
};

// Whether a lexeme is this keyword (given in capitals); a quoted identifier never is.
bool is_keyword(std::string_view lexeme, std::string_view keyword);

// Whether psql would not find the end of this CREATE FUNCTION or CREATE PROCEDURE: it takes every word BEGIN outside of
// parentheses for the beginning of a block, and a column or function may be called so.
bool is_misread_by_psql(std::string_view statement);

// What a string literal stands for: 'it''s', or E'a\\b', with no other escapes than doubled quotes and backslashes, as
// PostgreSQL's quote_literal() and libpq write them. Nothing for any other lexeme.
std::optional<std::string> parse_literal(std::string_view lexeme);

}  // namespace pana
