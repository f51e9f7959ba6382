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
      foreign_keys == ForeignKeys::all ? ""
                                       : "AND EXISTS (SELECT FROM pg_catalog.pg_depend AS d WHERE d.classid = "
                                         "'pg_catalog.pg_class'::pg_catalog.regclass "
                                         "AND d.objid = c.oid AND d.deptype = 'e')");
}

// Functions in PostgreSQL's own languages are its own, or an extension's library, and read no tables. What depends on
// one of the others, itself or by an operator, is the constraint or the column's default (before 15: the column). A
// domain's constraint is one of every type that is made of the domain.
constexpr const char* kCallersSql = R"(
WITH RECURSIVE functions (oid) AS (
  SELECT oid FROM pg_catalog.pg_proc
  WHERE prolang NOT IN (SELECT oid FROM pg_catalog.pg_language WHERE lanname IN ('internal', 'c'))
    AND pronamespace NOT IN ('pg_catalog'::pg_catalog.regnamespace, 'information_schema'::pg_catalog.regnamespace) {}),
callers AS (
  SELECT d.classid, d.objid, d.objsubid FROM pg_catalog.pg_depend AS d JOIN functions AS f
    ON d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.refobjid = f.oid
  UNION SELECT d.classid, d.objid, d.objsubid FROM pg_catalog.pg_depend AS d JOIN pg_catalog.pg_operator AS o
    ON d.refclassid = 'pg_catalog.pg_operator'::pg_catalog.regclass AND d.refobjid = o.oid
  WHERE o.oprcode::oid IN (SELECT oid FROM functions))
)";

constexpr const char* kComputedSql = R"(, types (oid) AS (
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

// COPY fires the triggers of INSERT that session_replication_role lets it.
constexpr const char* kWatchedSql = R"(
SELECT n.nspname, c.relname FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND c.oid IN (
  SELECT t.tgrelid FROM pg_catalog.pg_trigger AS t WHERE t.tgfoid IN (SELECT oid FROM functions) AND t.tgtype & 4 <> 0
    AND t.tgenabled IN ('A', CASE WHEN pg_catalog.current_setting('session_replication_role') = 'replica' THEN 'R' ELSE 'O' END::"char")
  UNION ALL SELECT i.indrelid FROM pg_catalog.pg_index AS i JOIN callers AS u
    ON u.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND u.objid = i.indexrelid))";

// Tarjan's algorithm (SIAM J. Comput. 1, 1972): every circle, and every table that is in none, is settled behind all
// that it refers to. One look at each key; no recursion, for a chain of keys may be long.
class LevelFinder {
 public:
  LevelFinder(const References& references, LoadOrder& order) : references_(references), order_(order) {}

  void run() {
    for (const auto& [table, others] : references_) {
      if (!visits_.contains(table)) follow(table);
    }
  }

 private:
  struct Visit {
    std::size_t number = 0;
    std::size_t lowest = 0;  // number of an open table that it reaches
    bool is_open = true;
  };

  // A table on the way, and which of its references comes next.
  struct Step {
    const RelationName& table;
    Visit& visit;
    std::set<RelationName>::const_iterator next;
  };

  void follow(const RelationName& start) {
    enter(start);
    while (!way_.empty()) {
      Step& step = way_.back();
      if (step.next == references_.at(step.table).end()) {
        leave();
        continue;
      }
      const RelationName& other = *step.next++;
      const auto visited = visits_.find(other);
      if (visited == visits_.end()) {
        if (references_.contains(other)) enter(other);
      } else if (visited->second.is_open) {
        step.visit.lowest = std::min(step.visit.lowest, visited->second.number);
      }
    }
  }

  void enter(const RelationName& table) {
    const std::size_t number = visits_.size();
    visits_[table] = {.number = number, .lowest = number};
    open_.push_back(table);
    const auto found = references_.find(table);
    way_.push_back({.table = found->first, .visit = visits_.at(table), .next = found->second.begin()});
  }

  void leave() {
    const Visit& visit = way_.back().visit;
    const RelationName& table = way_.back().table;
    way_.pop_back();
    if (!way_.empty()) way_.back().visit.lowest = std::min(way_.back().visit.lowest, visit.lowest);
    if (visit.lowest == visit.number) settle(table);
  }

  // The tables that are open since this one refer to each other.
  void settle(const RelationName& first) {
    const auto begin = std::find(open_.rbegin(), open_.rend(), first).base() - 1;
    const std::vector<RelationName> settled(begin, open_.end());
    open_.erase(begin, open_.end());
    std::size_t level = 1;
    for (const RelationName& table : settled) {
      visits_.at(table).is_open = false;
      for (const RelationName& other : references_.at(table)) {
        if (const auto known = order_.levels.find(other); known != order_.levels.end())
          level = std::max(level, known->second + 1);
      }
    }
    for (const RelationName& table : settled) order_.levels[table] = level;
    if (settled.size() > 1) order_.in_circles.insert(settled.begin(), settled.end());
  }

  const References& references_;
  LoadOrder& order_;
  std::map<RelationName, Visit> visits_;
  std::vector<RelationName> open_;  // not settled, in the order of their numbers
  std::vector<Step> way_;
};

std::vector<RelationName> names_of(const QueryResult& rows) {
  std::vector<RelationName> names;
  for (int row = 0; row < rows.rows(); ++row)
    names.push_back({.schema = rows.string(row, 0), .name = rows.string(row, 1)});
  return names;
}

}  // namespace

void find_levels(const References& references, LoadOrder& order) { LevelFinder(references, order).run(); }

LoadOrder read_load_order(Connection& connection, ForeignKeys foreign_keys, const std::set<RelationName>* among) {
  LoadOrder order;
  References references;
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
  const std::string callers = fmt::format(kCallersSql, "");
  order.computed = names_of(connection.query(callers + kComputedSql));
  if (!order.computed.empty()) {  // some of them
    for (RelationName& table :
         names_of(connection.query(fmt::format(kCallersSql, "AND provolatile <> 'i'") + kComputedSql))) {
      order.refer_to_themselves.insert(std::move(table));
    }
  }
  if (foreign_keys == ForeignKeys::of_extensions) return order;
  for (RelationName& table : names_of(connection.query(callers + kWatchedSql))) order.watched.insert(std::move(table));
  return order;
}

}  // namespace pana
