#include "command/restore_sequences.h"

#include <fmt/format.h>

#include <optional>
#include <string>
#include <vector>

#include "base/log.h"
#include "command/sql_names.h"
#include "pg/sequences.h"

namespace pana {
namespace {

// All in one query, which is quick; one by one, each named, when one of them is refused.
void set_values(Connection& connection, const std::vector<SequenceValue>& values, RestoreErrors& errors) try {
  std::string sql;
  for (const SequenceValue& value : values) sql += value.sql + "\n";
  connection.query(sql);
} catch (const DatabaseError&) {
  if (!connection.is_alive()) throw;
  for (const SequenceValue& value : values) {
    const std::string name = value.sequence ? value.sequence->schema + "." + value.sequence->name : "of unknown name";
    errors.attempt("the value of sequence " + name, connection, [&] { connection.query(value.sql); });
  }
}

std::vector<std::optional<SequencePosition>> read_positions(Connection& connection,
                                                            const std::vector<RelationName>& sequences) {
  std::vector<std::string> names;
  for (const RelationName& sequence : sequences) names.push_back(sql_name(connection, sequence));
  return read_sequence_positions(connection, names);
}

void warn_of_what_went_back(Connection& connection, const std::vector<RelationName>& sequences,
                            const std::vector<std::optional<SequencePosition>>& before,
                            const std::vector<std::optional<SequencePosition>>& now) {
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    if (!before[i] || !now[i] || !before[i]->is_ahead_of(*now[i])) continue;
    log(LogLevel::warning, "sequence_set_back",
        fmt::format("the sequence {}.{} went back from {} to {}, as the backup has it: what it gave out since then it "
                    "gives out again",
                    sequences[i].schema, sequences[i].name, before[i]->last_value, now[i]->last_value),
        {{"hint", fmt::format("to let it go on instead: SELECT pg_catalog.setval({}, {}, {}); or leave it out with -T",
                              connection.quote_literal(sql_name(connection, sequences[i])), before[i]->last_value,
                              before[i]->is_called)}});
  }
}

}  // namespace

void set_sequences(Connection& connection, const RestoreRequest& request, const RestoreSelection& selection,
                   RestoreErrors& errors) {
  if (selection.sequence_values.empty()) return;
  if (request.schema) return set_values(connection, selection.sequence_values, errors);
  std::vector<RelationName> sequences;
  for (const SequenceValue& value : selection.sequence_values) {
    if (value.sequence) sequences.push_back(*value.sequence);
  }
  const std::vector<std::optional<SequencePosition>> before = read_positions(connection, sequences);
  set_values(connection, selection.sequence_values, errors);
  warn_of_what_went_back(connection, sequences, before, read_positions(connection, sequences));
}

}  // namespace pana
