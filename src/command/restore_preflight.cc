#include "command/restore_preflight.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "base/log.h"
#include "command/platform.h"
#include "command/preflight_clean.h"
#include "command/preflight_empty.h"
#include "command/preflight_rights.h"
#include "command/preflight_tables.h"
#include "command/preflight_triggers.h"
#include "command/restore_globals.h"
#include "command/restore_large_objects.h"
#include "command/restore_roles.h"
#include "command/restore_rows.h"
#include "command/restore_schema.h"
#include "command/restore_trial.h"
#include "command/sql_names.h"
#include "pg/catalog.h"
#include "pg/default_privileges.h"
#include "pg/session.h"
#include "sql/schema_names.h"
#include "sql/sql_lexer.h"

namespace pana {
namespace {

std::vector<std::string> first_column(const QueryResult& result) {
  std::vector<std::string> values;
  for (int row = 0; row < result.rows(); ++row) values.push_back(result.string(row, 0));
  return values;
}

// Foreign keys that go round in a circle let no table be the first. Who does not keep going learns whether the rows
// come all the same.
void check_circles(Connection& connection, const Index& index, const RestoreSelection& selection, Problems& problems) {
  const std::vector<std::string> tables = tables_in_circles(order_of_loading(connection, index, selection));
  if (tables.empty()) return;
  problems.add(
      fmt::format("the tables {} refer to each other by foreign keys, so that none of them can be loaded first",
                  list_names(tables)),
      kWayOutOfCircles);
}

void check_extensions(Connection& connection, const RestoreSelection& selection, Problems& problems) {
  const std::vector<std::string> present =
      first_column(connection.query("SELECT name FROM pg_catalog.pg_available_extensions"));
  std::vector<std::string> missing;
  for (const SchemaObject& object : selection.pre_data) {
    if (object.type == "EXTENSION" && std::find(present.begin(), present.end(), object.name) == present.end()) {
      missing.push_back(object.name);
    }
  }
  if (!missing.empty()) {
    problems.add(fmt::format("the target's server lacks the extensions {}", list_names(missing)),
                 "install their packages on the server, or leave them out with --skip-missing-extensions");
  }
}

void check_tablespaces(Connection& connection, const RestoreSelection& selection, Problems& problems) {
  std::set<std::string> names;
  for (const std::vector<SchemaObject>* const objects : {&selection.pre_data, &selection.post_data}) {
    for (const SchemaObject& object : *objects) {
      for (const DefaultSetting& setting : object.settings) {
        if (setting.name != "default_tablespace") continue;
        SqlLexemes lexemes(setting.sql);
        lexemes.skip({"SET", "DEFAULT_TABLESPACE", "="});
        const std::vector<std::string> name = parse_name(lexemes.qualified_name());  // none for '', the database's own
        if (name.size() == 1) names.insert(name[0]);
      }
    }
  }
  std::vector<std::string> missing;
  for (const std::string& name : names) {
    if (!has_named(connection, "pg_tablespace", "spcname", name)) missing.push_back(name);
  }
  if (missing.empty()) return;
  problems.add(fmt::format("the target's server lacks the tablespaces {}", list_names(missing)),
               "--no-tablespaces restores everything into the default one");
}

// Warnings, as all may be well; but of partitions whose rows the other order would put elsewhere.
void check_differences(Connection& connection, const RestoreRequest& request, const Index& index, Problems& problems) {
  const int target = connection.server_version() / 10000;
  const int source = index.header.server_version_num / 10000;
  if (source > target) {
    log(LogLevel::warning, "older_server",
        fmt::format("the backup is of PostgreSQL {}, the target's server is {}: it may not understand all of it",
                    source, target));
  }
  const std::string locale = database_locale(connection);
  if (index.header.locale.empty() || index.header.locale == locale) return;
  std::vector<std::string> ranges;
  for (const std::string& table : index.header.text_ranges) {
    const std::optional<RelationName> name = parse_relation_name(table);
    if (name && request.filter.includes(name->schema, name->name)) ranges.push_back(table);
  }
  if (!ranges.empty() && !request.keep_going) {
    problems.add(
        fmt::format(
            "the source's locale is {}, the target's {}, and {} are partitioned by ranges of text in that order",
            index.header.locale, locale, list_names(ranges)),
        "create the target from template0 with the source's LOCALE_PROVIDER, LC_COLLATE and LC_CTYPE; --keep-going "
        "restores the rows that fit");
  } else {
    log(LogLevel::warning, "locale",
        fmt::format("the source's locale is {}, the target's {}: text is sorted, compared and put into partitions by "
                    "other rules",
                    index.header.locale, locale),
        {{"hint", "create the target from template0 with the source's LOCALE_PROVIDER, LC_COLLATE and LC_CTYPE"}});
  }
}

// A partition is dropped with its parent, without a word from PostgreSQL. Those that the backup does not bring back are
// in the way. Names are in the backup's encoding here, as in its script.
void check_partitions(Connection& connection, const RestoreSelection& selection) {
  std::set<RelationName> dropped;
  for (const SchemaObject& object : selection.pre_data) {
    if ((object.type == "TABLE" || object.type == "FOREIGN TABLE") && object.relation) dropped.insert(*object.relation);
  }
  const QueryResult partitions = connection.query(R"(
SELECT n.nspname, c.relname, pn.nspname, p.relname FROM pg_catalog.pg_inherits AS i
JOIN pg_catalog.pg_class AS c ON c.oid = i.inhrelid AND c.relispartition AND c.relkind IN ('r', 'p', 'f')
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_class AS p ON p.oid = i.inhparent JOIN pg_catalog.pg_namespace AS pn ON pn.oid = p.relnamespace ORDER BY 1, 2)");
  std::vector<std::string> lost;
  for (int row = 0; row < partitions.rows(); ++row) {
    const bool is_dropped = dropped.contains({.schema = partitions.string(row, 2), .name = partitions.string(row, 3)});
    if (is_dropped && !dropped.contains({.schema = partitions.string(row, 0), .name = partitions.string(row, 1)})) {
      lost.push_back(fmt::format("{}.{} of {}.{}", partitions.text(row, 0), partitions.text(row, 1),
                                 partitions.text(row, 2), partitions.text(row, 3)));
    }
  }
  if (lost.empty()) return;
  throw Error(ErrorKind::refused,
              fmt::format("--clean would drop partitions that are not restored: {}", list_names(lost)),
              "choose them too, for example -t 'schema.parent*'; DETACH PARTITION keeps those that the backup lacks");
}

void check_writable(Connection& connection, Problems& problems) {
  if (!connection.query("SELECT pg_catalog.current_setting('transaction_read_only') = 'on'").boolean(0, 0)) return;
  problems.add(
      "the target takes no writes: its transactions are read-only",
      "restore into the primary if this is a standby; otherwise turn default_transaction_read_only off for the "
      "role and the database");
}

// Rows that may change partitions come back into any partition of their tree: to drop or empty only some of these would
// lose rows of the others, or double them.
void check_trees(const Index& index, const RestoreSelection& selection, Problems& problems) {
  std::map<std::string, std::size_t> left_out;
  for (const TableInfo* const table : selection.tables) left_out[table->loaded_into] = 0;
  for (const TableInfo& table : index.tables) {
    const auto tree = left_out.find(table.loaded_into);
    if (tree != left_out.end() && !selection.table_ids.contains(table.id)) ++tree->second;
  }
  for (const auto& [root, count] : left_out) {
    if (root.empty() || count == 0) continue;
    problems.add(fmt::format("{} partitions of {} are not chosen, but rows of the chosen ones may go there (it "
                             "is partitioned by the hash of an enum)",
                             count, root),
                 "with --clean, choose all partitions of it or none");
  }
}

// What the script names, in the backup's encoding.
void check_in_script_encoding(Connection& connection, const RestoreRequest& request, const RestoreSelection& selection,
                              Problems& problems) {
  if (!request.keep_going) check_tablespaces(connection, selection, problems);
  if (!request.keep_going) check_superuser(connection, selection, problems);
  if (!request.keep_going && !request.schema) check_sequences_and_views(connection, selection, problems);
  if (request.clean && request.schema && !request.rows) check_rows_stay(connection, request, selection, problems);
  check_rights(connection, selection, problems);
}

// What the index names. Returns the roles that are to be made.
std::vector<std::string> check_in_index_encoding(Connection& connection, const RestoreRequest& request,
                                                 const Index& index, const RestoreSelection& selection,
                                                 const NamedRoles& roles, const std::set<std::string>& of_policies,
                                                 TargetFindings& findings, Problems& problems) {
  check_writable(connection, problems);
  if (request.schema) {
    check_empty(connection, request, selection, problems);
    check_extensions(connection, selection, problems);
  } else {
    findings.emptied = check_tables(connection, request, index, selection, problems);
    // Not even --keep-going is to empty a table that nothing can be loaded into.
    if (!request.keep_going || request.clean) check_loading(connection, index, selection, problems);
    if (!request.disable_triggers && request.keep_going) check_circles(connection, index, selection, problems);
    findings.triggers = check_triggers(connection, request, index, selection, problems);
  }
  if (request.clean && request.rows) check_trees(index, selection, problems);
  check_differences(connection, request, index, problems);
  return check_roles(connection, request, index, roles, of_policies, problems);
}

// What is left out with an extension must not be what people back up for.
void refuse_lost_rows(const RestoreSelection& selection, const ScriptNames& names, const std::set<RelationName>& lost,
                      Problems& problems) {
  std::set<RelationName> in_unicode;
  for (const RelationName& relation : lost) in_unicode.insert(names.unicode(relation));
  std::vector<std::string> tables;
  for (const TableInfo* const table : selection.tables) {
    const bool is_lost = in_unicode.contains({.schema = table->schema, .name = table->name});
    if (is_lost && table->content.rows > 0) tables.push_back(table->schema + "." + table->name);
  }
  if (tables.empty()) return;
  problems.add(fmt::format("tables with rows cannot be made without the extensions: {}", list_names(tables)),
               "install the extensions on the target's server, or leave these tables out with -T; --keep-going "
               "restores the rest");
}

// A choice of parts may need types, functions and tables that are not chosen, and who is no superuser may lack rights
// that depend on owners, memberships and what is granted on the way. The server knows: what is wanted is made, without
// its rows, in a transaction that is rolled back.
void check_by_trial(Connection& connection, const RestoreRequest& request, const BackupReader& backup,
                    RestoreSelection& selection, const ScriptNames& names, TargetFindings& findings) {
  const std::vector<std::string>& roles = findings.missing_roles;
  const Index& index = backup.index();
  const bool is_of_parts = !request.filter.is_empty() || !index.header.filters.empty() ||
                           selection.leaves_extensions_out || request.reconcile;
  const bool may_be_refused =
      !request.keep_going && (is_of_parts || request.allow_non_empty || !is_superuser(connection) ||
                              has_owner_without_superuser(connection, selection));
  const bool adapts = request.skip_missing_extensions && selection.leaves_extensions_out;
  const bool tries = may_be_refused || adapts;
  if (!tries && !request.clean) return;
  TrialFindings found;
  connection.query("BEGIN");
  try {
    if (tries)
      with_index_encoding(connection, index.header, [&] {
        request.globals ? GlobalsRestore(connection, request, index).try_out(roles) : create_roles(connection, roles);
      });
    if (request.clean) findings.dropped = try_to_drop(connection, request, backup, selection, names);
    // Default privileges may have taken rights from the role itself; the restore sets them aside as well.
    if (tries && request.privileges)
      connection.query(DefaultPrivileges::read(connection).aside("rSfTnL", std::nullopt).before);
    if (tries) found = try_objects(connection, selection, adapts);
  } catch (const DatabaseError& error) {
    if (connection.is_alive()) connection.query("ROLLBACK");
    if (error.sqlstate() != kOutOfMemory) throw;
    if (adapts)
      throw Error(ErrorKind::refused,
                  fmt::format("pana cannot find out what needs the missing extensions: {}", error.what()),
                  "raise max_locks_per_transaction on the target's server");
    // Each table takes some of the server's locks (max_locks_per_transaction), and a trial keeps them all.
    log(LogLevel::warning, "no_trial",
        fmt::format("pana cannot try the definitions in one transaction first, because that takes too many locks: {}",
                    error.what()));
    connection.query("RESET client_encoding");
    connection.query(fmt::format("SET client_encoding = '{}'", index.header.encoding));
    return;
  }
  connection.query("ROLLBACK");
  connection.take_refused_grants();
  for (SchemaObject& object : selection.pre_data) {
    const auto adapted = found.adapted.find(&object);
    if (adapted == found.adapted.end()) continue;
    std::ranges::find(object.statements, StatementRole::definition, &SchemaStatement::role)->sql = adapted->second;
  }
  findings.adapted = std::move(found.adaptations);
  for (const std::string& policy : found.opened)
    findings.adapted.push_back(policy + ": may let roles see other rows than in the source");
  if (!may_be_refused) return;
  Problems problems;
  if (adapts && !found.opened.empty())
    problems.add(
        fmt::format("without the extensions these policies may let roles see other rows than in the source: {}",
                    list_names(found.opened)),
        "install the extensions on the target's server; --keep-going restores what can be had of them");
  if (leaves_out(request, index, selection)) {
    refuse_lost_rows(selection, names, found.lost, problems);
    findings.left_out = std::exchange(found.missing, {});
    if (request.clean && !findings.left_out.empty())
      problems.add(fmt::format("--clean would drop what cannot be made again without the extensions: {}",
                               list_names(findings.left_out)),
                   "restore into a new database, or drop these yourself first");
  }
  add_refusals(connection, request, found.refused, problems);
  if (!found.taken.empty()) {
    problems.add(
        fmt::format("the target has what the restore makes: {}", list_names(found.taken)),
        request.reconcile ? "it is of another kind there: rename or drop it; --keep-going restores the rest"
        : request.clean
            ? "it belongs to something else there: rename or drop it; --keep-going restores the rest, and leaves what "
              "is there alone"
            : "--clean replaces what the backup makes; --keep-going restores the rest, and leaves what is there alone");
  }
  const std::vector<std::string> features = features_to_switch_on(found.missing);
  if (problems.messages.empty() && request.reconcile && !found.missing.empty()) {
    problems.add(fmt::format("the target lacks what the backup needs: {}", list_names(found.missing)),
                 fmt::format("{}{}--keep-going restores what does not need it", fmt::join(features, "; "),
                             features.empty() ? "" : "; "));
  } else if (problems.messages.empty() && is_of_parts && !found.missing.empty()) {
    problems.add(fmt::format("the target lacks what the chosen parts need: {}", list_names(found.missing)),
                 "choose that too, or create it first: -t chooses tables, views and sequences, -n all of a schema, "
                 "--schema-only just definitions; "
                 "--keep-going restores what does not need it");
  }
  if (!found.not_attached.empty()) {
    problems.add(fmt::format("the target's partitioned tables do not take the chosen partitions: {}",
                             list_names(found.not_attached)),
                 "detach or drop what is in their place; --keep-going restores them as tables of their own");
  }
  problems.refuse();
}

}  // namespace

bool leaves_out(const RestoreRequest& request, const Index& index, const RestoreSelection& selection) {
  return request.skip_missing_extensions && selection.leaves_extensions_out && request.filter.is_empty() &&
         index.header.filters.empty();
}

TargetFindings check_restore_target(Connection& connection, const RestoreRequest& request, const BackupReader& backup,
                                    RestoreSelection& selection, const ScriptNames& names, Problems problems) {
  const Index& index = backup.index();
  if (request.globals && !index.globals) {
    throw Error(ErrorKind::refused, "the backup has no globals: an older pana made it",
                "leave --globals out; --create-missing-roles makes roles without login");
  }
  if (request.clean && request.schema) check_partitions(connection, selection);
  check_in_script_encoding(connection, request, selection, problems);
  const NamedRoles roles = roles_named_by(request, names, selection);
  const std::set<std::string> of_policies = roles_of_policies(selection, names);
  TargetFindings findings;
  with_index_encoding(connection, index.header, [&] {
    findings.missing_roles =
        check_in_index_encoding(connection, request, index, selection, roles, of_policies, findings, problems);
  });
  problems.refuse();
  if (request.schema) check_by_trial(connection, request, backup, selection, names, findings);
  if (!request.schema && request.clean) try_to_empty(connection, backup, selection);
  return findings;
}

}  // namespace pana
