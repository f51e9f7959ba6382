#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>
#include <memory>

#include "base/human.h"
#include "base/unicode.h"
#include "cli/commands.h"
#include "command/locations.h"

namespace pana {
namespace {

struct ShowArguments {
  std::string backup;
  bool json = false;
};

// Settings of somebody's own may be secrets: their names alone.
Json globals_json_without_secrets(const Globals& globals) {
  Json json = globals_json(globals);
  for (Json& setting : json["settings"]) {
    if (setting["name"].get<std::string>().find('.') != std::string::npos) setting.erase("value");
  }
  return json;
}

Json header_json(const OpenBackup& backup) {
  const IndexHeader& header = backup.reader->index().header;
  Json json = {{"backup", backup.name},
               {"passed_over", passed_over_json(backup)},
               {"bytes", backup.reader->stored_bytes()},
               {"text_bytes", backup.reader->index().text_bytes()},
               {"rows", backup.reader->index().rows()},
               {"frames", backup.reader->index().frames.size()},
               {"database", header.database},
               {"system_identifier", header.system_identifier},
               {"snapshot_time", header.snapshot_time},
               {"server", header.server},
               {"pg_dump", header.pg_dump},
               {"pana", header.pana},
               {"format", header.format},
               {"encoding", header.encoding},
               {"locale", header.locale},
               {"compression", header.compression},
               {"sequences", header.sequences},
               {"large_objects", header.large_objects},
               {"filters", header.filters},
               {"skipped", header.skipped},
               {"kept_from_us", header.kept_from_us},
               {"unlogged", header.unlogged},
               {"roles", Json::array()},
               {"extensions", Json::array()},
               {"tables", Json::array()}};
  if (backup.reader->index().globals) json["globals"] = globals_json_without_secrets(*backup.reader->index().globals);
  for (const RoleUse& role : header.roles) json["roles"].push_back(role.name);
  for (const ExtensionUse& extension : header.extensions) json["extensions"].push_back(extension.name);
  for (const TableInfo& table : backup.reader->index().tables) {
    json["tables"].push_back({{"schema", table.schema},
                              {"name", table.name},
                              {"columns", table.columns},
                              {"rows", table.content.rows},
                              {"bytes", table.content.bytes},
                              {"digest", table.content.hex()}});
  }
  return json;
}

std::string setting_text(const RoleSetting& setting) {
  return setting.name.find('.') == std::string::npos ? setting.name + " = " + setting.value : setting.name;
}

void print_line(std::string_view label, const std::vector<std::string>& parts) {
  if (!parts.empty()) fmt::print("{:<12}{}\n", label, without_controls(fmt::format("{}", fmt::join(parts, "; "))));
}

// What a role is and has, as far as it differs from what CREATE ROLE makes.
std::vector<std::string> describe(const RoleDefinition& role, const Globals& globals) {
  std::vector<std::string> parts = attributes_of(role);
  if (!parts.empty()) parts = {fmt::format("{}", fmt::join(parts, " "))};
  if (!role.valid_until.empty()) parts.push_back("valid until " + role.valid_until);
  for (const RoleMembership& membership : globals.memberships) {
    if (membership.member == role.name)
      parts.push_back("member of " + membership.role + (membership.admin ? " with admin option" : ""));
  }
  for (const RoleSetting& setting : globals.settings) {
    if (setting.role == role.name) parts.push_back(setting_text(setting) + (setting.in_database ? " here" : ""));
  }
  if (!role.comment.empty()) parts.push_back("\"" + role.comment + "\"");
  return parts;
}

void print_globals(const Globals& globals) {
  for (const RoleDefinition& role : globals.roles) {
    const std::vector<std::string> parts = describe(role, globals);
    print_line("role", {role.name + (parts.empty() ? "" : fmt::format(": {}", fmt::join(parts, "; ")))});
  }
  print_line("owner", {globals.owner});
  if (!globals.comment.empty()) print_line("comment", {globals.comment});
  if (globals.connection_limit >= 0)
    print_line("limit", {counted(static_cast<std::uint64_t>(globals.connection_limit), "connection")});
  std::vector<std::string> settings;
  for (const RoleSetting& setting : globals.settings) {
    if (setting.role.empty()) settings.push_back(setting_text(setting));
  }
  print_line("settings", settings);
  std::map<std::string, std::vector<std::string>> privileges;
  for (const DatabaseGrant& grant : globals.grants) {
    privileges[grant.grantee.empty() ? "PUBLIC" : grant.grantee].push_back(
        grant.privilege + (grant.grantable ? " WITH GRANT OPTION" : ""));
  }
  std::vector<std::string> grants;
  for (const auto& [grantee, granted] : privileges)
    grants.push_back(fmt::format("{}: {}", grantee, fmt::join(granted, ", ")));
  print_line("grants", grants);
}

template <typename Items>
std::string names(const Items& items) {
  std::string text;
  for (const auto& item : items) text += (text.empty() ? "" : ", ") + without_controls(item.name);
  return text.empty() ? "none" : text;
}

void print(const OpenBackup& backup) {
  const Index& index = backup.reader->index();
  const IndexHeader& header = index.header;
  fmt::print("backup      {}\n", backup.name);
  fmt::print("database    {} ({}), as of {}\n", without_controls(header.database), header.encoding,
             without_controls(header.snapshot_time));
  fmt::print("made by     pana {}, pg_dump {}, of a PostgreSQL {} server\n", without_controls(header.pana),
             without_controls(header.pg_dump), without_controls(header.server));
  if (!header.system_identifier.empty()) print_line("server", {"system identifier " + header.system_identifier});
  fmt::print("size        {}, {} of SQL in {}, compression {}\n", human_bytes(backup.reader->stored_bytes()),
             human_bytes(index.text_bytes()), counted(index.frames.size(), "frame"),
             without_controls(header.compression));
  fmt::print("holds       {}, {}, {}\n", counted(index.rows(), "row"), counted(header.sequences, "sequence"),
             counted(header.large_objects, "large object"));
  fmt::print("roles       {}\nextensions  {}\n", names(header.roles), names(header.extensions));
  if (!header.locale.empty()) print_line("locale", {header.locale});
  if (index.globals) print_globals(*index.globals);
  if (!header.filters.empty())
    fmt::print("filters     {}\n", without_controls(fmt::format("{}", fmt::join(header.filters, " "))));
  for (const std::string& table : header.unlogged)
    fmt::print("left out    contents of unlogged {}\n", without_controls(table));
  for (const std::string& skipped : header.skipped) fmt::print("left out    {}\n", without_controls(skipped));
  for (const std::string& kept : header.kept_from_us) fmt::print("left out    {}\n", without_controls(kept));
  fmt::print("\n{:>15}  {:>10}  table\n", "rows", "bytes");
  for (const TableInfo& table : index.tables) {
    const std::string name = table.id == kLargeObjects ? "(large objects)" : table.schema + "." + table.name;
    fmt::print("{:>15}  {:>10}  {}\n", human_count(table.content.rows), human_bytes(table.content.bytes),
               without_controls(name));
  }
}

}  // namespace

void add_show_command(CLI::App& app, const CommandContext& context) {
  const auto options = std::make_shared<ShowArguments>();
  CLI::App* const command = app.add_subcommand("show", "show what a backup holds");
  command->add_option("BACKUP", options->backup, "a file or object, or a location: its newest complete backup")
      ->required();
  command->add_flag("--json", options->json, "print the result as JSON");
  command->callback([options, &context] {
    const OpenBackup backup = find_backup(options->backup, context.store);
    options->json ? print_json(header_json(backup)) : print(backup);
  });
}

}  // namespace pana
