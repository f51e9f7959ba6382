#include <fmt/format.h>

#include <functional>
#include <memory>
#include <optional>

#include "base/human.h"
#include "cli/commands.h"
#include "cli/comparison_output.h"
#include "cli/progress_line.h"
#include "command/locations.h"
#include "command/proven_restore.h"

namespace pana {
namespace {

struct RestoreArguments {
  std::string backup;
  RestoreRequest request;
  TableFilter::Patterns patterns;
  bool schema_only = false;
  bool data_only = false;
  bool no_owner = false;
  bool no_privileges = false;
  bool no_tablespaces = false;
  bool no_comments = false;
  bool no_publications = false;
  bool no_subscriptions = false;
  bool no_security_labels = false;
  std::vector<std::string> role_map;  // OLD=NEW
  bool no_analyze = false;
  bool verify = false;
  bool json = false;
  std::optional<std::int64_t> stall_seconds;
};

RestoreRequest request_of(const RestoreArguments& options) {
  RestoreRequest request = options.request;
  request.filter = TableFilter(options.patterns);
  request.schema = !options.data_only;
  request.rows = !options.schema_only;
  request.owners = !options.no_owner;
  request.privileges = !options.no_privileges;
  request.tablespaces = !options.no_tablespaces;
  request.comments = !options.no_comments;
  request.publications = !options.no_publications;
  request.subscriptions = !options.no_subscriptions;
  request.security_labels = !options.no_security_labels;
  for (const std::string& pair : options.role_map) {
    const std::size_t sign = pair.find('=');
    if (sign == 0 || sign == std::string::npos || sign + 1 == pair.size()) {
      throw Error(ErrorKind::usage, fmt::format("--role-map {} is not of the form OLD=NEW", pair),
                  "write the roles' names without quotes");
    }
    const auto [place, is_new] = request.role_map.emplace(pair.substr(0, sign), pair.substr(sign + 1));
    if (!is_new && place->second != pair.substr(sign + 1)) {
      throw Error(ErrorKind::usage,
                  fmt::format("--role-map names two roles for {}: {} and {}", place->first, place->second,
                              pair.substr(sign + 1)),
                  "one role can stand for another, not two");
    }
  }
  request.analyze = !options.no_analyze;
  if (request.fire_triggers && request.schema && !request.reconcile) {
    throw Error(ErrorKind::usage, "--fire-triggers is for rows of tables that are there: --data-only, --reconcile",
                "leave it out: a table gets its triggers behind its rows");
  }
  if (options.stall_seconds) request.longest_silence = std::chrono::seconds(*options.stall_seconds);
  return request;
}

Json report_json(const RestoreReport& report, const OpenBackup& backup) {
  return {{"backup", backup.name},
          {"passed_over", passed_over_json(backup)},
          {"target", report.target},
          {"rows", report.rows},
          {"tables", report.tables},
          {"bytes_read", report.bytes_read},
          {"seconds", report.seconds},
          {"errors", report.errors},
          {"roles_created", report.globals.roles},
          {"globals_not_restored", report.globals.not_restored},
          {"triggers_fired", report.triggers},
          {"adapted", report.adapted},
          {"left_out", report.left_out},
          {"rights_not_restored", report.rights_not_restored}};
}

void print_list(const char* head, const std::vector<std::string>& lines) {
  if (lines.empty()) return;
  fmt::print("{}:\n", head);
  for (const std::string& line : lines) fmt::print("  {}\n", line);
}

void print_reconciled(const ReconcileReport& report) {
  fmt::print("made {}, compared {}, changed {}\n", counted(report.made, "object"), report.compared,
             counted(report.rights_changed, "right"));
  print_list("different in the target", report.different);
  print_list("only in the target, where it stays", report.only_here);
  print_list("rights that are not as in the backup", report.rights_different);
  print_list("rows that were left out", report.rows_left_out);
  print_list("columns that the target lacks", report.columns_left_out);
  print_list("left to the platform, which owns these", report.left_to_platform);
  print_list("cron jobs", report.cron_jobs);
  print_list("still to do by hand", report.by_hand);
}

void run(const RestoreArguments& options, const CommandContext& context) {
  const OpenBackup backup = find_backup(options.backup, context.store);
  ProvenRestoreRequest request{.restore = request_of(options), .prove = options.verify};
  if (options.stall_seconds) request.longest_silence_of_proof = std::chrono::seconds(*options.stall_seconds);
  const auto show = [](const std::string& verb, const std::function<void(Progress&)>& step) {
    Progress progress;
    const ProgressLine line(verb, progress);
    step(progress);
  };
  const ProvenRestore proven = restore_and_prove(request, *backup.reader, show, context.stop);
  const RestoreReport& report = proven.restored;
  if (options.json) {
    Json json = report_json(report, backup);
    json["dry_run"] = options.request.dry_run;
    if (options.request.dry_run) {
      json["dropped"] = report.dropped;
      json["emptied"] = report.emptied;
    }
    if (report.reconciled) json["reconciled"] = report.reconciled->json();
    if (proven.comparison) json["comparison"] = comparison_json(*proven.comparison, backup.name);
    print_json(json);
  } else {
    if (options.request.dry_run) {
      fmt::print("nothing was changed: a restore would load {} of {} into {}\n", counted(report.rows, "row"),
                 counted(report.tables, "table"), report.target);
      print_list("it would first drop", report.dropped);
      print_list("it would first empty", report.emptied);
    } else {
      fmt::print("restored {} of {} into {} in {}, {} read from {}\n", counted(report.rows, "row"),
                 counted(report.tables, "table"), report.target, human_seconds(report.seconds),
                 human_bytes(report.bytes_read), backup.name);
    }
    print_list("triggers that fire for these rows, which may not be the backup's afterwards (--verify tells)",
               report.triggers);
    print_list("different for want of an extension", report.adapted);
    print_list("left out for want of an extension", report.left_out);
    if (report.reconciled) print_reconciled(*report.reconciled);
    if (!report.rights_not_restored.empty()) {
      fmt::print("some privileges are not as in the backup: see {} above\n",
                 counted(report.rights_not_restored.size(), "warning"));
    }
    if (proven.comparison) {
      const bool is_whole = report.errors.empty() && TableFilter(options.patterns).is_empty() &&
                            backup.reader->index().header.filters.empty() && report.left_out_tables.empty() &&
                            report.left_out_sequences.empty();
      print_comparison(*proven.comparison, backup.name, is_whole ? "the database" : "the part that was compared");
    }
    if (options.verify && !proven.comparison) fmt::print("nothing was compared: what is chosen has no rows\n");
  }
  proven.require_success();
}

}  // namespace

void add_restore_command(CLI::App& app, const CommandContext& context) {
  const auto options = std::make_shared<RestoreArguments>();
  RestoreRequest& request = options->request;
  CLI::App* const command = app.add_subcommand("restore", "restore a backup, or some tables of it, into a database");
  command->add_option("BACKUP", options->backup, "a file or object, or a location: its newest complete backup")
      ->required();
  command->add_option("--into", request.url, "the database to restore into; it must exist")
      ->required()
      ->check(not_empty())
      ->type_name("URL");
  const CLI::Option* const jobs =
      command
          ->add_option("-j,--jobs", request.jobs,
                       "connections; unless given, --clean --data-only loads over one, in one transaction")
          ->check(CLI::Range(1, 64))
          ->capture_default_str();
  add_filter_options(*command, options->patterns);
  CLI::Option* const schema_only = command->add_flag("-s,--schema-only", options->schema_only, "definitions, no rows");
  CLI::Option* const data_only =
      command
          ->add_flag("-a,--data-only", options->data_only, "rows, no definitions: the tables must exist and be empty")
          ->excludes(schema_only);
  command->add_flag("-O,--no-owner", options->no_owner, "do not restore owners: the restoring role owns everything");
  command->add_flag("-x,--no-privileges", options->no_privileges, "do not restore grants");
  command->add_flag("--no-tablespaces", options->no_tablespaces, "restore into the default tablespace");
  command->add_flag("--no-comments", options->no_comments, "do not restore comments");
  command->add_flag("--no-publications", options->no_publications, "do not restore publications");
  command->add_flag("--no-subscriptions", options->no_subscriptions, "do not restore subscriptions");
  command->add_flag("--no-security-labels", options->no_security_labels, "do not restore security labels");
  command
      ->add_option("--exclude-extension", request.exclude_extensions,
                   "leave an extension out, with the rows of its own tables; can be repeated")
      ->type_name("NAME")
      ->allow_extra_args(false);
  command->add_flag("--skip-missing-extensions", request.skip_missing_extensions,
                    "leave extensions out that the target cannot have; columns of their types become text");
  command->add_option("--role-map", options->role_map, "give NEW what OLD owned and was granted; can be repeated")
      ->type_name("OLD=NEW")
      ->allow_extra_args(false);
  command
      ->add_option("--search-path", request.search_path,
                   "search_path of the restore's sessions, for functions that rely on it")
      ->type_name("LIST");
  CLI::Option* const clean =
      command->add_flag("-c,--clean", request.clean,
                        "drop what the backup creates before creating it; with --data-only, empty its tables first");
  CLI::Option* const allow_non_empty = command->add_flag(
      "--allow-non-empty", request.allow_non_empty, "restore into a target that is not empty, beside its contents");
  CLI::Option* const reconcile =
      command
          ->add_flag(
              "--reconcile", request.reconcile,
              "restore into a target that has a part of the backup, as a platform's new project: compare what is "
              "there, make what is missing, load rows into empty tables")
          ->excludes(clean)
          ->excludes(allow_non_empty)
          ->excludes(data_only);
  command
      ->add_option("--cron", request.cron,
                   "with --reconcile, jobs of pg_cron: made and switched off (inactive), as they were (active), or not "
                   "at all (skip); default: inactive")
      ->transform(CLI::CheckedTransformer(
          std::map<std::string, CronJobs>{
              {"inactive", CronJobs::inactive}, {"active", CronJobs::active}, {"skip", CronJobs::skip}},
          CLI::ignore_case))
      ->type_name("inactive|active|skip")
      ->needs(reconcile);
  CLI::Option* const dry_run =
      command->add_flag("--dry-run", request.dry_run, "look whether the restore can be done, and change nothing");
  command->add_flag("--create-missing-roles", request.create_missing_roles,
                    "create roles that are missing, without login");
  command
      ->add_flag("--globals", request.globals,
                 "also restore roles with their attributes, memberships and settings, but no passwords, and the "
                 "database's own "
                 "settings, comment, grants and owner")
      ->excludes(data_only);
  CLI::Option* const disable_triggers = command->add_flag(
      "--disable-triggers", request.disable_triggers,
      "disable triggers and foreign key checks while loading (needs the right to set session_replication_role)");
  command
      ->add_flag("--fire-triggers", request.fire_triggers,
                 "let triggers of tables that are there fire for the rows, which they may change")
      ->excludes(disable_triggers);
  command->add_flag("--keep-going", request.keep_going, "report errors at the end instead of stopping at the first");
  command->add_flag("--no-analyze", options->no_analyze, "do not ANALYZE the tables at the end");
  command
      ->add_option(
          "--stall-timeout", options->stall_seconds,
          "give up when the server says nothing for this long; 0: never; default: never while it restores, because the "
          "server says nothing while it builds an index, and 600 while --verify compares")
      ->check(CLI::Range(0, 86400))
      ->type_name("SECONDS");
  command->add_flag("--verify", options->verify, "compare every row's digest with the backup afterwards")
      ->excludes(schema_only)
      ->excludes(dry_run);
  command->add_flag("--json", options->json, "print the result as JSON");
  command->callback([options, jobs, &context] {
    options->request.single_transaction = jobs->empty();
    run(*options, context);
  });
}

}  // namespace pana
