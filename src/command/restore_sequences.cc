#include "command/restore_sequences.h"

#include <fmt/format.h>

#include <optional>
#include <string>
#include <vector>

#include "base/log.h"
#include "command/sql_names.h"
#include "pg/sequences.h"
#include "pg/transaction.h"

namespace pana {
namespace {

// All in one query, which is quick; one by one, each named, when one of them is refused.
void set_values(Connection& connection, const std::vector<SequenceValue>& values, RestoreErrors& errors) {
  std::string sql;
  for (const SequenceValue& value : values) sql += value.sql + "\n";
  if (!try_in_savepoint(connection, sql)) return;
  for (const SequenceValue& value : values) {
    const std::string name = value.sequence ? value.sequence->schema + "." + value.sequence->name : "of unknown name";
    const std::optional<DatabaseError> refusal = try_in_savepoint(connection, value.sql);
    if (refusal) errors.take("the value of sequence " + name, *refusal);
  }
}

std::vector<std::optional<SequencePosition>> read_positions(Connection& connection,
                                                            const std::vector<RelationName>& sequences) {
  std::vector<std::string> names;
  for (const RelationName& sequence : sequences) names.push_back(sql_name(connection, sequence));
  return read_sequence_positions(connection, names);
}

std::string statement_of(Connection& connection, const RelationName& sequence, const SequencePosition& position) {
  return fmt::format("SELECT pg_catalog.setval({}, {}, {})", connection.quote_literal(sql_name(connection, sequence)),
                     position.last_value, position.is_called);
}

std::string text_of(const SequencePosition& position) {
  return fmt::format("{}{}", position.is_called ? "" : "before ", position.last_value);
}

void warn_of_what_went_back(Connection& connection, const std::vector<RelationName>& sequences,
                            const std::vector<std::optional<SequencePosition>>& before, const ScriptNames& names) {
  const std::vector<std::optional<SequencePosition>> now = read_positions(connection, sequences);
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    if (!before[i] || !now[i] || !before[i]->is_ahead_of(*now[i])) continue;
    const RelationName name = names.unicode(sequences[i]);
    log(LogLevel::warning, "sequence_set_back",
        fmt::format(
            "the restore set the sequence {}.{} back from {} to {}, as in the backup: it will give out the values "
            "since then again",
            name.schema, name.name, text_of(*before[i]), text_of(*now[i])),
        {{"hint", fmt::format("to let it go on instead: {}; or leave it out with -T",
                              statement_of(connection, name, *before[i]))}});
  }
}

// setval() belongs to no transaction: what was set before another was refused is set back.
void put_back(Connection& connection, const std::vector<RelationName>& sequences,
              const std::vector<std::optional<SequencePosition>>& before) {
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    if (before[i]) connection.query(statement_of(connection, sequences[i], *before[i]));
  }
}

}  // namespace

void set_sequences(Connection& connection, const RestoreRequest& request, const RestoreSelection& selection,
                   const ScriptNames& names, RestoreErrors& errors) {
  if (selection.sequence_values.empty()) return;
  if (request.schema) return set_values(connection, selection.sequence_values, errors);
  std::vector<RelationName> sequences;
  for (const SequenceValue& value : selection.sequence_values) {
    if (value.sequence) sequences.push_back(*value.sequence);
  }
  const std::vector<std::optional<SequencePosition>> before = read_positions(connection, sequences);
  try {
    set_values(connection, selection.sequence_values, errors);
  } catch (const DatabaseError&) {
    if (connection.is_alive()) put_back(connection, sequences, before);
    throw;
  }
  warn_of_what_went_back(connection, sequences, before, names);
}

}  // namespace pana
