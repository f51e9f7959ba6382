#include "pg/sequences.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "pg/catalog_sql.h"

namespace pana {
namespace {

// Each is a relation of its own to read, but needs no round trip of its own.
constexpr std::size_t kBatch = 500;

// Hands the columns of each sequence, s, behind its place among the names, to `take`.
template <typename Take>
void read_each(Connection& connection, const std::vector<std::string>& sql_names, std::string_view columns,
               const Take& take) {
  for (std::size_t begin = 0; begin < sql_names.size(); begin += kBatch) {
    const std::size_t end = std::min(begin + kBatch, sql_names.size());
    std::vector<std::string> selects;
    for (std::size_t i = begin; i < end; ++i)
      selects.push_back(fmt::format("SELECT {} AS position, {} FROM {} AS s", i, columns, sql_names[i]));
    const QueryResult result = connection.query(fmt::format("{} ORDER BY position", fmt::join(selects, " UNION ALL ")));
    for (int row = 0; row < result.rows(); ++row) take(static_cast<std::size_t>(result.integer(row, 0)), result, row);
  }
}

}  // namespace

std::vector<CatalogSequence> read_sequences(Connection& connection, const TableFilter& filter) {
  const std::string sql = fmt::format(
      R"(
SELECT pg_catalog.format('%I.%I', n.nspname, c.relname), n.nspname, c.relname,
       CASE WHEN {} THEN x.oid IS NOT NULL END, tn.nspname, t.relname, d.deptype = 'i',
       pg_catalog.pg_table_is_visible(c.oid), pg_catalog.pg_table_is_visible(t.oid),
       coalesce(pg_catalog.has_sequence_privilege(c.oid, 'SELECT'), true),
       coalesce(pg_catalog.has_schema_privilege(n.oid, 'USAGE'), true)
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN ({}) AS x ON x.oid = c.oid
LEFT JOIN pg_catalog.pg_depend AS d ON d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid
  AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.deptype IN ('a', 'i')
LEFT JOIN pg_catalog.pg_class AS t ON t.oid = d.refobjid
LEFT JOIN pg_catalog.pg_namespace AS tn ON tn.oid = t.relnamespace
WHERE c.relkind = 'S' AND c.relpersistence <> 't' AND NOT {} AND {}
ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C")",
      member_of_extension("pg_class", "c.oid"), kExtensionRelations, kUnloggedOnStandby, kUserSchema);
  const QueryResult result = query_by_default_path(connection, sql);
  const auto wanted = [&](int row) {
    const std::string_view schema = result.text(row, 1);
    const std::string_view name = result.text(row, 2);
    const bool visible = result.boolean(row, 7);
    if (!result.is_null(row, 3)) return result.boolean(row, 3) && filter.includes_extension_rows(schema, name, visible);
    const bool owned = !result.is_null(row, 5);
    const bool owner_wanted =
        owned && filter.includes(result.text(row, 4), result.text(row, 5), result.boolean(row, 8));
    if (filter.excludes_rows(schema, name, visible)) return false;
    const bool is_identity = owned && result.boolean(row, 6);
    return owner_wanted || (!is_identity && filter.includes(schema, name, visible));
  };
  std::vector<CatalogSequence> sequences;
  for (int row = 0; row < result.rows(); ++row) {
    if (!wanted(row)) continue;
    sequences.push_back(
        {.name = {.schema = result.string(row, 1), .name = result.string(row, 2), .sql_name = result.string(row, 0)},
         .readable = result.boolean(row, 9),
         .in_usable_schema = result.boolean(row, 10)});
  }
  return sequences;
}

std::vector<std::string> read_sequence_values(Connection& connection, const TableFilter& filter) {
  std::vector<std::string> names;
  for (const CatalogSequence& sequence : read_sequences(connection, filter)) names.push_back(sequence.name.sql_name);
  std::vector<std::string> statements;
  read_each(connection, names, "s.last_value, s.is_called", [&](std::size_t i, const QueryResult& result, int row) {
    statements.push_back(fmt::format("SELECT pg_catalog.setval({}, {}, {});\n", connection.quote_literal(names.at(i)),
                                     result.text(row, 1), result.boolean(row, 2)));
  });
  return statements;
}

bool SequencePosition::is_ahead_of(const SequencePosition& other) const {
  if (last_value == other.last_value) return is_called && !other.is_called;
  return (last_value > other.last_value) == ascends;
}

std::vector<std::optional<SequencePosition>> read_sequence_positions(Connection& connection,
                                                                     const std::vector<std::string>& sql_names) {
  std::vector<std::optional<SequencePosition>> positions(sql_names.size());
  if (sql_names.empty()) return positions;
  std::vector<std::string> literals;
  for (const std::string& name : sql_names) literals.push_back(connection.quote_literal(name));
  // The planner orders conditions as it likes, and the privilege is asked of sequences alone.
  const QueryResult readable = connection.query(fmt::format(
      "SELECT n.position - 1 FROM pg_catalog.unnest(ARRAY[{}]::text[]) WITH ORDINALITY AS n (name, position) "
      "JOIN pg_catalog.pg_class AS c ON c.oid = pg_catalog.to_regclass(n.name) "
      "WHERE CASE c.relkind WHEN 'S' THEN pg_catalog.has_sequence_privilege(c.oid, 'SELECT') "
      "AND pg_catalog.has_schema_privilege(c.relnamespace, 'USAGE') END ORDER BY 1",
      fmt::join(literals, ", ")));
  std::vector<std::size_t> places;
  std::vector<std::string> names;
  for (int row = 0; row < readable.rows(); ++row) {
    places.push_back(static_cast<std::size_t>(readable.integer(row, 0)));
    names.push_back(sql_names.at(places.back()));
  }
  read_each(connection, names,
            "s.last_value, s.is_called, (SELECT p.seqincrement > 0 FROM pg_catalog.pg_sequence AS p "
            "WHERE p.seqrelid = s.tableoid)",
            [&](std::size_t i, const QueryResult& result, int row) {
              positions.at(places.at(i)) = SequencePosition{.last_value = result.integer(row, 1),
                                                            .is_called = result.boolean(row, 2),
                                                            .ascends = result.boolean(row, 3)};
            });
  return positions;
}

}  // namespace pana
