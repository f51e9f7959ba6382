#include "sql/identity_sequence.h"

#include <fmt/format.h>

#include <optional>

#include "sql/sql_lexer.h"

namespace pana {
namespace {

std::string with_quotes_doubled(std::string_view text) {
  std::string result;
  for (const char c : text) result.append(c == '\'' ? 2 : 1, c);
  return result;
}

// Both are views into the text.
struct LoggedSequence {
  std::string_view name;     // as written
  std::string_view keyword;  // LOGGED
};

std::optional<LoggedSequence> find_logged_sequence(std::string_view text) {
  SqlLexemes lexemes(text);
  if (!lexemes.skip({"ALTER", "TABLE"})) return std::nullopt;
  lexemes.skip({"ONLY"});
  lexemes.qualified_name();
  if (!lexemes.skip({"ALTER", "COLUMN"})) return std::nullopt;
  lexemes.qualified_name();
  if (!lexemes.skip({"ADD", "GENERATED", "ALWAYS"}) && !lexemes.skip({"ADD", "GENERATED", "BY", "DEFAULT"}))
    return std::nullopt;
  if (!lexemes.skip({"AS", "IDENTITY"}) || lexemes.next() != "(" || !lexemes.skip({"SEQUENCE", "NAME"}))
    return std::nullopt;
  const std::string_view name = lexemes.qualified_name();
  const std::string_view keyword = lexemes.next();
  return is_keyword(keyword, "LOGGED") ? std::optional(LoggedSequence{.name = name, .keyword = keyword}) : std::nullopt;
}

}  // namespace

std::string with_persistence_apart(std::string_view entry_text) {
  std::string text(entry_text);
  const std::optional<LoggedSequence> sequence = find_logged_sequence(entry_text);
  if (!sequence) return text;
  const char* const end_of_name = sequence->name.data() + sequence->name.size();
  const char* const end_of_keyword = sequence->keyword.data() + sequence->keyword.size();
  text.erase(static_cast<std::size_t>(end_of_name - entry_text.data()),
             static_cast<std::size_t>(end_of_keyword - end_of_name));
  while (text.ends_with('\n')) text.pop_back();
  // The name stands in a literal of a block, which is a literal itself.
  return text + fmt::format(
                    "\n\nDO 'BEGIN\n"
                    "  IF pg_catalog.current_setting(''server_version_num'')::pg_catalog.int4 >= 150000 THEN\n"
                    "    EXECUTE ''ALTER SEQUENCE {} SET LOGGED'';\n"
                    "  END IF;\n"
                    "END';\n\n\n",
                    with_quotes_doubled(with_quotes_doubled(sequence->name)));
}

}  // namespace pana
