#include "pg/large_objects.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "pg/copy.h"

namespace pana {
namespace {

// As much of an object as one statement restores. Part of the format's promise: a digest of large objects is a digest
// of these lines.
constexpr std::uint64_t kPieceBytes = 256 * 1024;

// How many pieces of one object are asked for at once after the first.
constexpr std::uint64_t kPiecesPerQuery = 8;

std::string id_list(const std::vector<LargeObjectId>& ids) { return fmt::format("{}", fmt::join(ids, ",")); }

// A row of the query is "OID<tab>OFFSET<tab>\\xHEX<newline>" (COPY doubles the backslash). Returns the piece's length.
std::uint64_t take_piece(std::string_view row, const std::function<void(std::string_view)>& take) {
  const std::size_t first_tab = row.find('\t');
  const std::size_t second_tab = row.find('\t', first_tab + 1);
  const std::string_view hex = row.substr(second_tab + 4, row.size() - second_tab - 5);
  if (!hex.empty()) {
    take(fmt::format("SELECT pg_catalog.lo_put({}, {}, '\\x{}');\n", row.substr(0, first_tab),
                     row.substr(first_tab + 1, second_tab - first_tab - 1), hex));
  }
  return hex.size() / 2;
}

// The rest of an object whose first piece was full.
void read_rest(Connection& connection, LargeObjectId id, const std::function<void(std::string_view)>& take) {
  std::uint64_t last_bytes = kPieceBytes;
  for (std::uint64_t offset = kPieceBytes; last_bytes == kPieceBytes; offset += kPiecesPerQuery * kPieceBytes) {
    CopyOut copy(connection, fmt::format("COPY (SELECT {0}, p.o, pg_catalog.lo_get({0}, p.o, {1}) FROM "
                                         "pg_catalog.generate_series({2}::bigint, {3}, {1}) AS p (o)) TO STDOUT",
                                         id, kPieceBytes, offset, offset + (kPiecesPerQuery - 1) * kPieceBytes));
    while (copy.next_copy()) {
      while (const std::optional<std::string_view> row = copy.next_row()) last_bytes = take_piece(*row, take);
    }
  }
}

}  // namespace

std::vector<LargeObjectId> read_large_object_ids(Connection& connection) {
  const QueryResult result = connection.query("SELECT oid FROM pg_catalog.pg_largeobject_metadata ORDER BY oid");
  std::vector<LargeObjectId> ids;
  for (int row = 0; row < result.rows(); ++row) ids.push_back(result.oid(row, 0));
  return ids;
}

std::uint64_t read_large_object_bytes(Connection& connection) {
  // A row of the catalog holds up to a quarter of a block, compressed where that helps; its text has two digits for a
  // byte.
  const QueryResult result = connection.query(R"(
SELECT 2 * greatest(pg_catalog.pg_relation_size(c.oid), c.reltuples::bigint * pg_catalog.current_setting('block_size')::bigint / 4)
FROM pg_catalog.pg_class AS c WHERE c.oid = 'pg_catalog.pg_largeobject'::pg_catalog.regclass)");
  return static_cast<std::uint64_t>(result.integer(0, 0));
}

namespace {

struct Grant {
  std::string grantor;  // as SQL, like the others
  std::string grantee;
  std::string privilege;
  bool is_grantable = false;
};

// The grants of one object, each behind the one that lets its grantor give it. Of the owner, who has all by being it,
// only what differs: a restore that gives the object to somebody else has no business with them.
std::string grants_sql(std::string_view id, std::string_view owner, std::vector<Grant> grants) {
  constexpr std::ptrdiff_t kAll = 2;  // SELECT and UPDATE
  const auto is_owners = [owner](const Grant& grant) { return grant.grantor == owner && grant.grantee == owner; };
  std::string sql;
  if (std::ranges::count_if(grants, is_owners) == kAll) {
    std::erase_if(grants, is_owners);
  } else {
    sql = fmt::format("REVOKE ALL ON LARGE OBJECT {} FROM {};\n", id, owner);
  }
  std::set<std::pair<std::string, std::string>> may_give;  // who, and what
  while (!grants.empty()) {
    const auto next = std::ranges::find_if(grants, [&](const Grant& grant) {
      return grant.grantor == owner || may_give.contains({grant.grantor, grant.privilege});
    });
    if (next == grants.end()) break;  // none that PostgreSQL would have
    const std::string grant = fmt::format("GRANT {} ON LARGE OBJECT {} TO {}{};\n", next->privilege, id, next->grantee,
                                          next->is_grantable && next->grantee != owner ? " WITH GRANT OPTION" : "");
    sql += next->grantor == owner
               ? grant
               : fmt::format("SET SESSION AUTHORIZATION {};\n{}RESET SESSION AUTHORIZATION;\n", next->grantor, grant);
    if (next->is_grantable) may_give.insert({next->grantee, next->privilege});
    grants.erase(next);
  }
  return sql;
}

// By object.
std::map<LargeObjectId, std::vector<Grant>> read_grants(Connection& connection, const std::vector<LargeObjectId>& ids) {
  const QueryResult result = connection.query(fmt::format(R"(
SELECT m.oid, pg_catalog.quote_ident(gr.rolname), CASE WHEN g.grantee = 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(ge.rolname) END,
       g.privilege_type, g.is_grantable
FROM pg_catalog.pg_largeobject_metadata AS m CROSS JOIN pg_catalog.aclexplode(m.lomacl) AS g
LEFT JOIN pg_catalog.pg_roles AS gr ON gr.oid = g.grantor LEFT JOIN pg_catalog.pg_roles AS ge ON ge.oid = g.grantee
WHERE m.oid IN ({}) ORDER BY m.oid, g.grantee, g.privilege_type, g.grantor)",
                                                          id_list(ids)));
  std::map<LargeObjectId, std::vector<Grant>> grants;
  for (int row = 0; row < result.rows(); ++row) {
    grants[result.oid(row, 0)].push_back({.grantor = result.string(row, 1),
                                          .grantee = result.string(row, 2),
                                          .privilege = result.string(row, 3),
                                          .is_grantable = result.boolean(row, 4)});
  }
  return grants;
}

}  // namespace

std::string large_object_definitions(Connection& connection, const std::vector<LargeObjectId>& ids) {
  // What a new object's owner may do is what acldefault() says; any other list of grants is spelled out.
  const QueryResult result = connection.query(fmt::format(
      R"(
SELECT m.oid, pg_catalog.quote_ident(r.rolname), m.lomacl IS NOT NULL,
  coalesce(pg_catalog.quote_literal(pg_catalog.obj_description(m.oid, 'pg_largeobject')), '')
FROM pg_catalog.pg_largeobject_metadata AS m LEFT JOIN pg_catalog.pg_roles AS r ON r.oid = m.lomowner
WHERE m.oid IN ({}) ORDER BY m.oid)",
      id_list(ids)));
  std::map<LargeObjectId, std::vector<Grant>> grants = read_grants(connection, ids);
  std::string script;
  for (int row = 0; row < result.rows(); ++row) {
    const std::string id = result.string(row, 0);
    const std::string_view owner = result.text(row, 1);
    const auto entry = [&](std::string_view type, std::string_view statements) {
      script += fmt::format(
          "--\n-- TOC entry 0 (class 2995 OID {0})\n-- Name: {0}; Type: {1}; Schema: -; Owner: {2}\n--\n\n{3}\n\n", id,
          type, owner, statements);
    };
    entry("BLOB", fmt::format("SELECT pg_catalog.lo_create('{0}');\nALTER LARGE OBJECT {0} OWNER TO {1};", id, owner));
    if (!result.text(row, 3).empty()) {
      entry("COMMENT", fmt::format("COMMENT ON LARGE OBJECT {} IS {};", id, result.text(row, 3)));
    }
    const std::string sql = result.boolean(row, 2) ? grants_sql(id, owner, std::move(grants[result.oid(row, 0)])) : "";
    if (!sql.empty()) entry("ACL", sql);
  }
  return script;
}

std::vector<std::string> large_object_drops(const std::vector<LargeObjectId>& ids) {
  constexpr std::size_t kBatch = 1000;
  std::vector<std::string> statements;
  for (std::size_t begin = 0; begin < ids.size(); begin += kBatch) {
    const auto first = ids.begin() + static_cast<std::ptrdiff_t>(begin);
    const auto last = ids.begin() + static_cast<std::ptrdiff_t>(std::min(begin + kBatch, ids.size()));
    statements.push_back(
        fmt::format("SELECT pg_catalog.lo_unlink(oid) FROM pg_catalog.pg_largeobject_metadata WHERE oid IN ({});",
                    fmt::join(first, last, ",")));
  }
  return statements;
}

void read_large_objects(Connection& connection, const std::vector<LargeObjectId>& ids,
                        const std::function<void(std::string_view)>& take) {
  std::vector<LargeObjectId> unfinished;
  {
    CopyOut copy(connection, fmt::format("COPY (SELECT m.oid, 0, pg_catalog.lo_get(m.oid, 0, {}) FROM "
                                         "pg_catalog.unnest(ARRAY[{}]::oid[]) AS m (oid)) TO STDOUT",
                                         kPieceBytes, id_list(ids)));
    while (copy.next_copy()) {
      for (std::size_t i = 0; const std::optional<std::string_view> row = copy.next_row(); ++i) {
        if (take_piece(*row, take) == kPieceBytes) unfinished.push_back(ids.at(i));
      }
    }
  }
  for (const LargeObjectId id : unfinished) read_rest(connection, id, take);
}

}  // namespace pana
