#include "pg/schema_changes.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace pana {
namespace {

// Each gives a kind, a name, and the xmax of the row of the catalog that the snapshot sees.

// What COPY looks up to write a value: the labels of enums, and which attributes a composite type has (a new one
// changes their number in pg_class).
constexpr std::string_view kLookedUpByCopy = R"(
  SELECT 'label of type', pg_catalog.format('%I.%I: %L', n.nspname, t.typname, e.enumlabel), e.xmax
  FROM pg_catalog.pg_enum AS e JOIN pg_catalog.pg_type AS t ON t.oid = e.enumtypid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = t.typnamespace WHERE n.nspname !~ '^pg_'
  UNION ALL
  SELECT 'attributes of type', pg_catalog.format('%I.%I', n.nspname, c.relname), changed
  FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace,
  LATERAL (SELECT c.xmax UNION ALL SELECT a.xmax FROM pg_catalog.pg_attribute AS a WHERE a.attrelid = c.oid) AS version (changed)
  WHERE c.relkind = 'c' AND n.nspname !~ '^pg_')";

// Not pg_class: its rows change with every refresh of a materialized view. Not the columns of tables: these are locked.
// Not schemas and grants: what pg_dump wants of them it reads from the catalog, as the snapshot has it.
constexpr std::string_view kDefinitions = R"(
  SELECT kind, pg_catalog.format('%I.%I', n.nspname, name), changed FROM (
    SELECT 'function', proname, pronamespace, xmax FROM pg_catalog.pg_proc WHERE xmax <> '0'::pg_catalog.xid AND {function_may_differ}
    UNION ALL
    SELECT 'type', typname, typnamespace, xmax FROM pg_catalog.pg_type WHERE typtype <> 'c' AND typcategory <> 'A'
    UNION ALL
    SELECT 'collation', collname, collnamespace, xmax FROM pg_catalog.pg_collation
    UNION ALL
    SELECT 'operator', oprname, oprnamespace, xmax FROM pg_catalog.pg_operator
    UNION ALL
    SELECT 'operator class', opcname, opcnamespace, xmax FROM pg_catalog.pg_opclass
    UNION ALL
    SELECT 'text search configuration', cfgname, cfgnamespace, xmax FROM pg_catalog.pg_ts_config
    UNION ALL
    SELECT 'text search dictionary', dictname, dictnamespace, xmax FROM pg_catalog.pg_ts_dict
    UNION ALL
    SELECT 'statistics', stxname, stxnamespace, xmax FROM pg_catalog.pg_statistic_ext
    UNION ALL
    SELECT 'constraint', conname, connamespace, xmax FROM pg_catalog.pg_constraint
    UNION ALL
    SELECT 'trigger of', c.relname, c.relnamespace, t.xmax FROM pg_catalog.pg_trigger AS t JOIN pg_catalog.pg_class AS c ON c.oid = t.tgrelid
    UNION ALL
    SELECT 'rule or view', c.relname, c.relnamespace, r.xmax FROM pg_catalog.pg_rewrite AS r JOIN pg_catalog.pg_class AS c ON c.oid = r.ev_class
    UNION ALL
    SELECT 'column of', c.relname, c.relnamespace, a.xmax FROM pg_catalog.pg_attribute AS a JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid
    WHERE c.relkind IN ('v', 'm', 'f')
    UNION ALL
    -- Its value is today's, whatever the snapshot: it must be one that the snapshot's sequence can have.
    SELECT 'sequence', c.relname, c.relnamespace, s.xmax FROM pg_catalog.pg_sequence AS s JOIN pg_catalog.pg_class AS c ON c.oid = s.seqrelid
    WHERE CASE WHEN pg_catalog.has_sequence_privilege(c.oid, 'SELECT, USAGE, UPDATE') THEN
            (SELECT (p.minimum_value, p.maximum_value, p.data_type) IS DISTINCT FROM (s.seqmin, s.seqmax, s.seqtypid)
             FROM pg_catalog.pg_sequence_parameters(c.oid) AS p)
          ELSE true END
  ) AS object (kind, name, namespace, changed) JOIN pg_catalog.pg_namespace AS n ON n.oid = namespace WHERE n.nspname !~ '^pg_')";

// Of a function, too, pg_dump reads most from the catalog. The server writes its arguments and its result, of which
// CREATE OR REPLACE can change the defaults and name what had no name, and a body of standard SQL. So one that has none
// of these, before and after, and still has its name, may be replaced.
std::string function_may_differ(int server_version) {
  return fmt::format(R"((prokind NOT IN ('f', 'p', 'w') OR pronargdefaults > 0 {}
      OR pg_catalog.pg_get_function_arguments(oid) IS DISTINCT FROM pg_catalog.pg_get_function_identity_arguments(oid)
      OR ((proargnames IS NULL OR '' = ANY (proargnames))
          AND pg_catalog.pg_get_function_identity_arguments(oid) IS DISTINCT FROM pg_catalog.oidvectortypes(proargtypes))
      OR pg_catalog.starts_with(pg_catalog.pg_get_functiondef(oid), pg_catalog.format('CREATE OR REPLACE %s %I.%I(',
           CASE prokind WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END,
           (SELECT nspname FROM pg_catalog.pg_namespace WHERE pg_namespace.oid = pronamespace), proname)) IS NOT TRUE))",
                     server_version >= 140000
                         ? "OR prosqlbody IS NOT NULL OR pg_catalog.pg_get_function_sqlbody(oid) IS NOT NULL"
                         : "");
}

// reg...::text is the name of today, or the OID of what is gone. Both sides are qualified: the search path is empty.
constexpr std::string_view kRelations = R"(
  SELECT CASE c.relkind WHEN 'v' THEN 'view' WHEN 'i' THEN 'index' WHEN 'S' THEN 'sequence' ELSE 'relation' END || ' ' ||
         pg_catalog.format('%I.%I', n.nspname, c.relname)
  FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  WHERE n.nspname !~ '^pg_' AND pg_catalog.format('%I.%I', n.nspname, c.relname) <> c.oid::pg_catalog.regclass::text
  UNION ALL
  SELECT 'schema ' || pg_catalog.quote_ident(nspname) FROM pg_catalog.pg_namespace
  WHERE nspname !~ '^pg_' AND pg_catalog.quote_ident(nspname) <> oid::pg_catalog.regnamespace::text)";

// pg_authid, with its xmax, is not for everybody. A role may go that nothing here has named: grants are written with
// the names of today, or the OID of whoever is gone.
constexpr std::string_view kRoles = R"(
  SELECT pg_catalog.format('role %I', r.rolname) FROM pg_catalog.pg_roles AS r, pg_catalog.pg_get_userbyid(r.oid) AS today
  WHERE today <> r.rolname AND (today <> pg_catalog.format('unknown (OID=%s)', r.oid) OR EXISTS (
    SELECT FROM pg_catalog.pg_shdepend AS d WHERE d.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass AND d.refobjid = r.oid
      AND d.dbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()))))";

// Whether columns or attributes hold names of objects (regtype, regclass ...), or whether there is a domain or a range
// of such, which is at the bottom of every domain over domains.
constexpr std::string_view kHasNamesInColumns = R"(EXISTS (
  SELECT FROM (
    SELECT a.atttypid FROM pg_catalog.pg_attribute AS a JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid
    WHERE c.oid >= 16384 AND c.relkind IN ('r', 'c') AND a.attnum > 0
    UNION ALL SELECT typbasetype FROM pg_catalog.pg_type WHERE typtype = 'd' AND oid >= 16384
    UNION ALL SELECT rngsubtype FROM pg_catalog.pg_range WHERE rngtypid >= 16384) AS used (type)
  WHERE pg_catalog.format_type(type, NULL) ~ '^(reg|aclitem)'))";

// Which of them a transaction has changed that came after the snapshot, and was committed. xmax has 32 bits, and may be
// of a transaction that was rolled back long ago: its age is compared first.
std::string changed_since(std::string_view rows) {
  return fmt::format(R"(
  SELECT object.kind || ' ' || object.name
  FROM (SELECT pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot())::text::bigint AS xid) AS oldest,
  LATERAL (SELECT oldest.xid & 4294967295 AS bits) AS low,
  ({}) AS object (kind, name, changed)
  WHERE CASE WHEN pg_catalog.age(object.changed) <= pg_catalog.age(low.bits::text::xid) THEN
          pg_catalog.pg_xact_status((oldest.xid - low.bits + object.changed::text::bigint +
            CASE WHEN object.changed::text::bigint < low.bits THEN 4294967296 ELSE 0 END)::text::xid8) = 'committed'
        ELSE false END)",
                     rows);
}

std::string all_changes(int server_version) {
  const std::string definitions =
      fmt::format(kDefinitions, fmt::arg("function_may_differ", function_may_differ(server_version)));
  return fmt::format("{} UNION {} UNION {}",
                     changed_since(fmt::format("{} UNION ALL {}", kLookedUpByCopy, definitions)), kRelations, kRoles);
}

void refuse(const QueryResult& changes, std::string_view while_reading) {
  constexpr int kEnough = 3;
  if (changes.rows() == 0) return;
  std::vector<std::string> names;
  for (int row = 0; row < std::min(changes.rows(), kEnough); ++row) names.push_back(changes.string(row, 0));
  throw Obstacle(Obstacle::Cause::schema_changed, ErrorKind::failed,
                 fmt::format("changed, renamed or dropped while {}: {}{}", while_reading, fmt::join(names, ", "),
                             changes.rows() > kEnough ? " ..." : ""),
                 "run backups when no migrations run");
}

}  // namespace

void refuse_changes_of_schema(Connection& connection) {
  refuse(connection.query(all_changes(connection.server_version()) + " ORDER BY 1"), "the schema was read");
}

void refuse_changes_of_values(Connection& connection) {
  refuse(connection.query(fmt::format("{} UNION SELECT * FROM ({}) AS anything WHERE {} ORDER BY 1",
                                      changed_since(kLookedUpByCopy), all_changes(connection.server_version()),
                                      kHasNamesInColumns)),
         "the rows were read");
}

}  // namespace pana
