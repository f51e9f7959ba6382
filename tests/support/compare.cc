#include "support/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <sstream>
#include <vector>

namespace pana::test {
namespace {

// Names are written as JSON, so that one with a newline stays on its line. The alias is one that no fixture has as a
// column: it must mean the row.
constexpr const char* kTablesOfContent = R"(
WITH hashed_by_enum AS (
  -- An enum's hash depends on its oid, which a restored database does not share: its rows may change partitions, as
  -- they do with pg_dump. What must stay is the content of the whole.
  SELECT partrelid FROM pg_partitioned_table p
  WHERE partstrat = 'h' AND EXISTS (
    SELECT FROM unnest(p.partattrs::int2[]) AS key (number)
    JOIN pg_attribute a ON a.attrelid = p.partrelid AND a.attnum = key.number
    JOIN pg_type t ON t.oid = a.atttypid AND t.typtype = 'e')
), wanted AS (
  SELECT c.oid, 'ONLY ' AS only FROM pg_class c
  WHERE c.relkind = 'r'
    AND NOT EXISTS (SELECT FROM hashed_by_enum h WHERE h.partrelid IN (SELECT pg_partition_ancestors(c.oid)))
  UNION
  SELECT pg_partition_root(partrelid), '' FROM hashed_by_enum
)
SELECT format('SELECT %L, count(*), md5(string_agg(md5("the whole row"::text), '''' ORDER BY md5("the whole row"::text))) '
              'FROM %s%I.%I AS "the whole row"',
              to_json(format('%I.%I', n.nspname, c.relname)), w.only, n.nspname, c.relname)
FROM wanted w JOIN pg_class c USING (oid) JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\_toast%'
  AND n.nspname NOT LIKE 'pg\_temp%'
ORDER BY n.nspname, c.relname \gexec
)";

constexpr const char* kSequences = R"(
SELECT format('SELECT %L, last_value, is_called FROM %I.%I', to_json(format('%I.%I', n.nspname, c.relname)),
              n.nspname, c.relname)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'S' AND c.relpersistence <> 't' ORDER BY n.nspname, c.relname \gexec
)";

constexpr const char* kLargeObjects = R"(
SELECT oid, md5(lo_get(oid)), to_json(lomowner::regrole::text),
       (SELECT json_agg(entry ORDER BY entry) FROM unnest(lomacl::text[]) AS entry),
       to_json(obj_description(oid, 'pg_largeobject'))
FROM pg_largeobject_metadata ORDER BY oid
)";

constexpr const char* kMaterializedViews = R"(
SELECT format(CASE WHEN relispopulated
                THEN 'SELECT %1$L, count(*), md5(string_agg(md5("the whole row"::text), '''' ORDER BY md5("the whole row"::text))) '
                     'FROM %2$I.%3$I AS "the whole row"'
                ELSE 'SELECT %1$L, ''not populated''' END,
              to_json(format('%I.%I', n.nspname, c.relname)), n.nspname, c.relname)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'm' ORDER BY n.nspname, c.relname \gexec
)";

std::vector<std::string> sorted_lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  std::sort(lines.begin(), lines.end());
  return lines;
}

// Entries begin with the comment that pg_dump puts above each object. A function's body may hold such a line as well:
// it is then cut in two on both sides.
std::vector<std::string> sorted_entries(const std::string& schema) {
  std::vector<std::string> entries;
  const std::string start = "\n--\n-- Name: ";
  std::size_t position = 0;
  while (position != std::string::npos) {
    const std::size_t next = schema.find(start, position + 1);
    entries.push_back(schema.substr(position, next == std::string::npos ? next : next - position));
    position = next;
  }
  std::sort(entries.begin(), entries.end());
  return entries;
}

std::string listed(const std::string& title, const std::vector<std::string>& items) {
  constexpr std::size_t kShown = 25;
  std::string text;
  for (std::size_t i = 0; i < std::min(items.size(), kShown); ++i) text += fmt::format("{}: {}\n", title, items[i]);
  if (items.size() > kShown) text += fmt::format("{}: ... and {} more\n", title, items.size() - kShown);
  return text;
}

std::string difference_of_sets(const std::vector<std::string>& expected, const std::vector<std::string>& seen) {
  std::vector<std::string> missing;
  std::vector<std::string> unexpected;
  std::set_difference(expected.begin(), expected.end(), seen.begin(), seen.end(), std::back_inserter(missing));
  std::set_difference(seen.begin(), seen.end(), expected.begin(), expected.end(), std::back_inserter(unexpected));
  return listed("missing", missing) + listed("unexpected", unexpected);
}

// pg_dump's run key and versions differ from run to run, and the SETs between entries follow the order of the entries.
bool differs_by_nature(const std::string& line) {
  for (const char* start : {"\\restrict ", "\\unrestrict ", "-- Dumped from ", "-- Dumped by ",
                            "SET default_tablespace = ", "SET default_table_access_method = "}) {
    if (line.starts_with(start)) return true;
  }
  return false;
}

}  // namespace

std::string tables_of(const Cluster& cluster, const std::string& database) {
  return cluster.sql(database, kTablesOfContent);
}

std::string schema_of(const Cluster& cluster, const std::string& database) {
  std::istringstream dump(run_successfully(cluster.client("pg_dump", {"--schema-only"}, database)));
  std::string schema;
  for (std::string line; std::getline(dump, line);) {
    if (!differs_by_nature(line)) schema += line + "\n";
  }
  return schema;
}

Content content_of(const Cluster& cluster, const std::string& database) {
  return {.schema = schema_of(cluster, database),
          .tables = tables_of(cluster, database),
          .sequences = cluster.sql(database, kSequences),
          .large_objects = cluster.sql(database, kLargeObjects),
          .materialized_views = cluster.sql(database, kMaterializedViews)};
}

std::string different_lines(const std::string& expected, const std::string& seen) {
  return difference_of_sets(sorted_lines(expected), sorted_lines(seen));
}

std::string different_entries(const std::string& expected, const std::string& seen) {
  return difference_of_sets(sorted_entries(expected), sorted_entries(seen));
}

std::string differences(const Content& expected, const Content& seen) {
  return different_lines(expected.tables, seen.tables) + different_lines(expected.sequences, seen.sequences) +
         different_lines(expected.large_objects, seen.large_objects) +
         different_lines(expected.materialized_views, seen.materialized_views) +
         different_entries(expected.schema, seen.schema);
}

}  // namespace pana::test
