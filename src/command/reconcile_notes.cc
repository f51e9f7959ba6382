// Of a Reconciliation: what is told of, and not done.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/human.h"
#include "command/platform.h"
#include "command/reconcile.h"

namespace pana {

// A policy that the source does not have opens a table to more rows; a trigger may change what is written.
void Reconciliation::note_what_is_only_here() {
  std::set<ObjectAddress> known;
  for (const DatabaseObject& object : index_.objects) known.insert(object.address);
  // A view's query, a range's functions, what a partition has from its parent.
  const QueryResult found = connection_.query(
      "SELECT classid::text, objid::text FROM pg_catalog.pg_depend WHERE deptype IN ('i', 'P', 'S') AND objid >= "
      "16384 UNION SELECT 'pg_catalog.pg_constraint'::pg_catalog.regclass::pg_catalog.oid::text, oid::text FROM "
      "pg_catalog.pg_constraint WHERE conparentid <> 0");
  std::set<ObjectId> parts;
  for (int row = 0; row < found.rows(); ++row) parts.insert({.catalog = found.oid(row, 0), .oid = found.oid(row, 1)});
  for (const DatabaseObject& object : target_.all()) {
    if (known.contains(object.address) || !object.extension.empty() || parts.contains(object.id) ||
        built_indexes_.contains(object.id) || object.address.type == "default acl" ||
        object.address.type == "default value")  // the latter stands in the table as a rule
      continue;
    const std::string owner = owner_of(object);  // none: of a table that is only here, too
    if (owner.empty() || target_.is_platforms(owner)) continue;
    report_.only_here.push_back(fmt::format("{} {}", object.address.type, fmt::join(object.address.names, ".")));
    if (object.address.type == "policy" || object.address.type == "trigger" || object.address.type == "rule")
      report_.lost.push_back(report_.only_here.back() + " is only in the target");
  }
}

// Of another project than the target, most likely.
void Reconciliation::note_addresses(const RestoreSelection& selection) {
  std::vector<std::string> addresses;
  for (const std::vector<SchemaObject>* const objects : {&selection.pre_data, &selection.post_data}) {
    for (const SchemaObject& object : *objects) {
      const bool names_a_project = std::ranges::any_of(object.statements, [](const SchemaStatement& statement) {
        return statement.sql.find(".supabase.co") != std::string::npos;
      });
      if (names_a_project) addresses.push_back(object.type + " " + object.name);
    }
  }
  if (!addresses.empty())
    report_.by_hand.push_back("the address of a project is written into " + list_names(addresses));
}

void Reconciliation::note_by_hand(const RestoreSelection& selection) {
  const auto has_rows = [&selection](std::string_view schema, std::string_view name) {
    return std::ranges::any_of(selection.tables, [&](const TableInfo* table) {
      return table->schema == schema && table->name == name && table->content.rows > 0;
    });
  };
  std::vector<std::string>& notes = report_.by_hand;
  if (has_rows("auth", "users"))
    notes.emplace_back(
        "settings of Auth (providers, SMTP, hooks, redirect URLs) and the JWT secret: sessions last only with the "
        "source's own secret");
  if (has_rows("storage", "objects"))
    notes.emplace_back("the files of Storage: its rows are restored, the files are not in a database");
  for (const TableInfo& table : index_.tables) {
    if (table.content.rows == 0) continue;
    if (table.schema == "vault" && table.name == "secrets")
      notes.push_back(
          fmt::format("{} of Vault: enter them again, because they are encrypted with the source project's key",
                      counted(table.content.rows, "secret")));
    if (is_cron_table(table) && request_.cron != CronJobs::active)
      notes.push_back(fmt::format("{}: {}", counted(table.content.rows, "cron job"),
                                  request_.cron == CronJobs::skip ? "make them by cron.schedule()"
                                                                  : "switch on those that are to run here by "
                                                                    "cron.alter_job(jobid, active := true)"));
  }
  std::vector<std::string> passwords;
  if (index_.globals) {
    for (const RoleDefinition& role : index_.globals->roles) {
      if (role.login && !target_.has_role(role.name) && !looks_like_platform_role(role.name))
        passwords.push_back(role.name);
    }
  }
  if (!passwords.empty()) notes.push_back("passwords of the roles " + list_names(passwords));
  notes.emplace_back("Edge Functions and their secrets, and which schemas the API shows");
}

}  // namespace pana
