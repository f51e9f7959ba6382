#include "sql/schema_script.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <set>
#include <utility>

#include "base/error.h"

namespace pana {
namespace {

constexpr std::string_view kRuler = "--\n";
constexpr std::string_view kEntryComment = "-- TOC entry ";
constexpr std::string_view kCompletedOn = "-- Completed on ";
constexpr std::string_view kComplete = "-- PostgreSQL database dump complete\n";

[[noreturn]] void throw_unreadable_entry() {
  throw Error(ErrorKind::failed, "an entry of the schema script begins with a comment of unknown form");
}

[[noreturn]] void throw_after_end() { throw Error(ErrorKind::failed, "the schema script goes on after its end"); }

// The text between two marks; nothing when one of them is missing.
std::optional<std::string_view> between(std::string_view text, std::string_view before, std::string_view after) {
  const std::size_t mark = text.find(before);
  if (mark == std::string_view::npos) return std::nullopt;
  const std::size_t begin = mark + before.size();
  const std::size_t end = text.find(after, begin);
  if (end == std::string_view::npos) return std::nullopt;
  return text.substr(begin, end - begin);
}

std::uint32_t oid_between(std::string_view comment, std::string_view before, std::string_view after) {
  const std::string_view digits = between(comment, before, after).value_or("");
  std::uint32_t oid = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), oid);
  if (digits.empty() || error != std::errc() || end != digits.data() + digits.size()) {
    throw_unreadable_entry();
  }
  return oid;
}

bool is_type(std::string_view text) {
  return !text.empty() &&
         std::ranges::all_of(text, [](char byte) { return (byte >= 'A' && byte <= 'Z') || byte == ' '; });
}

// ALTER DOMAIN ..., or ALTER TABLE [IF EXISTS] [ONLY] name ADD CONSTRAINT ...
bool adds_constraint(std::string_view statement) {
  SqlLexemes lexemes(statement);
  if (lexemes.skip({"ALTER", "DOMAIN"})) return true;
  if (!lexemes.skip({"ALTER", "TABLE"})) return false;
  lexemes.skip({"IF", "EXISTS"});
  lexemes.skip({"ONLY"});
  return !lexemes.qualified_name().empty() && lexemes.skip({"ADD", "CONSTRAINT"});
}

// How the first statement of an entry of some type begins. Types that are not here are made by a CREATE of their own.
struct Form {
  std::string_view type;
  std::string_view words;
};
constexpr std::array kForms = {Form{"ACL", "GRANT"},
                               Form{"ACL", "REVOKE"},
                               Form{"ACL", "SET SESSION"},
                               Form{"DEFAULT ACL", "ALTER DEFAULT"},
                               Form{"DEFAULT ACL", "SET SESSION"},
                               Form{"COMMENT", "COMMENT ON"},
                               Form{"SECURITY LABEL", "SECURITY LABEL"},
                               Form{"INDEX", "CREATE INDEX"},
                               Form{"INDEX", "CREATE UNIQUE"},
                               Form{"INDEX ATTACH", "ALTER INDEX"},
                               Form{"STATISTICS", "CREATE STATISTICS"},
                               Form{"TRIGGER", "CREATE TRIGGER"},
                               Form{"TRIGGER", "CREATE CONSTRAINT"},
                               Form{"TRIGGER", "ALTER TABLE"},
                               Form{"EVENT TRIGGER", "CREATE EVENT"},
                               Form{"RULE", "CREATE RULE"},
                               Form{"RULE", "CREATE OR REPLACE VIEW"},
                               Form{"VIEW", "CREATE OR REPLACE VIEW"},
                               Form{"POLICY", "CREATE POLICY"},
                               Form{"ROW SECURITY", "ALTER TABLE"},
                               Form{"PUBLICATION", "CREATE PUBLICATION"},
                               Form{"PUBLICATION TABLE", "ALTER PUBLICATION"},
                               Form{"PUBLICATION TABLES IN SCHEMA", "ALTER PUBLICATION"},
                               Form{"SUBSCRIPTION", "CREATE SUBSCRIPTION"},
                               Form{"MATERIALIZED VIEW DATA", "REFRESH"},
                               Form{"DEFAULT", "ALTER TABLE"},
                               Form{"SEQUENCE", "ALTER TABLE"},
                               Form{"TABLE ATTACH", "ALTER TABLE"}};

bool begins_with(std::string_view statement, std::string_view words) {
  SqlLexemes lexemes(statement);
  while (!words.empty()) {
    const std::string_view word = words.substr(0, words.find(' '));
    if (!is_keyword(lexemes.next(), word)) return false;
    words.remove_prefix(std::min(word.size() + 1, words.size()));
  }
  return true;
}

// Whether an entry of this type can begin with this statement.
bool fits(std::string_view type, std::string_view statement) {
  const bool is_constraint = type == "CONSTRAINT" || type == "FK CONSTRAINT" || type == "CHECK CONSTRAINT";
  if (is_constraint || adds_constraint(statement)) return is_constraint && adds_constraint(statement);
  bool has_form = false;
  bool other_form_fits = false;
  for (const Form& form : kForms) {
    const bool form_fits = begins_with(statement, form.words);
    if (form.type == type && form_fits) return true;
    has_form = has_form || form.type == type;
    other_form_fits = other_form_fits || form_fits;
  }
  // A view or a sequence has a CREATE of its own, too.
  return !other_form_fits && (!has_form || type == "VIEW" || type == "SEQUENCE");
}

// Takes "-- Name: n; Type: T; Schema: s; Owner: o[; Tablespace: t]" apart; says whether it is of that form.
//
// Nothing in it is quoted, so a name can hold a look-alike of the rest. Every place where a type of nothing but
// capitals and blanks could stand is tried, from the right, and the first one is taken that fits the entry's statement.
// What is taken for the object's name or schema may still be wrong; whether it belongs before or behind the rows is
// not.
bool read_name_comment(std::string_view comment, std::string_view statement, SchemaEntry& entry) {
  constexpr std::string_view kName = "Name: ";
  constexpr std::string_view kType = "; Type: ";
  constexpr std::string_view kSchema = "; Schema: ";
  constexpr std::string_view kOwner = "; Owner: ";
  comment.remove_suffix(comment.ends_with('\n') ? 1 : 0);
  const std::size_t name = comment.find(kName) + kName.size();
  const std::size_t owner = comment.rfind(kOwner);
  if (owner == std::string_view::npos) return false;
  for (std::size_t mark = comment.rfind(kType, owner); mark != std::string_view::npos && mark >= name;
       mark = comment.rfind(kType, mark - 1)) {
    const std::size_t type_begin = mark + kType.size();
    const std::size_t schema = comment.find(kSchema, type_begin);
    if (schema == std::string_view::npos || schema > owner) continue;
    const std::string_view type = comment.substr(type_begin, schema - type_begin);
    if (!is_type(type)) continue;
    const bool is_first = entry.type.empty();
    const bool is_better = !statement.empty() && fits(type, statement);
    if (!is_first && !is_better) continue;
    const std::size_t schema_begin = schema + kSchema.size();
    entry.name = comment.substr(name, mark - name);
    entry.type = type;
    entry.schema = comment.substr(schema_begin, owner - schema_begin);
    entry.owner = comment.substr(owner + kOwner.size());
    entry.owner.resize(std::min(entry.owner.rfind("; Tablespace: "), entry.owner.size()));
    if (is_better) return true;
  }
  return !entry.type.empty();
}

bool is_name_comment(std::string_view comment) {
  return comment.starts_with("-- Name: ") || comment.starts_with("-- Data for Name: ") ||
         comment.starts_with("-- Statistics for Name: ");
}

// What pg_dump sets up its own session with, before the first entry.
bool is_session_setting(std::string_view statement) {
  SqlLexemes lexemes(statement);
  return lexemes.skip({"SET"}) || (lexemes.skip({"SELECT"}) && lexemes.qualified_name() == "pg_catalog.set_config");
}

}  // namespace

void SchemaScriptReader::feed(std::string_view piece) {
  lexer_.feed(piece);
  read_tokens();
}

void SchemaScriptReader::finish() {
  if (input_ == Input::script && !complete_) {
    throw Error(ErrorKind::failed, "the schema script of pg_dump breaks off before its end");
  }
  lexer_.finish();
  read_tokens();
  if (place_ != Place::entries) return;
  if (rule_held_) entry_.text += kRuler;
  end_entry();
}

std::optional<SchemaEntry> SchemaScriptReader::next() {
  if (entries_.empty()) return std::nullopt;
  SchemaEntry entry = std::move(entries_.front());
  entries_.pop_front();
  return entry;
}

void SchemaScriptReader::read_tokens() {
  while (const std::optional<SqlToken> token = lexer_.next()) read(*token);
}

void SchemaScriptReader::read(const SqlToken& token) {
  const bool after_rule = std::exchange(rule_held_, false);
  if (token.kind == SqlTokenKind::comment) {
    if (after_rule && token.text.starts_with(kEntryComment)) return begin_entry(token.text);
    // pg_dump tells the time only when it is verbose.
    if (token.text.starts_with(kCompletedOn) || token.text == kComplete) return begin_trailer(token.text);
  }
  if (after_rule && place_ == Place::entries) entry_.text += kRuler;
  if (token.kind == SqlTokenKind::comment && token.text == kRuler) {
    rule_held_ = true;
  } else if (place_ == Place::entries) {
    read_entry(token);
  } else if (token.kind == SqlTokenKind::statement) {
    read_outside(token.text);
  }
}

void SchemaScriptReader::begin_entry(std::string_view comment) {
  if (place_ == Place::entries) end_entry();
  if (place_ == Place::trailer) throw_after_end();
  place_ = Place::entries;
  entry_.catalog_id = oid_between(comment, "(class ", " ");
  entry_.object_id = oid_between(comment, " OID ", ")");
  entry_.text = std::exchange(front_, {});
  entry_.text += kRuler;
  entry_.text += comment;
}

void SchemaScriptReader::read_entry(const SqlToken& token) {
  entry_.text += token.text;
  if (token.kind == SqlTokenKind::comment && name_comment_.empty() && is_name_comment(token.text)) {
    name_comment_ = token.text;
  }
  if (token.kind == SqlTokenKind::statement && first_statement_.empty()) first_statement_ = token.text;
}

void SchemaScriptReader::end_entry() {
  if (!read_name_comment(std::exchange(name_comment_, {}), std::exchange(first_statement_, {}), entry_)) {
    throw_unreadable_entry();
  }
  entries_.push_back(std::exchange(entry_, {}));
}

void SchemaScriptReader::begin_trailer(std::string_view comment) {
  if (place_ == Place::entries) end_entry();
  place_ = Place::trailer;
  complete_ = complete_ || comment == kComplete;
}

void SchemaScriptReader::read_outside(std::string_view statement) {
  if (place_ == Place::trailer) throw_after_end();
  if (is_default_setting(statement)) {
    front_ += statement;
    front_ += '\n';
  } else if (!is_session_setting(statement)) {
    drop_statements_.emplace_back(statement);
  }
}

bool is_post_data(std::string_view type) {
  // From the calls of ArchiveEntry() with SECTION_POST_DATA in pg_dump.c, versions 13 to 18. The two kinds of ACL are
  // here because pg_dump writes all privileges behind the last constraint (_tocEntryRestorePass()).
  static const std::set<std::string_view> types = {
      "ACL",
      "CHECK CONSTRAINT",
      "CONSTRAINT",
      "DEFAULT ACL",
      "EVENT TRIGGER",
      "FK CONSTRAINT",
      "INDEX",
      "INDEX ATTACH",
      "MATERIALIZED VIEW DATA",
      "POLICY",
      "PUBLICATION",
      "PUBLICATION TABLE",
      "PUBLICATION TABLES IN SCHEMA",
      "ROW SECURITY",
      "RULE",
      "STATISTICS",
      "STATISTICS DATA",
      "SUBSCRIPTION",
      "SUBSCRIPTION TABLE",
      "TRIGGER",
  };
  return types.contains(type);
}

std::vector<std::string> statements_of(std::string_view text) {
  SqlLexer lexer;
  lexer.feed(text);
  lexer.finish();
  std::vector<std::string> statements;
  while (const std::optional<SqlToken> token = lexer.next()) {
    if (token->kind == SqlTokenKind::statement) statements.emplace_back(token->text);
  }
  return statements;
}

bool is_one_statement(std::string_view text, std::string_view beginning) {
  return text.starts_with(beginning) && statements_of(text).size() == 1;
}

bool is_default_setting(std::string_view statement) {
  SqlLexemes lexemes(statement);
  return lexemes.skip({"SET", "DEFAULT_TABLESPACE"}) || lexemes.skip({"SET", "DEFAULT_TABLE_ACCESS_METHOD"}) ||
         lexemes.skip({"SET", "DEFAULT_WITH_OIDS"});
}

}  // namespace pana
