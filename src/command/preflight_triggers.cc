#include "command/preflight_triggers.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <map>

#include "base/log.h"
#include "command/sql_names.h"
#include "pg/catalog.h"

namespace pana {
namespace {

// What the rows of some of the selected tables are copied into, as far as the target has it.
std::vector<std::string> relations_of(Connection& connection, const Index& index, const RestoreSelection& selection,
                                      const std::function<bool(const TableInfo&)>& is_meant) {
  std::vector<std::string> names;
  for (const TableInfo* const table : selection.tables) {
    if (table->id == kLargeObjects || !is_meant(*table)) continue;
    names.push_back(connection.quote_literal(sql_name_of_load(connection, index.header, *table)));
  }
  const QueryResult found = connection.query(
      fmt::format("SELECT DISTINCT oid FROM (SELECT pg_catalog.to_regclass(name)::pg_catalog.oid AS oid FROM "
                  "pg_catalog.unnest(ARRAY[{}]::text[]) AS name) AS t WHERE oid IS NOT NULL",
                  fmt::join(names, ", ")));
  std::vector<std::string> oids;
  for (int row = 0; row < found.rows(); ++row) oids.push_back(found.string(row, 0));
  return oids;
}

}  // namespace

// Those of partitions that come from their parent's are internal before 15, as are those of foreign keys and of
// deferred keys, which change nothing.
std::vector<FiringTrigger> read_firing_triggers(Connection& connection, const std::vector<std::string>& oids,
                                                bool are_disabled, int events) {
  const QueryResult found = connection.query(fmt::format(
      R"(
WITH RECURSIVE tree (oid) AS (SELECT pg_catalog.unnest('{{{}}}'::oid[])
  UNION SELECT i.inhrelid FROM tree JOIN pg_catalog.pg_inherits AS i ON i.inhparent = tree.oid JOIN pg_catalog.pg_class AS c ON c.oid = i.inhrelid AND c.relispartition)
SELECT pg_catalog.format('%I on %I.%I', t.tgname, n.nspname, c.relname), pg_catalog.pg_get_userbyid(p.proowner), pg_catalog.pg_get_userbyid(c.relowner)
FROM pg_catalog.pg_trigger AS t JOIN tree ON tree.oid = t.tgrelid JOIN pg_catalog.pg_proc AS p ON p.oid = t.tgfoid
JOIN pg_catalog.pg_class AS c ON c.oid = t.tgrelid JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE t.tgtype & {} <> 0 AND t.tgenabled IN ({}) AND (NOT t.tgisinternal OR t.tgparentid <> 0 AND NOT EXISTS (
  SELECT FROM pg_catalog.pg_constraint AS k WHERE k.oid = t.tgconstraint AND k.contype <> 't')) ORDER BY 1)",
      fmt::join(oids, ","), events, are_disabled ? "'A', 'R'" : "'O', 'A'"));
  std::vector<FiringTrigger> triggers;
  for (int row = 0; row < found.rows(); ++row) {
    triggers.push_back(
        {.text = found.string(row, 0), .function_owner = found.string(row, 1), .table_owner = found.string(row, 2)});
  }
  return triggers;
}

std::vector<std::string> check_firing_triggers(const std::vector<std::string>& triggers, const RestoreRequest& request,
                                               bool are_disabled, Problems& problems) {
  if (triggers.empty()) return {};
  const std::string message = fmt::format("triggers of the target would fire for the rows{}: {}",
                                          are_disabled ? " (ENABLE ALWAYS or REPLICA)" : "", list_names(triggers));
  if (request.fire_triggers) {
    log(LogLevel::warning, "triggers", message);
    return triggers;
  }
  problems.add(message,
               are_disabled
                   ? "ALTER TABLE ... DISABLE TRIGGER for the time of the restore, or --fire-triggers"
                   : "--disable-triggers, where the role may; ALTER TABLE ... DISABLE TRIGGER for the time of the "
                     "restore; or --fire-triggers, after which the tables may hold something else than the backup");
  return {};
}

std::vector<std::string> check_triggers(Connection& connection, const RestoreRequest& request, const Index& index,
                                        const RestoreSelection& selection, Problems& problems) {
  std::vector<std::string> triggers;
  const auto add = [&](int events, const std::function<bool(const TableInfo&)>& is_meant) {
    const std::vector<std::string> relations = relations_of(connection, index, selection, is_meant);
    for (FiringTrigger& trigger : read_firing_triggers(connection, relations, request.disable_triggers, events)) {
      if (std::ranges::find(triggers, trigger.text) == triggers.end()) triggers.push_back(std::move(trigger.text));
    }
  };
  add(kInsertTrigger, [](const TableInfo& table) { return table.content.rows > 0; });
  if (request.clean) {  // empty_tables()
    const std::map<RelationName, std::string> conditions = read_extension_conditions(connection);
    const auto is_deleted_from = [&](const TableInfo& table) {
      const auto condition = conditions.find(sql_relation(index.header, table));
      return condition != conditions.end() && !condition->second.empty();
    };
    add(kDeleteTrigger, is_deleted_from);
    add(kTruncateTrigger, [&](const TableInfo& table) { return !is_deleted_from(table); });
  }
  return check_firing_triggers(triggers, request, request.disable_triggers, problems);
}

}  // namespace pana
