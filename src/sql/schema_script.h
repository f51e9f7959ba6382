// The schema of a database as pg_dump writes it: a script that is cut into its entries, one for each object.
//
// pg_dump --verbose puts a comment before each entry:
//
//     --
//     -- TOC entry 215 (class 1259 OID 16386)
//     -- Dependencies: 214
//     -- Name: orders; Type: TABLE; Schema: public; Owner: app
//     --
//
// It is believed only between statements, so a function body or a comment string may hold a look-alike.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sql/sql_lexer.h"

namespace pana {

struct SchemaEntry {
  std::string type;    // "TABLE", "FK CONSTRAINT", "ACL", ...
  std::string name;    // as in the comment: line ends are blanks, and it may be "TABLE orders" or "orders orders_pkey"
  std::string schema;  // "-" where the object has none
  std::string owner;
  std::uint32_t catalog_id = 0;  // the OID of the catalog that holds it ("class"), 0 for comments and the like
  std::uint32_t object_id = 0;   // the object's own OID, 0 likewise; of the row security of a table, that of the table
  // From its comment up to the next one, byte for byte. The SET statements between two entries stand at the end of the
  // first, those before the first entry in front of it.
  std::string text;
};

class SchemaScriptReader {
 public:
  enum class Input {
    script,   // a whole script, whose last line must be there
    fragment  // texts of entries, one after the other
  };

  explicit SchemaScriptReader(Input input = Input::script) : input_(input) {}

  void feed(std::string_view piece);

  // Throws Error(failed) when a script lacks its end: pg_dump was cut short.
  void finish();

  // The next entry that is known to be complete, nothing when more text is needed.
  std::optional<SchemaEntry> next();

  // What stands before the first entry: the DROP statements of --clean, and the CREATE OR REPLACE VIEW that makes way
  // for one of them, but not the session's settings (SET, search_path). Complete once next() has returned an entry.
  // Even with --if-exists some of them can fail: ALTER DOMAIN ... DROP CONSTRAINT and that view where the object or its
  // schema is missing, and DROP CONSTRAINT on a partition that inherits it.
  const std::vector<std::string>& drop_statements() const { return drop_statements_; }

 private:
  enum class Place { preamble, entries, trailer };

  void read_tokens();
  void read(const SqlToken& token);
  void read_entry(const SqlToken& token);
  void read_outside(std::string_view statement);
  void begin_entry(std::string_view comment);
  void end_entry();
  void begin_trailer(std::string_view comment);

  Input input_;
  SqlLexer lexer_;
  Place place_ = Place::preamble;
  bool complete_ = false;   // the script's last line has been seen
  bool rule_held_ = false;  // a "--" line waits: it belongs to the entry that the next line may begin
  std::string front_;       // settings that the first entry needs
  SchemaEntry entry_;
  std::string name_comment_;     // of the entry
  std::string first_statement_;  // of the entry
  std::deque<SchemaEntry> entries_;
  std::vector<std::string> drop_statements_;
};

// Whether pg_dump sorts this type of entry behind the rows. A COMMENT or SECURITY LABEL belongs to the entry before
// it, so the first entry for which this holds begins the post-data of a script, and all that follow belong to it.
bool is_post_data(std::string_view type);

// The statements of an entry, each with its semicolon, without the comments and meta-commands between them.
std::vector<std::string> statements_of(std::string_view text);

// Whether the text is a single statement that begins so; it may lack its semicolon.
bool is_one_statement(std::string_view text, std::string_view beginning);

// SET default_tablespace, default_table_access_method or default_with_oids: later entries rely on them.
bool is_default_setting(std::string_view statement);

}  // namespace pana
