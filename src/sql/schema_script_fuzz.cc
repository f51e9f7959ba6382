// Feeds any bytes to the SQL lexer and the readers of schema scripts, of their entries and of sequence values, whole
// and cut in two.
#include <cstdint>
#include <cstdlib>

#include "base/error.h"
#include "sql/schema_object.h"

namespace {

using pana::SchemaEntry;
using pana::SchemaScriptReader;
using Input = SchemaScriptReader::Input;

void require(bool holds) {
  if (!holds) std::abort();
}

struct Token {
  pana::SqlTokenKind kind;
  std::string text;
  bool operator==(const Token&) const = default;
};

std::vector<Token> tokens_of(std::string_view text, std::size_t cut) {
  std::vector<Token> tokens;
  pana::SqlLexer lexer;
  const auto take = [&] {
    while (const std::optional<pana::SqlToken> token = lexer.next()) {
      tokens.push_back({token->kind, std::string(token->text)});
    }
  };
  lexer.feed(text.substr(0, cut));
  take();
  lexer.feed(text.substr(cut));
  take();
  lexer.finish();
  take();
  return tokens;
}

// The texts and names of the entries, and the drop statements behind them; nothing when the script is refused.
std::optional<std::vector<std::string>> read_script(std::string_view text, std::size_t cut, Input input) try {
  std::vector<std::string> all;
  SchemaScriptReader reader(input);
  const auto take = [&] {
    while (const std::optional<SchemaEntry> entry = reader.next()) {
      all.insert(all.end(), {entry->text, entry->type, entry->name, entry->schema, entry->owner});
    }
  };
  reader.feed(text.substr(0, cut));
  take();
  reader.feed(text.substr(cut));
  take();
  reader.finish();
  take();
  all.insert(all.end(), reader.drop_statements().begin(), reader.drop_statements().end());
  return all;
} catch (const pana::Error&) {
  return std::nullopt;
}

// What has been cut into entries must come out the same when it is read back.
void check_round_trip(std::string_view text) try {
  SchemaScriptReader reader(Input::fragment);
  reader.feed(text);
  reader.finish();
  std::string entries;
  std::vector<std::string> texts;
  while (const std::optional<SchemaEntry> entry = reader.next()) {
    entries += entry->text;
    texts.push_back(entry->text);
  }
  SchemaScriptReader again(Input::fragment);
  again.feed(entries);
  again.finish();
  for (const std::string& expected : texts) {
    const std::optional<SchemaEntry> entry = again.next();
    require(entry && entry->text == expected);
  }
  require(!again.next());
} catch (const pana::Error&) {
  return;
}

// Whatever an entry holds: none of its statements gets lost, and a setting is none of them.
void check_objects(std::string_view text) {
  for (const char* type : {"TABLE", "COMMENT", "INDEX", "ACL", "FK CONSTRAINT", "SEQUENCE OWNED BY"}) {
    std::size_t settings = 0;
    const std::vector<std::string> statements = pana::statements_of(text);
    for (const std::string& statement : statements) settings += pana::is_default_setting(statement) ? 1 : 0;
    const pana::SchemaObject object = pana::SchemaObjectReader().understand({.type = type, .text = std::string(text)});
    require(object.statements.size() + settings == statements.size());
  }
  for (const std::string& statement : pana::statements_of(text)) {
    pana::sequence_of(statement);
    pana::understand_drop(statement);
  }
}

}  // namespace

// The first two bytes say where the rest is cut.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 2, size - 2);
  const std::size_t cut = (data[0] * 256u + data[1]) % (text.size() + 1);

  const std::vector<Token> tokens = tokens_of(text, text.size());
  std::string all;
  for (const Token& token : tokens) all += token.text;
  require(all == text);
  require(tokens_of(text, cut) == tokens);
  for (const Input input : {Input::script, Input::fragment}) {
    require(read_script(text, cut, input) == read_script(text, text.size(), input));
  }
  check_objects(text);
  check_round_trip(text);
  return 0;
}
