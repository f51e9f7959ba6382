#include "command/restore.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <map>
#include <optional>

#include "base/human.h"
#include "base/log.h"
#include "base/parallel.h"
#include "base/work_list.h"
#include "command/connections.h"
#include "command/preflight_encoding.h"
#include "command/restore_choice.h"
#include "command/restore_clean.h"
#include "command/restore_errors.h"
#include "command/restore_globals.h"
#include "command/restore_large_objects.h"
#include "command/restore_post_data.h"
#include "command/restore_preflight.h"
#include "command/restore_roles.h"
#include "command/restore_rows.h"
#include "command/restore_schema.h"
#include "command/restore_sequences.h"
#include "command/rows_alone.h"
#include "command/sql_names.h"
#include "pg/session.h"
#include "pg/transaction.h"

namespace pana {
namespace {

using Clock = std::chrono::steady_clock;

void disable_triggers(Connection& connection) try {
  connection.query("SET session_replication_role = replica");
} catch (const DatabaseError& error) {
  if (error.sqlstate() != kInsufficientPrivilege) throw;
  throw Error(ErrorKind::refused, fmt::format("--disable-triggers: {}", error.what()),
              connection.server_version() >= 150000 ? "a superuser may GRANT SET ON PARAMETER session_replication_role "
                                                      "to the role; or leave --disable-triggers out"
                                                    : "restore as a superuser, or leave --disable-triggers out");
}

// Platforms let roles that are no superusers do this, though they say that these may not: it is tried. Returns whether
// it was done.
bool try_to_disable_triggers(std::span<Connection> connections) {
  try {
    for (Connection& connection : connections) connection.query("SET session_replication_role = replica");
    return true;
  } catch (const DatabaseError& error) {
    if (error.sqlstate() != kInsufficientPrivilege) throw;
    return false;  // as the first session, so the others: they are the same role's
  }
}

void make_roles(Connection& connection, const std::vector<std::string>& roles) {
  create_roles(connection, roles);
  for (const std::string& role : roles)
    log(LogLevel::info, "role_created", fmt::format("created role {} without login", role));
}

// Nothing is changed until all definitions have been read.
RestoreSelection select(const RestoreRequest& request, const BackupReader& backup, const ScriptNames& names,
                        Connection& control, const std::stop_token& stop) try {
  return select_for_restore(request, backup, names, control, stop);
} catch (const Error& error) {
  if (error.kind() != ErrorKind::damaged || !error.hint().empty()) throw;
  throw Error(error.kind(), error.what(),
              "the definitions are damaged, and nothing was changed: restore another backup; psql without "
              "ON_ERROR_STOP restores what it can of this one");
}

// The user's rows in tables of extensions that the target cannot have.
std::vector<std::string> rows_left_out(const RestoreRequest& request, const Index& index,
                                       const RestoreSelection& selection) {
  std::vector<std::string> rows;
  if (!request.skip_missing_extensions || !request.rows) return rows;
  for (const TableId id : selection.extension_tables) {
    const TableInfo& table = *index.table(id);
    if (table.content.rows > 0)
      rows.push_back(fmt::format("{} of {}.{}", counted(table.content.rows, "row"), table.schema, table.name));
  }
  return rows;
}

// Rows go into tables that this restore has made, and values into its sequences. Others that have their names may hold
// the same rows already, and would then hold them twice.
void leave_out_what_was_not_made(RestoreSelection& selection, const Index& index, const ScriptNames& names,
                                 SchemaRunner& runner, RestoreErrors& errors) {
  const DatabaseError reason("the server refused its definition, and pana adds nothing to another object of that name",
                             "");
  const NotMade refused = runner.not_made();
  selection.large_objects_left_alone = refused.large_objects();
  if (const std::size_t count = selection.large_objects_left_alone.size(); count > 0) {
    errors.take(fmt::format("the contents of {}", counted(count, "large object")), reason);
  }
  std::set<RelationName> not_made;  // names in Unicode
  for (const RelationName& relation : refused.relations()) not_made.insert(names.unicode(relation));
  if (not_made.empty()) return;
  std::set<TableId> left_out;
  for (const TableInfo* const table : selection.tables) {
    const std::optional<RelationName> root = parse_relation_name(table->loaded_into);
    if (!not_made.contains({.schema = table->schema, .name = table->name}) && !(root && not_made.contains(*root)))
      continue;
    left_out.insert(table->id);
    const std::uint64_t rows = table->content.rows;
    if (rows > 0) errors.take(fmt::format("{} of {}.{}", counted(rows, "row"), table->schema, table->name), reason);
    if (rows == 0) selection.left_out_tables.insert(table->id);
  }
  selection.leave_rows_out(index, left_out);
  std::erase_if(selection.sequence_values, [&](const SequenceValue& value) {
    if (!value.sequence || !not_made.contains(names.unicode(*value.sequence))) return false;
    errors.take_consequence(fmt::format("the value of sequence {}.{}", value.sequence->schema, value.sequence->name),
                            reason.what());
    selection.left_out_sequences.insert(value.sql);
    return true;
  });
}

// Statistics are no part of the data: what cannot be analyzed (a parent of a foreign table without a server, say) is
// reported and left to autovacuum.
void analyze(Connection& connection, const std::string& table) try {
  connection.query("ANALYZE " + table);
} catch (const DatabaseError& error) {
  if (!connection.is_alive()) throw;
  log(LogLevel::warning, "analyze", fmt::format("cannot analyze {}: {}", table, error.what()));
}

// What ANALYZE sorts, and its time with it, as long as default_statistics_target is the default.
std::uint64_t values_sampled(const TableInfo& table) {
  constexpr std::uint64_t kRowsSampled = 30'000;
  return std::min(table.content.rows, kRowsSampled) * table.columns.size();
}

void analyze(std::span<Connection> connections, const BackupReader& backup, const RestoreSelection& selection,
             const std::stop_token& stop) {
  const IndexHeader& header = backup.index().header;
  std::vector<const TableInfo*> tables;
  for (const TableInfo* const table : selection.tables) {
    if (table->id != kLargeObjects && table->content.rows > 0) tables.push_back(table);
  }
  std::stable_sort(tables.begin(), tables.end(),
                   [](const TableInfo* a, const TableInfo* b) { return values_sampled(*a) > values_sampled(*b); });
  WorkList<const TableInfo*> list(tables);
  std::vector<Task> tasks;
  for (Connection& connection : connections) {
    tasks.emplace_back([&](const std::stop_token& worker_stop) {
      connection.set_stop(worker_stop);
      with_index_encoding(connection, header, [&] {
        while (const TableInfo* const* const table = list.next()) {
          analyze(connection, sql_name(connection, header, (*table)->schema, (*table)->name));
        }
      });
    });
  }
  run_parallel(tasks, stop);
}

}  // namespace

RestoreReport restore(const RestoreRequest& request, const BackupReader& backup, Progress& progress,
                      const std::stop_token& stop) {
  const auto started = Clock::now();
  const Index& index = backup.index();
  progress.set_activity("connecting");
  std::vector<Connection> connections =
      connect_workers(DatabaseAddress(request.url), request.jobs, request.longest_silence, stop);
  check_encoding(connections.front(), request, index);
  for (Connection& connection : connections) {
    prepare_loading_session(connection, index.header.encoding);
    use_money_of(connection, index.header.lc_monetary);
    raise_maintenance_memory(connection, connections.size());
    if (!request.search_path.empty())
      connection.query(fmt::format("SELECT pg_catalog.set_config('search_path', {}, false)",
                                   connection.quote_literal(request.search_path)));
    if (request.disable_triggers) disable_triggers(connection);
  }
  Connection& control = connections.front();
  progress.set_activity("reading the schema");
  const ScriptNames names(control, index.header);
  RestoreSelection selection = select(request, backup, names, control, stop);
  std::optional<Reconciliation> reconciliation;
  if (request.reconcile) reconciliation.emplace(control, request, backup, names).apply(selection);
  RoleRewriter roles(control, request, names, index);
  roles.rewrite(selection);
  TargetFindings found = check_restore_target(control, request, backup, selection, names,
                                              reconciliation ? reconciliation->problems() : Problems());
  const std::vector<std::string>& missing_roles = found.missing_roles;
  RestoreReport report{.target = control.place(),
                       .triggers = reconciliation ? reconciliation->triggers() : std::move(found.triggers),
                       .adapted = std::move(found.adapted),
                       .left_out = rows_left_out(request, index, selection),
                       .dropped = std::move(found.dropped),
                       .emptied = std::move(found.emptied)};
  if (request.dry_run) {
    std::ranges::move(found.left_out, std::back_inserter(report.left_out));
    report.globals.roles = missing_roles;
    report.tables = selection.tables.size() - selection.table_ids.count(kLargeObjects);
    for (const TableInfo* const table : selection.tables)
      report.rows += table->id == kLargeObjects ? 0 : table->content.rows;
    if (reconciliation) {
      report.reconciled = reconciliation->report();
      report.errors = report.reconciled->lost;
    }
    return report;
  }
  std::optional<GlobalsRestore> globals;
  with_index_encoding(control, index.header, [&] {
    if (!request.globals) return make_roles(control, missing_roles);
    globals.emplace(control, request, index).make_roles(missing_roles);
    globals->give_database_away();
  });

  // The target has a part of the backup afterwards; beside it may be what nobody wants to lose.
  const bool is_beside = request.allow_non_empty || request.reconcile;
  const char* const way_on = request.clean ? "--keep-going" : is_beside ? "" : "--clean --keep-going";
  RestoreErrors errors(request.keep_going, way_on, /*has_keys=*/!request.schema, leaves_out(request, index, selection));
  if (request.clean && request.schema) {
    progress.set_activity("dropping what is there");
    drop_objects(control, request, backup, selection, names);
  }
  // Whoever wants no grants of the backup wants the target's.
  SchemaRunner runner(errors, progress, request.privileges ? DefaultPrivileges::read(control) : DefaultPrivileges());
  run_pre_data(control, selection, runner);
  make_large_objects(control, request, backup, selection, roles, runner, stop);

  if (request.rows) {
    leave_out_what_was_not_made(selection, index, names, runner, errors);
    LoadOrder order;
    with_index_encoding(control, index.header, [&] { order = order_of_loading(control, index, selection); });
    if (reconciliation) reconciliation->close_tables(selection, errors);
    const bool without_triggers = reconciliation && !request.disable_triggers && try_to_disable_triggers(connections);
    const auto finish = [&] { set_sequences(control, request, selection, names, errors); };
    const std::map<TableId, std::uint64_t> loaded =
        request.schema
            ? load_rows(connections, LoadTransactions::of_frames, backup, selection, order, errors, progress, stop)
            : load_rows_alone(connections, request, backup, selection, order, finish, errors, progress, stop);
    if (without_triggers) {
      for (Connection& connection : connections) connection.query("RESET session_replication_role");
    }
    if (reconciliation) reconciliation->check_foreign_keys(loaded);
    if (reconciliation) reconciliation->make_cron_jobs(errors);
    for (const auto& [table, rows] : loaded) report.rows += table == kLargeObjects ? 0 : rows;
    if (request.schema) in_transaction(control, finish);
  }
  const std::vector<SchemaObject> last = reconciliation ? take_event_triggers(selection) : std::vector<SchemaObject>();
  run_post_data(connections, selection, index, runner, stop);
  if (request.rows && request.analyze) {
    progress.set_activity("analyzing");
    analyze(connections, backup, selection, stop);
  }
  if (reconciliation) {
    for (SchemaObject& object : reconciliation->default_privileges()) roles.rewrite(object);
    reconciliation->restore_rights();
    for (const SchemaObject& object : last) runner.run(control, whole_step(object));
    for (const std::string& loss : reconciliation->report().lost) errors.take_damage(loss);
    report.reconciled = reconciliation->report();
  }
  if (globals) {
    with_index_encoding(control, index.header, [&] { globals->restore_database(); });
    report.globals = globals->result();
  } else {
    report.globals.roles = missing_roles;
  }
  report.tables = selection.tables.size() - selection.table_ids.count(kLargeObjects);
  report.left_out_tables = selection.left_out_tables;
  report.left_out_sequences = selection.left_out_sequences;
  report.bytes_read = backup.read_bytes();
  report.seconds = std::chrono::duration<double>(Clock::now() - started).count();
  report.rights_not_restored = errors.rights();
  std::ranges::move(errors.left_out(), std::back_inserter(report.left_out));
  report.errors = errors.all();
  return report;
}

}  // namespace pana
