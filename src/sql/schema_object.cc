#include "sql/schema_object.h"

#include <algorithm>
#include <array>

#include "sql/sql_lexer.h"

namespace pana {
namespace {

bool is_owner_change(SqlLexemes lexemes) {
  if (!lexemes.skip({"ALTER"})) return false;
  std::array<std::string_view, 4> last;
  for (std::string_view lexeme = lexemes.next(); !lexeme.empty(); lexeme = lexemes.next()) {
    std::rotate(last.begin(), last.begin() + 1, last.end());
    last.back() = lexeme;
  }
  return is_keyword(last[0], "OWNER") && is_keyword(last[1], "TO") && last[3] == ";";
}

bool is_privilege(SqlLexemes lexemes) {
  return lexemes.skip({"GRANT"}) || lexemes.skip({"REVOKE"}) || lexemes.skip({"ALTER", "DEFAULT", "PRIVILEGES"}) ||
         lexemes.skip({"SET", "SESSION", "AUTHORIZATION"}) || lexemes.skip({"RESET", "SESSION", "AUTHORIZATION"});
}

// pg_dump sets what it wants before these, and nothing before others.
bool stores_something(std::string_view type, SqlLexemes lexemes) {
  if (type == "CONSTRAINT") return true;
  if (!lexemes.skip({"CREATE"})) return false;
  return lexemes.skip({"TABLE"}) || lexemes.skip({"UNLOGGED", "TABLE"}) || lexemes.skip({"MATERIALIZED", "VIEW"}) ||
         lexemes.skip({"INDEX"}) || lexemes.skip({"UNIQUE", "INDEX"});
}

std::optional<std::string> made_schema(SqlLexemes lexemes) {
  if (!lexemes.skip({"CREATE", "SCHEMA"})) return std::nullopt;
  return parse_simple_name(lexemes.qualified_name());
}

std::optional<RelationName> relation_name(SqlLexemes& lexemes) { return parse_relation_name(lexemes.qualified_name()); }

// The table of t.c
std::optional<RelationName> table_of_column(SqlLexemes& lexemes) {
  std::vector<std::string> parts = parse_name(lexemes.qualified_name());
  if (parts.size() != 3) return std::nullopt;
  return RelationName{.schema = std::move(parts[0]), .name = std::move(parts[1])};
}

// Goes on to the first of the keywords that is followed by a qualified name.
std::optional<RelationName> name_after(SqlLexemes lexemes, std::initializer_list<std::string_view> keywords) {
  for (std::string_view lexeme = lexemes.next(); !lexeme.empty(); lexeme = lexemes.next()) {
    for (const std::string_view keyword : keywords) {
      if (!is_keyword(lexeme, keyword)) continue;
      SqlLexemes rest = lexemes;
      rest.skip({"ONLY"});
      if (std::optional<RelationName> name = relation_name(rest)) return name;
    }
  }
  return std::nullopt;
}

// GRANT SELECT (a), UPDATE ON TABLE t TO r: what stands behind the first ON. An argument of a function may be called
// "table".
std::optional<RelationName> granted_relation(SqlLexemes lexemes) {
  for (std::string_view lexeme = lexemes.next(); !lexeme.empty(); lexeme = lexemes.next()) {
    if (!is_keyword(lexeme, "ON")) continue;
    return lexemes.skip({"TABLE"}) || lexemes.skip({"SEQUENCE"}) ? relation_name(lexemes) : std::nullopt;
  }
  return std::nullopt;
}

// COMMENT ON LARGE OBJECT 4711, GRANT SELECT ON LARGE OBJECT 4711
bool is_on_large_object(std::string_view type, SqlLexemes lexemes) {
  if (type == "BLOB") return true;
  if (type != "COMMENT" && type != "ACL" && type != "SECURITY LABEL") return false;
  for (std::string_view lexeme = lexemes.next(); !lexeme.empty(); lexeme = lexemes.next()) {
    if (is_keyword(lexeme, "ON")) return lexemes.skip({"LARGE", "OBJECT"});
  }
  return false;
}

// CREATE TABLE t, CREATE UNLOGGED TABLE t, CREATE SEQUENCE s, CREATE OR REPLACE VIEW v ...; ALTER TABLE t ALTER COLUMN
// c ADD GENERATED ...
std::optional<RelationName> created_relation(SqlLexemes lexemes) {
  if (lexemes.skip({"ALTER"})) return name_after(lexemes, {"TABLE"});
  if (!lexemes.skip({"CREATE"})) return std::nullopt;
  lexemes.skip({"OR", "REPLACE"});
  if (!lexemes.skip({"UNLOGGED"}) && !lexemes.skip({"FOREIGN"})) lexemes.skip({"MATERIALIZED"});
  if (!lexemes.skip({"TABLE"}) && !lexemes.skip({"SEQUENCE"}) && !lexemes.skip({"VIEW"})) return std::nullopt;
  return relation_name(lexemes);
}

// CREATE STATISTICS s ON a, extract(year from f(b)) FROM t: the FROM outside of parentheses.
std::optional<RelationName> table_of_statistics(SqlLexemes lexemes) {
  int depth = 0;
  for (std::string_view lexeme = lexemes.next(); !lexeme.empty(); lexeme = lexemes.next()) {
    if (lexeme == "(") ++depth;
    if (lexeme == ")") --depth;
    if (depth == 0 && is_keyword(lexeme, "FROM")) return relation_name(lexemes);
  }
  return std::nullopt;
}

bool is_relation(std::string_view type) {
  return type == "TABLE" || type == "SEQUENCE" || type == "VIEW" || type == "MATERIALIZED VIEW" ||
         type == "FOREIGN TABLE";
}

// The index or the statistics that an entry makes, in its table's schema or its own; a constraint's index has its name.
std::optional<RelationName> part_of(std::string_view type, SqlLexemes lexemes, const RelationName& table) {
  if (type == "STATISTICS") return lexemes.skip({"CREATE", "STATISTICS"}) ? relation_name(lexemes) : std::nullopt;
  if (type == "CONSTRAINT") {
    lexemes.skip({"ALTER", "TABLE"});
    lexemes.skip({"ONLY"});
    lexemes.qualified_name();
    if (!lexemes.skip({"ADD", "CONSTRAINT"})) return std::nullopt;
  } else {
    if (type != "INDEX" || !lexemes.skip({"CREATE"})) return std::nullopt;
    lexemes.skip({"UNIQUE"});
    if (!lexemes.skip({"INDEX"})) return std::nullopt;
  }
  std::vector<std::string> name = parse_name(lexemes.qualified_name());
  return name.size() == 1 ? std::optional(RelationName{.schema = table.schema, .name = std::move(name[0])})
                          : std::nullopt;
}

std::optional<RelationName> referred_relation(std::string_view type, SqlLexemes lexemes) {
  if (type == "FK CONSTRAINT") return name_after(lexemes, {"REFERENCES"});
  if (type == "TABLE ATTACH") return name_after(lexemes, {"TABLE"});
  if (type == "SEQUENCE" && lexemes.skip({"ALTER"})) return name_after(lexemes, {"NAME"});
  if (type != "SEQUENCE OWNED BY" || !lexemes.skip({"ALTER", "SEQUENCE"})) return std::nullopt;
  lexemes.qualified_name();
  return lexemes.skip({"OWNED", "BY"}) ? table_of_column(lexemes) : std::nullopt;
}

std::optional<std::string> publication_of(SqlLexemes lexemes) {
  if (!lexemes.skip({"ALTER", "PUBLICATION"})) return std::nullopt;
  return parse_simple_name(lexemes.qualified_name());
}

constexpr std::string_view kAccessMethod = "default_table_access_method";

// Without storage, the table has no use for the access method that stands behind another table. (From 17 on it may have
// one for its partitions, which is set by a statement of its own.)
bool is_partitioned(SqlLexemes lexemes) {
  std::size_t depth = 0;
  for (std::string_view lexeme = lexemes.next(); !lexeme.empty(); lexeme = lexemes.next()) {
    if (lexeme == "(") ++depth;
    if (lexeme == ")" && depth > 0) --depth;
    if (depth == 0 && is_keyword(lexeme, "PARTITION")) return lexemes.skip({"BY"});
  }
  return false;
}

void put(std::vector<DefaultSetting>& settings, std::string sql) {
  SqlLexemes lexemes(sql);
  lexemes.skip({"SET"});
  std::string name(lexemes.next());
  std::erase_if(settings, [&name](const DefaultSetting& setting) { return setting.name == name; });
  settings.push_back({.name = std::move(name), .sql = std::move(sql)});
}

}  // namespace

std::optional<RelationName> SchemaObjectReader::table_of(const std::optional<RelationName>& part) const {
  const auto found = part ? tables_.find(*part) : tables_.end();
  return found == tables_.end() ? std::nullopt : std::optional(found->second);
}

// What stands behind COMMENT ON and SECURITY LABEL ... ON: TABLE t, COLUMN t.c, INDEX i, CONSTRAINT k ON t ...
std::optional<RelationName> SchemaObjectReader::described_relation(SqlLexemes lexemes) const {
  if (lexemes.skip({"INDEX"}) || lexemes.skip({"STATISTICS"})) return table_of(relation_name(lexemes));
  if (!lexemes.skip({"FOREIGN"})) lexemes.skip({"MATERIALIZED"});
  const std::string_view kind = lexemes.next();
  if (is_keyword(kind, "TABLE") || is_keyword(kind, "SEQUENCE") || is_keyword(kind, "VIEW"))
    return relation_name(lexemes);
  if (is_keyword(kind, "COLUMN")) return table_of_column(lexemes);
  if (is_keyword(kind, "CONSTRAINT") || is_keyword(kind, "TRIGGER") || is_keyword(kind, "POLICY") ||
      is_keyword(kind, "RULE")) {
    return name_after(lexemes, {"ON"});
  }
  return std::nullopt;
}

std::optional<RelationName> SchemaObjectReader::relation_of(const SchemaEntry& entry, const SqlLexemes& lexemes) const {
  const std::string_view type = entry.type;
  if (is_relation(type)) return created_relation(lexemes);
  if (SqlLexemes rest = lexemes; type == "COMMENT")
    return rest.skip({"COMMENT", "ON"}) ? described_relation(rest) : std::nullopt;
  if (SqlLexemes rest = lexemes; type == "SECURITY LABEL") {
    if (!rest.skip({"SECURITY", "LABEL", "FOR"})) return std::nullopt;
    rest.next();
    return rest.skip({"ON"}) ? described_relation(rest) : std::nullopt;
  }
  if (SqlLexemes rest = lexemes; type == "INDEX ATTACH") return table_of(name_after(rest, {"PARTITION"}));
  if (type == "TABLE ATTACH") return name_after(lexemes, {"PARTITION"});
  if (type == "MATERIALIZED VIEW DATA") return name_after(lexemes, {"VIEW"});
  if (type == "RULE") {
    const std::optional<RelationName> view = created_relation(lexemes);  // one that was made without its query at first
    return view ? view : name_after(lexemes, {"TO"});
  }
  if (type == "STATISTICS") return table_of_statistics(lexemes);
  if (type == "TRIGGER" || type == "POLICY" || type == "INDEX") {
    SqlLexemes rest = lexemes;
    return rest.skip({"ALTER", "TABLE"}) ? name_after(lexemes, {"TABLE"})
                                         : name_after(lexemes, {"ON"});  // a partition's, inherited
  }
  if (type == "ACL") return granted_relation(lexemes);
  if (type == "SEQUENCE OWNED BY") return name_after(lexemes, {"SEQUENCE"});
  if (type == "CONSTRAINT" || type == "FK CONSTRAINT" || type == "CHECK CONSTRAINT" || type == "DEFAULT" ||
      type == "ROW SECURITY" || type == "PUBLICATION TABLE") {
    return name_after(lexemes, {"TABLE"});
  }
  return std::nullopt;
}

SchemaObject SchemaObjectReader::understand(const SchemaEntry& entry) {
  SchemaObject object{.type = entry.type,
                      .name = entry.name,
                      .schema = entry.schema,
                      .owner = entry.owner,
                      .catalog_id = entry.catalog_id,
                      .object_id = entry.object_id};
  for (std::string& sql : statements_of(entry.text)) {
    if (is_default_setting(sql)) {
      put(settings_, std::move(sql));
      continue;
    }
    const SqlLexemes lexemes(sql);
    const bool is_first = object.statements.empty();
    StatementRole role = is_first ? StatementRole::definition : StatementRole::property;
    if (is_owner_change(lexemes)) role = StatementRole::owner;
    if (is_privilege(lexemes)) role = StatementRole::privilege;
    if (is_first) {
      if (stores_something(entry.type, lexemes)) object.settings = settings_;
      if (entry.type == "TABLE" && is_partitioned(lexemes)) {
        std::erase_if(object.settings, [](const DefaultSetting& setting) { return setting.name == kAccessMethod; });
      }
      object.relation = relation_of(entry, lexemes);
      object.refers_to = referred_relation(entry.type, lexemes);
      object.makes_schema = made_schema(lexemes);
      if (entry.type == "PUBLICATION TABLE" || entry.type == "PUBLICATION TABLES IN SCHEMA")
        object.publication = publication_of(lexemes);
      if (entry.type == "INDEX ATTACH") object.refers_to = table_of(name_after(lexemes, {"INDEX"}));
      const std::optional<RelationName> part =
          object.relation ? part_of(entry.type, lexemes, *object.relation) : std::nullopt;
      if (part) tables_.insert_or_assign(*part, *object.relation);
    }
    // A grant by somebody else than the owner stands behind a SET.
    if (entry.type == "ACL" && !object.relation) object.relation = granted_relation(lexemes);
    object.is_of_large_object = object.is_of_large_object || is_on_large_object(entry.type, lexemes);
    object.statements.push_back({.role = role, .sql = std::move(sql)});
  }
  return object;
}

}  // namespace pana
