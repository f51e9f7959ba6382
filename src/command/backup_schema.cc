#include "command/backup_schema.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/log.h"
#include "sql/identity_sequence.h"

namespace pana {
namespace {

// The schema's frames are read one after another anyway: small ones keep memory small.
constexpr std::uint64_t kSchemaFrameBytes = 1 << 20;

constexpr std::string_view kDropMark = "-- pana:drop ";

// The comments are no SQL that anybody sees who reads the script: nothing but what drops may come out of them.
bool is_drop(std::string_view statement) {
  return is_one_statement(statement, "DROP ") || is_one_statement(statement, "CREATE OR REPLACE VIEW ") ||
         is_one_statement(statement, "SELECT pg_catalog.lo_unlink(") ||
         (is_one_statement(statement, "ALTER ") && statement.find(" DROP ") != std::string_view::npos);
}

}  // namespace

SchemaFrames::SchemaFrames(BackupWriter& backup, Compression compression, std::vector<std::string> drops,
                           const std::stop_token& stop)
    : backup_(backup), drops_(std::move(drops)), stop_(stop), pre_data_(compression), post_data_(compression) {}

void SchemaFrames::feed(std::string_view script) {
  script_.feed(script);
  while (const std::optional<SchemaEntry> entry = script_.next()) take(*entry);
}

void SchemaFrames::take(const SchemaEntry& entry) {
  if (entry.type == "FUNCTION" || entry.type == "PROCEDURE") {
    const std::vector<std::string> statements = statements_of(entry.text);
    if (std::ranges::any_of(statements, is_misread_by_psql)) {
      log(LogLevel::warning, "psql",
          fmt::format(
              "psql cannot read {}.{} from the file, nor what stands behind it: something in it is called \"begin\", "
              "which it takes for a block. pana restore can",
              entry.schema, entry.name));
    }
  }
  if (entry.catalog_id != 0) objects_.insert({.catalog = entry.catalog_id, .oid = entry.object_id});
  if (!in_entries_) append_drops();
  in_post_data_ = in_post_data_ || is_post_data(entry.type);
  if (!in_post_data_) return add_pre_data(entry.type == "SEQUENCE" ? with_persistence_apart(entry.text) : entry.text);
  post_data_.add(entry.text);
  if (post_data_.bytes() >= kSchemaFrameBytes) kept_.push_back(post_data_.finish(Phase::post_data));
}

void SchemaFrames::append_drops() {
  in_entries_ = true;
  backup_.begin_phase(Phase::clean);
  for (const std::string& statement : drops_) pre_data_.add(drop_comment(statement));
  for (const std::string& statement : script_.drop_statements()) pre_data_.add(drop_comment(statement));
  if (!pre_data_.empty()) backup_.append(pre_data_.finish(Phase::clean), stop_);
  backup_.begin_phase(Phase::pre_data);
}

void SchemaFrames::end_script() {
  script_.finish();
  while (const std::optional<SchemaEntry> entry = script_.next()) take(*entry);
  if (!in_entries_) append_drops();
  if (!post_data_.empty()) kept_.push_back(post_data_.finish(Phase::post_data));
}

void SchemaFrames::add_pre_data(std::string_view script) {
  pre_data_.add(script);
  if (pre_data_.bytes() >= kSchemaFrameBytes) backup_.append(pre_data_.finish(Phase::pre_data), stop_);
}

void SchemaFrames::end_pre_data() {
  if (!pre_data_.empty()) backup_.append(pre_data_.finish(Phase::pre_data), stop_);
  backup_.begin_phase(Phase::rows);
}

void SchemaFrames::append_post_data() {
  for (const Frame& frame : kept_) backup_.append(frame, stop_);
  kept_.clear();
}

std::string drop_comment(std::string_view statement) {
  std::string line(kDropMark);
  for (const char c : statement) {
    if (c == '\\') {
      line += "\\\\";
    } else if (c == '\n') {
      line += "\\n";
    } else if (c == '\r') {
      line += "\\r";
    } else {
      line += c;
    }
  }
  return line + "\n";
}

std::vector<std::string> parse_drop_comments(std::string_view text) {
  std::vector<std::string> statements;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (!line.starts_with(kDropMark)) throw Error(ErrorKind::damaged, "a line of the clean phase is malformed");
    std::string& statement = statements.emplace_back();
    for (std::size_t i = kDropMark.size(); i < line.size(); ++i) {
      if (line[i] == '\\' && i + 1 < line.size()) {
        const char escaped = line[++i];
        statement += escaped == 'n' ? '\n' : escaped == 'r' ? '\r' : escaped;
      } else {
        statement += line[i];
      }
    }
    if (!is_drop(statement)) throw Error(ErrorKind::damaged, "the clean phase holds something that drops nothing");
  }
  return statements;
}

}  // namespace pana
