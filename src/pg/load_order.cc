#include "pg/load_order.h"

#include <fmt/format.h>

#include <algorithm>

namespace pana {
namespace {

// A key that references a partitioned table is one of each of its partitions.
std::string references_sql(int server_version, ForeignKeys foreign_keys) {
  return fmt::format(
      R"(
SELECT DISTINCT n.nspname, c.relname, tn.nspname, t.relname
FROM pg_catalog.pg_constraint AS k
JOIN pg_catalog.pg_class AS c ON c.oid = k.conrelid AND c.relkind = 'r'
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
CROSS JOIN LATERAL (SELECT k.confrelid AS oid UNION SELECT relid::oid FROM pg_catalog.pg_partition_tree(k.confrelid)) AS leaf
JOIN pg_catalog.pg_class AS t ON t.oid = leaf.oid AND t.relkind = 'r'
JOIN pg_catalog.pg_namespace AS tn ON tn.oid = t.relnamespace
WHERE k.contype = 'f' {} {})",
      server_version >= 180000 ? "AND k.conenforced" : "",
      foreign_keys == ForeignKeys::all
          ? ""
          : "AND EXISTS (SELECT FROM pg_catalog.pg_depend AS d WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass "
            "AND d.objid = c.oid AND d.deptype = 'e')");
}

// Functions in PostgreSQL's own languages are its own, or an extension's library, and read no tables. What depends on one of
// the others, itself or by an operator, is the constraint or the column's default (before 15: the column). A domain's
// constraint is one of every type that is made of the domain.
constexpr const char* kComputedSql = R"(
WITH RECURSIVE functions (oid) AS (
  SELECT oid FROM pg_catalog.pg_proc
  WHERE prolang NOT IN (SELECT oid FROM pg_catalog.pg_language WHERE lanname IN ('internal', 'c'))
    AND pronamespace NOT IN ('pg_catalog'::pg_catalog.regnamespace, 'information_schema'::pg_catalog.regnamespace)),
callers AS (
  SELECT d.classid, d.objid, d.objsubid FROM pg_catalog.pg_depend AS d JOIN functions AS f
    ON d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.refobjid = f.oid
  UNION SELECT d.classid, d.objid, d.objsubid FROM pg_catalog.pg_depend AS d JOIN pg_catalog.pg_operator AS o
    ON d.refclassid = 'pg_catalog.pg_operator'::pg_catalog.regclass AND d.refobjid = o.oid
  WHERE o.oprcode::oid IN (SELECT oid FROM functions)),
types (oid) AS (
  SELECT k.contypid FROM pg_catalog.pg_constraint AS k JOIN callers AS u
    ON u.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass AND u.objid = k.oid
  WHERE k.contypid <> 0
  UNION SELECT t.oid FROM types AS b, pg_catalog.pg_type AS t
  WHERE t.typbasetype = b.oid OR t.typelem = b.oid
    OR (t.typtype = 'c' AND EXISTS (SELECT FROM pg_catalog.pg_attribute AS a WHERE a.attrelid = t.typrelid AND a.atttypid = b.oid)))
SELECT n.nspname, c.relname FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND c.oid IN (
  SELECT k.conrelid FROM pg_catalog.pg_constraint AS k JOIN callers AS u
    ON u.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass AND u.objid = k.oid
  WHERE k.contype = 'c'
  UNION ALL SELECT v.adrelid FROM pg_catalog.pg_attrdef AS v
  JOIN pg_catalog.pg_attribute AS a ON a.attrelid = v.adrelid AND a.attnum = v.adnum AND a.attgenerated <> ''
  JOIN callers AS u ON (u.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass AND u.objid = v.oid)
    OR (u.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND u.objid = v.adrelid AND u.objsubid = v.adnum)
  UNION ALL SELECT a.attrelid FROM pg_catalog.pg_attribute AS a JOIN types AS t ON t.oid = a.atttypid WHERE NOT a.attisdropped)
ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C")";

}  // namespace

void find_levels(const std::map<RelationName, std::set<RelationName>>& references, LoadOrder& order) {
  // Each round settles the tables of which all that they refer to is settled.
  std::map<RelationName, std::set<RelationName>> open = references;
  for (std::size_t level = 0;; ++level) {
    std::set<RelationName> settled;
    for (const auto& [table, others] : open) {
      const bool waits = std::ranges::any_of(others, [&open](const RelationName& other) { return open.contains(other); });
      if (!waits) settled.insert(table);
    }
    for (const RelationName& table : settled) {
      open.erase(table);
      order.levels[table] = level + 1;
    }
    if (settled.empty()) break;
  }
  // What is left refers to a circle, or is part of one: that is, it refers to itself by some way round.
  const std::size_t last = open.empty() ? 0 : order.levels.size() + 1;
  for (const auto& [table, others] : open) {
    order.levels[table] = last;
    std::set<RelationName> reached;
    std::vector<RelationName> next(others.begin(), others.end());
    while (!next.empty() && !reached.contains(table)) {
      const RelationName other = std::move(next.back());
      next.pop_back();
      if (!open.contains(other) || !reached.insert(other).second) continue;
      next.insert(next.end(), open.at(other).begin(), open.at(other).end());
    }
    if (reached.contains(table)) order.in_circles.insert(table);
  }
}

LoadOrder read_load_order(Connection& connection, ForeignKeys foreign_keys, const std::set<RelationName>* among) {
  LoadOrder order;
  std::map<RelationName, std::set<RelationName>> references;
  const QueryResult keys = connection.query(references_sql(connection.server_version(), foreign_keys));
  for (int row = 0; row < keys.rows(); ++row) {
    RelationName table{.schema = keys.string(row, 0), .name = keys.string(row, 1)};
    RelationName other{.schema = keys.string(row, 2), .name = keys.string(row, 3)};
    if (among != nullptr && !(among->contains(table) && among->contains(other))) continue;
    if (table == other) {
      order.refer_to_themselves.insert(std::move(table));
    } else {
      references[std::move(table)].insert(std::move(other));
    }
  }
  find_levels(references, order);
  const QueryResult computed = connection.query(kComputedSql);
  for (int row = 0; row < computed.rows(); ++row) {
    order.computed.push_back({.schema = computed.string(row, 0), .name = computed.string(row, 1)});
  }
  return order;
}

}  // namespace pana
