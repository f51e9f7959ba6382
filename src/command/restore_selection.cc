#include "command/restore_selection.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "pg/schema_names.h"
#include "pg/text_array.h"

namespace pana {
namespace {

std::vector<SchemaEntry> read_entries(const BackupReader& backup, Phase phase) {
  SchemaScriptReader script(SchemaScriptReader::Input::fragment);
  script.feed(backup.read_phase(phase));
  script.finish();
  std::vector<SchemaEntry> entries;
  while (std::optional<SchemaEntry> entry = script.next()) entries.push_back(std::move(*entry));
  return entries;
}

// Chooses by the request's patterns. With table patterns: the tables that match, and what is attached to them; with
// schema patterns: the schemas that match and what is in them.
class Chooser {
 public:
  // Patterns are Unicode, the entries in the backup's encoding: `connection` converts what is not ASCII.
  Chooser(const TableFilter& filter, const std::vector<SchemaEntry>& pre_data, Connection& connection,
          const std::string& encoding)
      : filter_(filter), connection_(connection), encoding_(encoding) {
    for (const SchemaEntry& entry : pre_data) {
      const std::optional<SequenceOwner> owner = sequence_owner(entry);
      if (owner && matches(owner->table)) owned_sequences_.emplace(owner->sequence.schema, owner->sequence.name);
    }
  }

  bool wants(const SchemaEntry& entry) const {
    if (filter_.is_empty()) return true;
    if (const std::optional<RelationName> relation = relation_of(entry)) return wants(*relation);
    if (filter_.has_table_patterns()) return false;
    if (entry.type == "SCHEMA") return filter_.includes_schema(entry.name);
    // Comments and grants of a schema are named "SCHEMA name".
    constexpr std::string_view kOfSchema = "SCHEMA ";
    if (entry.schema == "-" && entry.name.starts_with(kOfSchema)) {
      return filter_.includes_schema(std::string_view(entry.name).substr(kOfSchema.size()));
    }
    if (entry.schema == "-") return filter_.includes_everything();
    return filter_.includes_schema(entry.schema);
  }

  bool wants(const RelationName& relation) const {
    return matches(relation) || owned_sequences_.contains({relation.schema, relation.name});
  }

 private:
  bool matches(const RelationName& relation) const {
    const std::vector<std::string> names = to_unicode(connection_, encoding_, {relation.schema, relation.name});
    return filter_.includes(names[0], names[1]);
  }

  const TableFilter& filter_;
  Connection& connection_;
  const std::string& encoding_;
  std::set<std::pair<std::string, std::string>> owned_sequences_;
};

// SELECT pg_catalog.setval('public.orders_id_seq', 1, true);
std::optional<RelationName> sequence_of(std::string_view statement) {
  const std::size_t begin = statement.find('\'');
  const std::size_t end = statement.rfind('\'');
  if (begin == std::string_view::npos || end <= begin) return std::nullopt;
  std::string name;
  for (std::size_t i = begin + 1; i < end; ++i) {
    name += statement[i];
    // A literal doubles its quotes and, in the E'' form, its backslashes.
    const bool doubled = statement[i] == '\'' || (statement[i] == '\\' && statement[begin - 1] == 'E');
    if (doubled && i + 1 < end && statement[i + 1] == statement[i]) ++i;
  }
  return parse_relation_name(name);
}

// A pattern that matches nothing is a mistake. Partitioned tables have no rows of their own, but a definition.
void refuse_unmatched(const TableFilter& filter, const Index& index, const std::vector<SchemaEntry>& pre_data) {
  if (!filter.has_table_patterns()) return;
  std::vector<std::pair<std::string, std::string>> relations;
  for (const TableInfo& table : index.tables) relations.emplace_back(table.schema, table.name);
  for (const SchemaEntry& entry : pre_data) {
    if (std::optional<RelationName> relation = relation_of(entry)) relations.emplace_back(relation->schema, relation->name);
  }
  const std::vector<std::string> unmatched = filter.unmatched_tables(relations);
  if (unmatched.empty()) return;
  throw Error(ErrorKind::usage, fmt::format("no table of the backup matches {}", fmt::join(unmatched, ", ")),
              "pana show lists the backup's tables");
}

// They stand in the index, not in the script that somebody may have read before: they must be what they are said to be.
void check_statements(const ConstraintIndex& constraint) {
  if (is_one_statement(constraint.create_index, "CREATE UNIQUE INDEX ") &&
      is_one_statement(constraint.add_constraint, "ALTER TABLE ") &&
      constraint.add_constraint.find(" USING INDEX ") != std::string::npos) {
    return;
  }
  throw Error(ErrorKind::damaged, "the index is damaged: a constraint's statements are something else");
}

}  // namespace

RestoreSelection select_for_restore(const RestoreRequest& request, const BackupReader& backup, Connection& connection) {
  RestoreSelection selection;
  std::vector<SchemaEntry> pre_data = read_entries(backup, Phase::pre_data);
  const Chooser chooser(request.filter, pre_data, connection, backup.index().header.encoding);
  const auto choose = [&chooser](std::vector<SchemaEntry> entries) {
    std::erase_if(entries, [&chooser](const SchemaEntry& entry) { return !chooser.wants(entry); });
    return entries;
  };
  const Index& index = backup.index();
  for (const TableInfo& table : index.tables) {
    std::ranges::for_each(table.constraint_indexes, check_statements);
    const bool wanted = table.id == kLargeObjects ? request.filter.includes_everything()
                                                  : request.filter.includes_rows(table.schema, table.name);
    if (!wanted) continue;
    selection.tables.push_back(&table);
    selection.table_ids.insert(table.id);
  }
  refuse_unmatched(request.filter, index, pre_data);
  if (request.rows) {
    for (std::size_t i = 0; i < index.frames.size(); ++i) {
      const std::vector<FrameRows>& parts = index.frames[i].tables;
      if (std::any_of(parts.begin(), parts.end(),
                      [&](const FrameRows& part) { return selection.table_ids.contains(part.table); })) {
        selection.frames.push_back(i);
      }
    }
    for (std::string& statement : statements_of(backup.read_phase(Phase::sequences))) {
      const std::optional<RelationName> sequence = sequence_of(statement);
      if (!request.filter.is_empty() && (!sequence || !chooser.wants(*sequence))) continue;
      selection.sequence_values.push_back(std::move(statement));
    }
  }
  if (request.schema) {
    selection.post_data = choose(read_entries(backup, Phase::post_data));
    selection.pre_data = choose(std::move(pre_data));
  }
  // What a materialized view shows belongs to the rows.
  const auto is_view_data = [](const SchemaEntry& entry) { return entry.type == "MATERIALIZED VIEW DATA"; };
  if (!request.rows) std::erase_if(selection.post_data, is_view_data);
  if (!request.schema) {
    selection.post_data = choose(read_entries(backup, Phase::post_data));
    std::erase_if(selection.post_data, [&](const SchemaEntry& entry) { return !is_view_data(entry); });
  }
  return selection;
}

std::vector<std::string> wanted_statements(const RestoreRequest& request, const SchemaEntry& entry) {
  std::vector<std::string> statements = statements_of(entry.text);
  std::erase_if(statements, [&request](const std::string& statement) {
    if (!request.owners && is_owner_change(statement)) return true;
    if (!request.privileges && is_privilege(statement)) return true;
    return !request.tablespaces && statement.starts_with("SET default_tablespace");
  });
  return statements;
}

}  // namespace pana
