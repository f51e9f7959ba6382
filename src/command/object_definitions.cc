#include "command/object_definitions.h"

#include <algorithm>
#include <regex>
#include <set>
#include <string_view>

#include "pg/text_array.h"

namespace pana {

std::map<ObjectId, std::vector<std::string>> read_object_definitions(Connection& connection) {
  const QueryResult found = connection.query(R"(
SELECT o.catalog::oid::text, o.oid::text, o.parts FROM (
  SELECT 'pg_catalog.pg_proc'::regclass AS catalog, p.oid, ARRAY[prosrc, CASE WHEN prosecdef THEN '' ELSE '!' END || ' SECURITY DEFINER',
    CASE provolatile WHEN 'i' THEN ' IMMUTABLE' WHEN 's' THEN ' STABLE' ELSE '' END, CASE WHEN proisstrict THEN ' STRICT' ELSE '' END]
    || (SELECT coalesce(array_agg(E'\n    SET ' || pg_catalog.split_part(setting, '=', 1)), '{}') FROM pg_catalog.unnest(proconfig) AS setting) AS parts
  FROM pg_catalog.pg_proc AS p WHERE prokind IN ('f', 'p')
  UNION ALL SELECT 'pg_catalog.pg_policy'::regclass, p.oid, ARRAY[(SELECT pg_catalog.format(' ON %I.%I', n.nspname, c.relname) FROM pg_catalog.pg_class AS c
      JOIN pg_catalog.pg_namespace AS n ON n.oid = relnamespace WHERE c.oid = polrelid) || CASE WHEN polpermissive THEN '' ELSE ' AS RESTRICTIVE' END
    || CASE polcmd WHEN '*' THEN '' WHEN 'r' THEN ' FOR SELECT' WHEN 'a' THEN ' FOR INSERT' WHEN 'w' THEN ' FOR UPDATE' ELSE ' FOR DELETE' END
    || CASE WHEN polroles = '{0}' THEN '' ELSE ' TO ' || (SELECT string_agg(quote_ident(rolname), ', ') FROM pg_catalog.pg_roles WHERE oid = ANY (polroles)) END
    || coalesce(' USING (' || pg_catalog.pg_get_expr(polqual, polrelid) || ')', '')
    || coalesce(' WITH CHECK (' || pg_catalog.pg_get_expr(polwithcheck, polrelid) || ')', '') || ';'] FROM pg_catalog.pg_policy AS p
  UNION ALL SELECT 'pg_catalog.pg_rewrite'::regclass, r.oid, ARRAY[CASE rulename WHEN '_RETURN' THEN pg_catalog.pg_get_viewdef(ev_class)
    ELSE pg_catalog.pg_get_ruledef(r.oid) END] FROM pg_catalog.pg_rewrite AS r
  UNION ALL SELECT 'pg_catalog.pg_trigger'::regclass, t.oid, ARRAY[pg_catalog.pg_get_triggerdef(t.oid, false), CASE tgenabled WHEN 'O' THEN '!ABLE TRIGGER ' WHEN 'D' THEN ' DISABLE TRIGGER ' WHEN 'R' THEN ' ENABLE REPLICA TRIGGER ' ELSE ' ENABLE ALWAYS TRIGGER ' END] FROM pg_catalog.pg_trigger AS t WHERE NOT tgisinternal
  UNION ALL SELECT 'pg_catalog.pg_constraint'::regclass, c.oid, ARRAY[pg_catalog.pg_get_constraintdef(c.oid)] FROM pg_catalog.pg_constraint AS c
  UNION ALL SELECT 'pg_catalog.pg_attrdef'::regclass, d.oid, ARRAY['SET DEFAULT ' || pg_catalog.pg_get_expr(d.adbin, d.adrelid) || ';'] FROM pg_catalog.pg_attrdef AS d
  UNION ALL SELECT 'pg_catalog.pg_type'::regclass, t.oid, ARRAY[E' (\n    ' || string_agg(pg_catalog.quote_literal(enumlabel), E',\n    ' ORDER BY enumsortorder) || E'\n);']
    FROM pg_catalog.pg_type AS t JOIN pg_catalog.pg_enum AS e ON e.enumtypid = t.oid GROUP BY t.oid
  UNION ALL SELECT 'pg_catalog.pg_type'::regclass, t.oid, ARRAY[CASE typtype WHEN 'd' THEN 'CREATE DOMAIN ' ELSE 'CREATE TYPE ' END,
    CASE typtype WHEN 'd' THEN ' AS ' || pg_catalog.format_type(typbasetype, typtypmod) ELSE '!AS ENUM' END] FROM pg_catalog.pg_type AS t WHERE typtype <> 'e'
  UNION ALL SELECT 'pg_catalog.pg_class'::regclass, c.oid, ARRAY[pg_catalog.pg_get_indexdef(c.oid), CASE WHEN indisvalid THEN '' ELSE 'an index that is not valid' END] FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_index AS x ON x.indexrelid = c.oid
  UNION ALL SELECT 'pg_catalog.pg_class'::regclass, c.oid, ARRAY[pg_catalog.rtrim(pg_catalog.pg_get_viewdef(c.oid), ';'), CASE WHEN reloptions::text LIKE '%security_invoker=%' THEN '' ELSE '!' END || 'security_invoker', CASE WHEN reloptions::text LIKE '%security_barrier=%' THEN '' ELSE '!' END || 'security_barrier'] FROM pg_catalog.pg_class AS c WHERE relkind IN ('v', 'm')
  UNION ALL SELECT 'pg_catalog.pg_class'::regclass, c.oid, array_agg(pg_catalog.format(E'    %I %s', attname, pg_catalog.format_type(atttypid, atttypmod))
      || CASE WHEN attcollation <> 0 AND attcollation <> typcollation THEN (SELECT pg_catalog.format(' COLLATE %I.%I', n.nspname, l.collname)
           FROM pg_catalog.pg_collation AS l JOIN pg_catalog.pg_namespace AS n ON n.oid = collnamespace WHERE l.oid = attcollation) ELSE '' END
      || CASE WHEN attgenerated = 's' THEN ' GENERATED ALWAYS AS (' || pg_catalog.pg_get_expr(adbin, adrelid) || ') STORED'
              WHEN attgenerated = 'v' THEN ' GENERATED ALWAYS AS (' || pg_catalog.pg_get_expr(adbin, adrelid) || ')'
              WHEN EXISTS (SELECT FROM pg_catalog.pg_depend AS s JOIN pg_catalog.pg_sequence AS q ON q.seqrelid = s.objid WHERE s.classid = 'pg_catalog.pg_class'::regclass
                AND s.refclassid = 'pg_catalog.pg_class'::regclass AND s.refobjid = c.oid AND s.refobjsubid = attnum AND s.deptype = 'a') THEN ''
              ELSE coalesce(' DEFAULT ' || pg_catalog.pg_get_expr(adbin, adrelid), '') END
      || CASE WHEN attnotnull THEN ' NOT NULL' ELSE '' END)
      || (SELECT coalesce(array_agg(pg_catalog.format(E'    CONSTRAINT %I %s', conname, pg_catalog.pg_get_constraintdef(n.oid))), '{}')
          FROM pg_catalog.pg_constraint AS n WHERE conrelid = c.oid AND contype = 'c' AND convalidated AND (conislocal OR c.relispartition))
    FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND attnum > 0 AND NOT attisdropped
    JOIN pg_catalog.pg_type AS t ON t.oid = atttypid LEFT JOIN pg_catalog.pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = attnum
    WHERE relkind IN ('r', 'p') AND reloftype = 0 AND (attislocal OR relispartition) GROUP BY c.oid, c.relispartition
) AS o WHERE o.oid >= 16384 AND NOT EXISTS (
  SELECT FROM pg_catalog.pg_depend AS d WHERE d.classid = o.catalog AND d.objid = o.oid AND d.deptype = 'e'))");
  std::map<ObjectId, std::vector<std::string>> definitions;
  for (int row = 0; row < found.rows(); ++row)
    definitions[{.catalog = found.oid(row, 0), .oid = found.oid(row, 1)}] = parse_text_array(found.text(row, 2));
  return definitions;
}

bool has_parts(const std::string& sql, const std::vector<std::string>& parts) {
  return std::ranges::all_of(parts, [&sql](const std::string& part) {
    return part.starts_with('!') ? sql.find(part.substr(1)) == std::string::npos : sql.find(part) != std::string::npos;
  });
}

bool has_lines(const std::string& sql, const std::vector<std::string>& lines) {
  const std::size_t begin = sql.find("(\n    ");
  const std::size_t end = std::min(sql.find("\n)", begin), sql.size());
  std::multiset<std::string> wanted;
  if (begin != std::string::npos) {
    std::string_view rest = std::string_view(sql).substr(begin + 2, end - begin - 2);
    while (!rest.empty()) {
      const std::size_t length = std::min(rest.find(",\n    "), rest.size());
      // From 18 on NOT NULL has a name, which is written where it is not the one that the server would choose.
      static const std::regex kNamed(R"( CONSTRAINT ("[^"]*"|\S+) NOT NULL$)");
      wanted.insert(std::regex_replace(std::string(rest.substr(0, length)), kNamed, " NOT NULL"));
      rest.remove_prefix(std::min(length + 2, rest.size()));
    }
  }
  return wanted == std::multiset<std::string>(lines.begin(), lines.end());
}

}  // namespace pana
