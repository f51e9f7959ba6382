#include "command/backup_contents.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "base/log.h"
#include "base/unicode.h"
#include "command/backup_globals.h"
#include "pg/rights.h"
#include "pg/sequences.h"
#include "pg/session.h"
#include "pg/text_array.h"

namespace pana {
namespace {

std::string server_version_text(Connection& connection) {
  const std::string version = connection.parameter("server_version");
  return version.substr(0, version.find(' '));
}

// Names in the index are Unicode, converted in one go.
void add_tables(Connection& control, BackupContents& contents) {
  std::vector<std::string> names;
  for (const CatalogTable& table : contents.snapshot.tables) {
    names.push_back(table.schema);
    names.push_back(table.name);
    names.push_back(table.condition);
    names.push_back(table.sql_load_name == table.sql_name ? "" : table.sql_load_name);
    names.insert(names.end(), table.columns.begin(), table.columns.end());
  }
  names = to_unicode(control, contents.header.encoding, std::move(names));
  auto name = names.begin();
  for (const CatalogTable& table : contents.snapshot.tables) {
    TableInfo& info = contents.tables.emplace_back();
    info.id = static_cast<TableId>(contents.tables.size());
    info.oid = table.oid;
    info.schema = *name++;
    info.name = *name++;
    info.condition = *name++;
    info.loaded_into = *name++;
    info.columns.assign(name, name + static_cast<std::ptrdiff_t>(table.columns.size()));
    name += static_cast<std::ptrdiff_t>(table.columns.size());
  }
}

void add_constraint_indexes(Connection& control, BackupContents& contents) {
  std::map<std::uint32_t, TableInfo*> by_oid;
  for (TableInfo& table : contents.tables) by_oid[table.oid] = &table;
  for (CatalogConstraintIndex& index : read_constraint_indexes(control)) {
    const auto table = by_oid.find(index.table_oid);
    if (table == by_oid.end()) continue;
    // They are SQL, not names: where the index's Unicode is not the database's encoding, a restore does without them.
    if (contents.header.encoding != "UTF8" && !(is_ascii(index.create_index) && is_ascii(index.add_constraint)))
      continue;
    table->second->constraint_indexes.push_back({.constraint_oid = index.constraint_oid,
                                                 .create_index = std::move(index.create_index),
                                                 .add_constraint = std::move(index.add_constraint)});
  }
}

void add_roles_and_extensions(Connection& control, BackupContents& contents) {
  IndexHeader& header = contents.header;
  std::vector<std::string> names;
  const std::vector<CatalogRole> roles = read_roles(control);
  contents.globals = read_globals(control, header.encoding, roles);
  const std::vector<CatalogExtension> extensions = read_extensions(control);
  for (const CatalogRole& role : roles) names.push_back(role.name);
  for (const CatalogExtension& extension : extensions) names.insert(names.end(), {extension.name, extension.schema});
  names = to_unicode(control, header.encoding, std::move(names));
  auto name = names.begin();
  for (const CatalogRole& role : roles) {
    header.roles.push_back({.name = *name++, .owns = role.owns, .granted = role.granted, .in_policy = role.in_policy});
  }
  for (const CatalogExtension& extension : extensions) {
    const std::string extension_name = *name++;
    header.extensions.push_back({.name = extension_name, .version = extension.version, .schema = *name++});
  }
}

}  // namespace

std::vector<std::string> options_that_leave_out(const TableFilter& filter, const Unreadable& skipped) {
  std::vector<std::string> options = filter.arguments();
  if (!skipped.empty()) options.emplace_back("--skip-unreadable");
  return options;
}

BackupContents read_backup_contents(Connection& control, const BackupRequest& request, const PgDumpProgram& pg_dump,
                                    Snapshot snapshot, std::string encoding) {
  BackupContents contents{.snapshot = std::move(snapshot)};
  const TableFilter& filter = contents.snapshot.filter;
  contents.load_order = read_load_order(control, ForeignKeys::of_extensions);
  contents.sequence_values = read_sequence_values(control, filter);
  if (filter.includes_everything()) {
    const std::vector<LargeObjectId>& skipped = contents.snapshot.skipped.large_objects;  // in order, too
    std::ranges::set_difference(read_large_object_ids(control), skipped, std::back_inserter(contents.large_objects));
  }
  if (!contents.large_objects.empty()) contents.large_object_bytes = read_large_object_bytes(control);
  IndexHeader& header = contents.header;
  header.pana = PANA_VERSION;
  header.server = server_version_text(control);
  header.server_version_num = control.server_version();
  header.pg_dump = pg_dump.version;
  header.encoding = std::move(encoding);
  header.snapshot_time = contents.snapshot.time;
  header.compression = request.compression.text();
  header.filters = options_that_leave_out(request.filter, contents.snapshot.skipped);
  if (!contents.snapshot.skipped.empty()) {
    header.skipped = to_unicode(control, header.encoding, contents.snapshot.skipped.names());
  }
  std::vector<std::string> unlogged;
  for (CatalogName& table : read_unlogged_on_standby(control, filter)) unlogged.push_back(std::move(table.sql_name));
  header.unlogged = to_unicode(control, header.encoding, std::move(unlogged));
  if (!header.unlogged.empty()) {
    log(LogLevel::warning, "unlogged",
        fmt::format("the backup lacks the contents of unlogged tables and sequences, which a standby does not have: {}",
                    fmt::join(header.unlogged, ", ")));
  }
  header.kept_from_us = to_unicode(control, header.encoding, find_kept_from_us(control, filter));
  if (!header.kept_from_us.empty()) {
    log(LogLevel::warning, "kept_from_us",
        fmt::format("the backup lacks what the server shows only to superusers and owners: {}",
                    fmt::join(header.kept_from_us, ", ")));
  }
  std::vector<std::string> text_ranges;
  for (CatalogName& table : read_text_ranges(control)) text_ranges.push_back(std::move(table.sql_name));
  header.text_ranges = to_unicode(control, header.encoding, std::move(text_ranges));
  header.database = database_name(control, header.encoding);
  header.locale = database_locale(control);
  header.lc_monetary = "C";
  header.run = request.run;
  header.sequences = contents.sequence_values.size();
  header.large_objects = contents.large_objects.size();
  add_roles_and_extensions(control, contents);
  add_tables(control, contents);
  add_constraint_indexes(control, contents);
  if (!contents.large_objects.empty()) {
    TableInfo& large_objects = contents.tables.emplace_back();
    large_objects.id = kLargeObjects;
    large_objects.name = kLargeObjectsName;
  }
  return contents;
}

}  // namespace pana
