// The commands of pana's command line: each adds its options to the parser, and what to do when it is chosen.
#pragma once

#include <CLI/CLI.hpp>
#include <stop_token>
#include <string>

#include "base/json.h"
#include "command/backup_request.h"
#include "command/locations.h"
#include "sql/table_filter.h"

namespace pana {

// What every command needs of the program. Outlives the parser.
struct CommandContext {
  std::stop_token stop;
  StoreAccess store;
};

void add_backup_command(CLI::App& app, const CommandContext& context);
void add_list_command(CLI::App& app, const CommandContext& context);
void add_show_command(CLI::App& app, const CommandContext& context);
void add_restore_command(CLI::App& app, const CommandContext& context);
void add_verify_command(CLI::App& app, const CommandContext& context);
void add_check_command(CLI::App& app, const CommandContext& context);
void add_prune_command(CLI::App& app, const CommandContext& context);

// The options for locations in S3: they belong to the program and hold for every command.
void add_s3_options(CLI::App& app, S3Options& options);

// The URL of a command that may go without: DATABASE_URL, then libpq's own environment (an empty string).
std::string url_or_environment(const std::string& url);

// For the values of options. An empty one comes from a variable that is not set, and must not mean some other database.
CLI::Validator not_empty();

// For the values of options: 20MiB, 20M and 20971520 are the same.
CLI::Validator size_in_bytes();

// Prints one JSON object on standard output.
void print_json(const Json& json);

// The newer backups of a location that were passed over for this one: [{"key", "state", "why"}], the newest first.
Json passed_over_json(const OpenBackup& backup);

// All of backup_options(), or those of pana check; `request` lives as long as the parser.
void add_backup_options(CLI::App& command, BackupRequest& request);
void add_check_options(CLI::App& command, BackupRequest& request);

// The options -n, -N, -t, -T of pg_dump; --exclude-table-data for commands that choose of a database.
void add_filter_options(CLI::App& command, TableFilter::Patterns& patterns, bool with_rows = false);

}  // namespace pana
