#include "command/preflight_encoding.h"

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "base/error.h"
#include "base/log.h"
#include "base/text.h"
#include "base/unicode.h"
#include "command/restore_schema.h"
#include "pg/session.h"

namespace pana {
namespace {

// SQL_ASCII takes any bytes, and UTF8 the characters of every other encoding.
bool holds_all(const std::string& target, const std::string& source) {
  return target == source || target == "SQL_ASCII" || (target == "UTF8" && source != "SQL_ASCII");
}

// Whether text of one encoding can be brought into the other at all, as far as its characters are in both. Never bytes
// of no encoding: a session in SQL_ASCII stores them as they are, whatever they mean in the target.
bool is_convertible(Connection& connection, const std::string& source, const std::string& target) {
  return connection
             .query(fmt::format("SELECT FROM pg_catalog.pg_conversion WHERE condefault "
                                "AND pg_catalog.pg_encoding_to_char(conforencoding) = {} "
                                "AND pg_catalog.pg_encoding_to_char(contoencoding) = {}",
                                connection.quote_literal(source), connection.quote_literal(target)))
             .rows() > 0;
}

// Whether the target's encoding has all characters of a text of the script.
bool fits(Connection& connection, const std::string& text, const std::string& source, const std::string& target) try {
  connection.query(fmt::format("SELECT pg_catalog.convert(pg_catalog.decode('{}', 'hex'), {}, {}) IS NULL", hex(text),
                               connection.quote_literal(source), connection.quote_literal(target)));
  return true;
} catch (const DatabaseError& error) {
  constexpr std::string_view kUntranslatableCharacter = "22P05";
  if (error.sqlstate() != kUntranslatableCharacter) throw;
  return false;
}

}  // namespace

void check_encoding(Connection& connection, const RestoreRequest& request, const Index& index) {
  const std::string target = database_encoding(connection);
  const std::string& source = index.header.encoding;
  if (holds_all(target, source)) return;
  const std::string message = fmt::format("the backup's encoding is {}, the target's is {}", source, target);
  const std::string hint =
      fmt::format("create the target with CREATE DATABASE ... ENCODING '{}' TEMPLATE template0", source);
  const bool is_possible = is_convertible(connection, source, target);
  if (!is_possible || !request.keep_going) {
    throw Error(
        ErrorKind::refused, message,
        fmt::format(
            "{}{}", hint,
            is_possible ? "; --keep-going restores what fits, and names the rows of each frame that does not" : ""));
  }
  log(LogLevel::warning, "encoding",
      fmt::format("{}: where a row does not fit, all rows of its table in that frame are left out", message),
      {{"hint", hint}});
}

void refuse_unfit_definitions(Connection& connection, const IndexHeader& header,
                              const std::vector<SchemaObject>& objects, const ScriptNames& names,
                              const std::function<bool(const SchemaObject& object)>& is_wanted) {
  const std::string target = database_encoding(connection);
  if (holds_all(target, header.encoding)) return;
  std::string unfit;
  for (const SchemaObject& object : objects) {
    if (!is_wanted(object)) continue;
    std::string text;
    for (const SchemaStatement& statement : object.statements) text += statement.sql;
    if (is_ascii(text) || fits(connection, text, header.encoding, target)) continue;
    unfit += (unfit.empty() ? "" : ", ") + names.unicode(subject_of(object));
  }
  if (unfit.empty()) return;
  throw Error(ErrorKind::refused,
              fmt::format("the target's {} lacks characters of the definitions of: {}", target, unfit),
              "create the target in the backup's encoding, or leave these out: -T, --no-comments ...");
}

}  // namespace pana
