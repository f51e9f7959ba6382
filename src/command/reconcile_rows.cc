// Of a Reconciliation: which rows, columns and values of sequences go into a target that has tables already.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <optional>

#include "base/human.h"
#include "command/platform.h"
#include "command/preflight_triggers.h"
#include "command/reconcile.h"
#include "command/row_samples.h"
#include "pg/catalog.h"
#include "pg/copy.h"
#include "pg/sequences.h"
#include "pg/transaction.h"
#include "sql/copy_columns.h"

namespace pana {
namespace {

// What the server says to rows that are no values of its columns' types; in a transaction that is rolled back.
std::optional<std::string> refusal_of(Connection& connection, const Sample& sample, const std::vector<bool>* kept) {
  connection.query("SAVEPOINT sample");
  std::optional<std::string> refusal;
  try {
    CopyIn copy(connection, kept == nullptr ? sample.statement : copy_of_columns(sample.statement, *kept));
    for (const std::string& row : sample.rows) copy.add(kept == nullptr ? row : row_of_columns(row, *kept));
    copy.finish();
  } catch (const DatabaseError& error) {
    if (!connection.is_alive()) throw;
    // Data exceptions, what is of a wrong type, NULL where none may be, checks; keys are another matter.
    const std::string& state = error.sqlstate();
    if (state.starts_with("22") || state.starts_with("42") || state == "23502" || state == "23514")
      refusal = error.what();
  }
  connection.query("ROLLBACK TO SAVEPOINT sample; RELEASE SAVEPOINT sample");
  return refusal;
}

// Of SELECT pg_catalog.setval('public.s', 4711, true);
std::optional<SequencePosition> position_of(const std::string& setval, const std::optional<SequencePosition>& present) {
  const std::size_t called = setval.rfind(", ");
  const std::size_t number = called == std::string::npos ? called : setval.rfind(", ", called - 1);
  if (number == std::string::npos || !present) return std::nullopt;
  SequencePosition position{
      .last_value = 0, .is_called = setval.compare(called + 2, 4, "true") == 0, .ascends = present->ascends};
  const char* const end = setval.data() + called;
  const auto [rest, error] = std::from_chars(setval.data() + number + 2, end, position.last_value);
  return error == std::errc() && rest == end ? std::optional(position) : std::nullopt;
}

}  // namespace

// Triggers of the user's would make rows that the backup holds as well, or change those that are loaded. A partition
// that is made gets those of its parent with its place.
bool Reconciliation::check_triggers(const std::set<TableId>& tables, const RestoreSelection& selection,
                                    bool are_disabled) {
  std::set<std::uint32_t> oids;
  const auto add = [&](const RelationName& name) {
    const auto there = relations_.find(name);
    if (there != relations_.end()) oids.insert(there->second->id.oid);
  };
  std::set<RelationName> loaded;
  for (const TableInfo* const table : selection.tables) {
    const RelationName name{.schema = table->schema, .name = table->name};
    if (table->content.rows == 0) continue;
    if (tables.contains(table->id)) add(name);
    if (const auto root = parse_relation_name(table->loaded_into)) add(names_.unicode(*root));
    loaded.insert(name);
  }
  for (const SchemaObject& object : selection.pre_data) {
    if (object.type == "TABLE ATTACH" && object.refers_to && loaded.contains(names_.unicode(*object.relation)))
      add(names_.unicode(*object.refers_to));
  }
  std::vector<std::string> texts;
  for (const std::uint32_t oid : oids) texts.push_back(std::to_string(oid));
  std::vector<std::string> triggers;
  for (FiringTrigger& trigger : read_firing_triggers(connection_, texts, are_disabled)) {
    const bool is_platforms = target_.is_platforms(names_.unicode(trigger.function_owner)) &&
                              target_.is_platforms(names_.unicode(trigger.table_owner));
    if (!is_platforms) triggers.push_back(std::move(trigger.text));
  }
  triggers_ = check_firing_triggers(triggers, request_, are_disabled, problems_);
  return triggers.empty();
}

// A column may have had another type in the platform's earlier version.
void Reconciliation::try_rows(const std::set<TableId>& tables, const RestoreSelection& selection,
                              std::set<TableId>& left_out) {
  std::vector<std::string> unfit;
  connection_.query("BEGIN");
  const bool are_disabled = !try_in_savepoint(connection_, "SET LOCAL session_replication_role = replica");
  if (!check_triggers(tables, selection, are_disabled)) {  // they would fire for what is tried, too
    connection_.query("ROLLBACK");
    return;
  }
  for (const auto& [id, sample] : read_samples(backup_, tables)) {
    const auto kept = selection.kept_columns.find(id);
    const std::optional<std::string> refusal =
        refusal_of(connection_, sample, kept == selection.kept_columns.end() ? nullptr : &kept->second);
    if (!refusal) continue;
    const TableInfo& table = *index_.table(id);
    const std::string text =
        fmt::format("{} of {}.{}: {}", counted(table.content.rows, "row"), table.schema, table.name, *refusal);
    if (is_platform_ && is_short_lived({.schema = table.schema, .name = table.name})) {
      report_.rows_left_out.push_back(text);
    } else {
      (request_.keep_going ? report_.lost : unfit).push_back(text);
    }
    left_out.insert(id);
  }
  connection_.query("ROLLBACK");
  if (!unfit.empty())
    problems_.add(fmt::format("the target's columns do not take {}", list_names(unfit)),
                  "bring its tables to the source's version; --keep-going leaves these rows out");
}

// What the target does not have stays out, and is reported with what it held.
void Reconciliation::choose_columns(const TableInfo& table, const std::map<std::string, bool>& present,
                                    RestoreSelection& selection) {
  const auto there = relations_.find({.schema = table.schema, .name = table.name});
  const bool is_platforms = there != relations_.end() && target_.is_platforms(there->second->owner);
  std::vector<bool> kept;
  for (const std::string& column : table.columns) {
    const auto found = present.find(column);
    kept.push_back(found != present.end() && !found->second);
  }
  if (std::ranges::all_of(kept, [](bool is_kept) { return is_kept; })) return;
  const std::vector<ColumnContent> contents = read_columns(backup_, table, kept);
  std::vector<std::string> lost;
  for (std::size_t i = 0; i < kept.size(); ++i) {
    if (kept[i]) continue;
    const bool is_generated = present.contains(table.columns[i]);
    const std::string column = fmt::format("{}.{} ({})", table.schema, table.name, table.columns[i]);
    report_.columns_left_out.push_back(
        fmt::format("{}: {}{}", column, contents[i].text(), is_generated ? "; the target computes it" : ""));
    // Of a platform's table, one value in every row is what another version of it wrote there.
    const bool is_lost = is_platforms ? contents[i].differ && !is_generated : contents[i].values > 0;
    if (is_lost) lost.push_back(report_.columns_left_out.back());
  }
  if (request_.keep_going) report_.lost.insert(report_.lost.end(), lost.begin(), lost.end());
  if (!lost.empty() && !request_.keep_going)
    problems_.add(fmt::format("the target's tables lack columns with contents: {}", list_names(lost)),
                  "add them to the target first; --keep-going restores the rest of these rows");
  if (std::ranges::none_of(kept, [](bool is_kept) { return is_kept; }) && table.content.rows > 0) {
    problems_.add(fmt::format("{}.{} has none of the backup's columns in the target", table.schema, table.name),
                  "rename it there, or leave it out with -T");
    return;
  }
  selection.kept_columns[table.id] = std::move(kept);
}

// Whether rows of a table that is there are to be loaded.
bool Reconciliation::is_loaded(const TableInfo& table) {
  const RelationName name{.schema = table.schema, .name = table.name};
  const std::string text = table.schema + "." + table.name;
  const std::string rows = fmt::format("{} of {}", counted(table.content.rows, "row"), text);
  const auto root = parse_relation_name(table.loaded_into);
  const auto there = relations_.find(root ? names_.unicode(*root) : name);
  if (there == relations_.end()) {
    const auto known = backup_relations_.find(name);
    const bool is_made = known != backup_relations_.end() ? made_.contains(known->second) : true;  // an extension's
    if (!is_made && table.content.rows > 0)
      report_.rows_left_out.push_back(rows + ": the platform's table, which the target does not have");
    return is_made;
  }
  if (table.content.rows == 0) return true;
  const bool is_platforms = target_.is_platforms(there->second->owner);
  if (is_platforms && is_transient(name)) {
    report_.rows_left_out.push_back(rows + ": they mean nothing in another database");
    return false;
  }
  if (is_platforms && is_ledger(name)) {
    report_.rows_left_out.push_back(rows + ": they say which migrations of the platform ran in the source");
    return false;
  }
  return true;
}

// Those of the target's table, and whether each is generated.
std::map<std::string, bool> Reconciliation::read_target_columns(std::uint32_t table) {
  std::map<std::string, bool> columns;
  with_index_encoding(connection_, index_.header, [&] {
    const QueryResult found =
        connection_.query(fmt::format("SELECT attname, attgenerated <> '' FROM pg_catalog.pg_attribute WHERE attrelid "
                                      "= {} AND attnum > 0 AND NOT attisdropped",
                                      table));
    for (int row = 0; row < found.rows(); ++row) columns[found.string(row, 0)] = found.boolean(row, 1);
  });
  return columns;
}

void Reconciliation::choose_tables(RestoreSelection& selection) {
  std::set<TableId> left_out;
  std::vector<std::string> filled;
  std::vector<std::string> secured;
  std::vector<std::string> closed;
  std::vector<std::string> hidden;
  std::set<TableId> to_try;
  const std::map<RelationName, std::string> conditions = read_extension_conditions(connection_);  // the target's
  for (const TableInfo* const table : selection.tables) {
    if (table->id == kLargeObjects) continue;
    if (is_cron_table(*table) && request_.cron != CronJobs::skip) take_cron_jobs(*table);
    if (is_cron_table(*table) || !is_loaded(*table)) {
      left_out.insert(table->id);
      continue;
    }
    const auto there = relations_.find({.schema = table->schema, .name = table->name});
    if (there == relations_.end()) continue;
    if (table->content.rows == 0) {
      choose_columns(*table, read_target_columns(there->second->id.oid), selection);
      continue;
    }
    const std::string text = table->schema + "." + table->name;
    const std::uint32_t oid = there->second->id.oid;
    const QueryResult may = connection_.query(fmt::format(
        "SELECT pg_catalog.has_table_privilege({0}::oid, 'INSERT'), pg_catalog.row_security_active({0}::oid), "
        "pg_catalog.has_table_privilege({0}::oid, 'SELECT')",
        oid));
    if (!may.boolean(0, 0)) {
      const std::string rows = fmt::format("{} of {}: the restoring role may not load rows into it",
                                           counted(table->content.rows, "row"), text);
      const bool is_platforms = target_.is_platforms(there->second->owner);
      if (!is_platforms && !request_.keep_going) closed.push_back(text);
      (is_platforms ? report_.rows_left_out : report_.lost).push_back(rows);
      left_out.insert(table->id);
      continue;
    }
    if (may.boolean(0, 1)) secured.push_back(text);
    const RelationName in_script{names_.in_script(table->schema), names_.in_script(table->name)};
    const auto condition = conditions.find(in_script);
    if (!may.boolean(0, 2)) {
      hidden.push_back(text);
      if (request_.keep_going) {
        left_out.insert(table->id);
        report_.lost.push_back(fmt::format("{} of {}: the role may not see whether the table holds rows already",
                                           counted(table->content.rows, "row"), text));
      }
      continue;
    }
    const bool holds_rows =
        connection_
            .query(fmt::format("SELECT EXISTS (SELECT FROM {} {})", sql_name(connection_, in_script),
                               condition == conditions.end() ? "" : condition->second))
            .boolean(0, 0);
    if (holds_rows) {
      filled.push_back(text);
      if (request_.keep_going) {
        left_out.insert(table->id);
        report_.lost.push_back(
            fmt::format("{} of {}: the target's table holds rows already", counted(table->content.rows, "row"), text));
        continue;
      }
    }
    choose_columns(*table, read_target_columns(oid), selection);
    to_try.insert(table->id);
  }
  try_rows(to_try, selection, left_out);
  if (!filled.empty() && !request_.keep_going)
    problems_.add(fmt::format("tables of the target hold rows already: {}", list_names(filled)),
                  "empty them first (TRUNCATE); --keep-going leaves them as they are, and restores the rest");
  if (!closed.empty())
    problems_.add(fmt::format("the role may not load rows into the tables {}", list_names(closed)),
                  "GRANT INSERT on them to it, or restore as their owner");
  if (!hidden.empty() && !request_.keep_going)
    problems_.add(fmt::format("the role may not see whether the tables {} hold rows already", list_names(hidden)),
                  "GRANT SELECT on them to it, or restore as their owner");
  if (!secured.empty())
    problems_.add(
        fmt::format("row level security applies to the restoring role in {}, and PostgreSQL then refuses COPY FROM",
                    list_names(secured)),
        "restore as a role with BYPASSRLS");
  selection.leave_rows_out(index_, left_out);
  selection.left_out_tables.insert(left_out.begin(), left_out.end());
  // A proof of the whole row finds them different.
  for (const auto& [table, kept] : selection.kept_columns) selection.left_out_tables.insert(table);
}

void Reconciliation::take_cron_jobs(const TableInfo& table) {
  cron_jobs_ = read_cron_jobs(backup_, table);
  if (!request_.dry_run) return;
  for (const CronJob& job : cron_jobs_) report_.cron_jobs.push_back(job.text() + ": is made unless it is there");
}

void Reconciliation::make_cron_jobs(RestoreErrors& errors) {
  const bool is_active = request_.cron == CronJobs::active;
  for (const CronJob& job : cron_jobs_) {
    const std::string role = names_.in_script(request_.mapped(names_.unicode(job.role)));
    const auto note = [&](std::string_view what) {
      report_.cron_jobs.push_back(fmt::format("{}: {}", job.text(), what));
    };
    const bool is_done = errors.attempt("cron job " + job.text(), connection_, [&] {
      switch (make_cron_job(connection_, job, role, names_.in_script(index_.header.database), request_.cron)) {
        case CronOutcome::made: return note(is_active && job.is_active ? "made" : "made, inactive");
        case CronOutcome::there: return note("is there, and stays as it is");
        case CronOutcome::other_job: note("not made, because another job has its name here"); break;
        case CronOutcome::other_role: note("not made, because it is of the role " + role); break;
        case CronOutcome::other_database: note("not made, because it is for the database " + job.database); break;
      }
      report_.lost.push_back("cron job " + report_.cron_jobs.back());
    });
    if (!is_done) connection_.query("ROLLBACK");
  }
}

// One that is there never goes back: rows that the restore leaves alone may have its values.
void Reconciliation::choose_sequences(RestoreSelection& selection) {
  std::erase_if(selection.sequence_values, [&](const SequenceValue& value) {
    if (!value.sequence) return false;
    const RelationName name = names_.unicode(*value.sequence);
    if (is_cron_sequence(name)) {
      selection.left_out_sequences.insert(value.sql);
      return true;
    }
    const auto there = relations_.find(name);
    if (there == relations_.end()) {
      const auto known = backup_relations_.find(name);
      if (known == backup_relations_.end() || made_.contains(known->second)) return false;
    } else {
      const bool may =
          connection_
              .query(fmt::format("SELECT pg_catalog.has_sequence_privilege({}::oid, 'UPDATE')", there->second->id.oid))
              .boolean(0, 0);
      const std::optional<SequencePosition> position =
          read_sequence_positions(connection_, {sql_name(connection_, *value.sequence)}).front();
      const std::optional<SequencePosition> wanted = position_of(value.sql, position);
      if (may && position && wanted && !position->is_ahead_of(*wanted)) return false;
      const bool is_behind = may && position && wanted;
      std::string text =
          fmt::format("the value of sequence {}.{}: {}", name.schema, name.name,
                      is_behind ? "the target's is ahead, and stays" : "the restoring role may not read and set it");
      if (!is_behind && !target_.is_platforms(there->second->owner)) report_.lost.push_back(text);
      report_.rows_left_out.push_back(std::move(text));
    }
    selection.left_out_sequences.insert(value.sql);
    return true;
  });
}

void Reconciliation::check_foreign_keys(const std::map<TableId, std::uint64_t>& loaded) {
  std::vector<std::string> oids;
  for (const auto& [id, rows] : loaded) {
    const TableInfo* const table = index_.table(id);
    const auto there = relations_.find({.schema = table->schema, .name = table->name});
    if (there != relations_.end()) oids.push_back(std::to_string(there->second->id.oid));
  }
  if (oids.empty()) return;
  // Rows of which a referring column is NULL refer to nothing (MATCH SIMPLE; MATCH FULL wants all of them NULL then). A
  // key to a partitioned table has others to each of its partitions, with which it is kept up.
  const QueryResult checks = connection_.query(fmt::format(R"(
SELECT pg_catalog.format('%I on %s', c.conname, c.conrelid::pg_catalog.regclass),
  pg_catalog.format('SELECT count(*) FROM ONLY %s AS t WHERE %s AND NOT EXISTS (SELECT FROM %s AS r WHERE %s)',
    c.conrelid::pg_catalog.regclass, pg_catalog.string_agg(pg_catalog.format('t.%I IS NOT NULL', a.attname), ' AND '),
    c.confrelid::pg_catalog.regclass, pg_catalog.string_agg(pg_catalog.format('r.%I OPERATOR(%I.%s) t.%I', f.attname, n.nspname, o.oprname, a.attname), ' AND '))
FROM pg_catalog.pg_constraint AS c CROSS JOIN LATERAL ROWS FROM (pg_catalog.unnest(c.conkey), pg_catalog.unnest(c.confkey), pg_catalog.unnest(c.conpfeqop)) AS k (own, other, equal)
JOIN pg_catalog.pg_operator AS o ON o.oid = k.equal JOIN pg_catalog.pg_namespace AS n ON n.oid = o.oprnamespace
JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = k.own
JOIN pg_catalog.pg_attribute AS f ON f.attrelid = c.confrelid AND f.attnum = k.other
WHERE c.contype = 'f' AND c.convalidated AND c.conrelid IN ({}) AND NOT EXISTS (
  SELECT FROM pg_catalog.pg_constraint AS p WHERE p.oid = c.conparentid AND p.confrelid <> c.confrelid) GROUP BY c.oid, c.conname, c.conrelid, c.confrelid ORDER BY 1)",
                                                           fmt::join(oids, ", ")));
  for (int row = 0; row < checks.rows(); ++row) {
    const QueryResult count = connection_.query(checks.string(row, 1));
    if (count.integer(0, 0) > 0)
      report_.lost.push_back(fmt::format("the foreign key {} does not hold for {}", checks.text(row, 0),
                                         counted(static_cast<std::uint64_t>(count.integer(0, 0)), "row")));
  }
}

}  // namespace pana
