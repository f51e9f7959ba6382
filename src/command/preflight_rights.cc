#include "command/preflight_rights.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>
#include <set>

#include "base/log.h"
#include "command/restore_schema.h"
#include "command/sql_names.h"
#include "pg/session.h"
#include "sql/role_names.h"
#include "sql/schema_names.h"
#include "sql/sql_lexer.h"

namespace pana {
namespace {

// Whether the keywords stand in a statement outside of parentheses and strings, and before the body of a function.
bool has_clause(std::string_view sql, std::initializer_list<std::string_view> keywords) {
  int depth = 0;
  for (SqlLexemes lexemes(sql);;) {
    if (SqlLexemes ahead = lexemes; depth == 0 && ahead.skip(keywords)) return true;
    const std::string_view lexeme = lexemes.next();
    if (lexeme.empty() || (depth == 0 && (is_keyword(lexeme, "BEGIN") || is_keyword(lexeme, "RETURN")))) return false;
    if (lexeme == "(") ++depth;
    if (lexeme == ")") --depth;
  }
}

// What only a superuser can make, whatever rights are granted.
bool needs_superuser(const SchemaObject& object) {
  constexpr std::array kTypes = {"ACCESS METHOD",  "EVENT TRIGGER",   "FOREIGN DATA WRAPPER",
                                 "OPERATOR CLASS", "OPERATOR FAMILY", "PUBLICATION TABLES IN SCHEMA",
                                 "TRANSFORM"};
  if (std::ranges::find(kTypes, object.type) != kTypes.end()) return true;
  if (object.statements.empty() || object.statements.front().role != StatementRole::definition) return false;
  const std::string& sql = object.statements.front().sql;
  if (object.type == "FUNCTION" || object.type == "PROCEDURE") {
    return has_clause(sql, {"LANGUAGE", "C"}) || has_clause(sql, {"LANGUAGE", "INTERNAL"}) ||
           has_clause(sql, {"LEAKPROOF"});
  }
  if (object.type == "PUBLICATION") return has_clause(sql, {"FOR", "ALL", "TABLES"});
  if (object.type == "CAST") return has_clause(sql, {"WITHOUT", "FUNCTION"});
  return object.type == "TYPE" && sql.find("INTERNALLENGTH = ") != std::string::npos;
}

// What the restore makes and the target lacks, of the kinds that need CREATE on the database.
std::vector<std::string> made_in_database(Connection& connection, const RestoreSelection& selection) {
  std::set<std::string> schemas;
  std::vector<std::string> made;
  for (const SchemaObject& object : selection.pre_data) {
    if (object.makes_schema) schemas.insert(*object.makes_schema);
    if (object.relation) schemas.insert(object.relation->schema);
    if (object.type == "EXTENSION" && !has_named(connection, "pg_extension", "extname", object.name))
      made.push_back("extension " + object.name);
  }
  for (const SchemaObject& object : selection.post_data) {
    if (object.type == "PUBLICATION") made.push_back("publication " + object.name);
  }
  for (const std::string& schema : schemas) {
    if (!has_named(connection, "pg_namespace", "nspname", schema)) made.push_back("schema " + schema);
  }
  return made;
}

// The option that leaves such an object out; empty where there is none.
std::string way_without(const SchemaObject& object) {
  const std::string_view type = object.type;
  if (type.starts_with("PUBLICATION")) return "--no-publications restores without publications";
  if (type == "SUBSCRIPTION") return "--no-subscriptions restores without subscriptions";
  if (type == "EXTENSION")
    return "have a superuser create the extension first, or leave it out with --exclude-extension";
  if (type == "COMMENT") return "--no-comments restores without comments";
  if (type == "SECURITY LABEL") return "--no-security-labels restores without security labels";
  return {};
}

// Whoever is to own an object must be able to create one where it stands; whoever makes it, too. In a schema that the
// restore makes nobody has that right before, and nothing can be granted.
std::optional<std::string> grant_that_helps(Connection& connection, const Refusal& refusal) {
  const bool is_of_owner = refusal.what == StatementRole::owner;
  if (refusal.what == StatementRole::privilege) return std::nullopt;
  const bool is_of_schema =
      refusal.object->type == "SCHEMA";  // the new owner needs no right, but whoever gives it away
  const bool is_of_database = is_of_schema || refusal.object->type.starts_with("PUBLICATION");
  if (!is_of_database && !refusal.kept_schema) return std::nullopt;
  const std::string role = is_of_owner && !is_of_schema ? connection.quote_literal(refusal.owner) : "current_user";
  const std::string schema = is_of_database ? "" : connection.quote_literal(*refusal.kept_schema);
  const std::string place = is_of_database ? "'DATABASE ' || pg_catalog.quote_ident(pg_catalog.current_database())"
                                           : fmt::format("'SCHEMA ' || pg_catalog.quote_ident({})", schema);
  const std::string privilege = is_of_database ? "database_privilege(r.oid, pg_catalog.current_database(), 'CREATE')"
                                               : fmt::format("schema_privilege(r.oid, {}, 'CREATE')", schema);
  const QueryResult found =
      connection.query(fmt::format("SELECT {}, pg_catalog.quote_ident(r.rolname) FROM pg_catalog.pg_roles AS r WHERE "
                                   "r.rolname = {} AND NOT pg_catalog.has_{}",
                                   place, role, privilege));
  if (found.rows() == 0) return std::nullopt;  // it is yet to be made, or has the right
  return fmt::format("GRANT CREATE ON {} TO {}", found.text(0, 0), found.text(0, 1));
}

}  // namespace

void Problems::refuse() const {
  if (messages.empty()) return;
  throw Error(ErrorKind::refused, fmt::format("{}", fmt::join(messages, "; ")),
              fmt::format("{}", fmt::join(hints, "; ")));
}

std::string list_names(const std::vector<std::string>& names) {
  constexpr std::size_t kNamesShown = 10;
  const std::size_t shown = std::min(names.size(), kNamesShown);
  std::string text =
      fmt::format("{}", fmt::join(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(shown), ", "));
  if (names.size() > shown) text += fmt::format(" and {} more", names.size() - shown);
  return text;
}

bool has_named(Connection& connection, std::string_view catalog, std::string_view column, const std::string& name) {
  return connection
             .query(fmt::format("SELECT FROM pg_catalog.{} WHERE {} = {}", catalog, column,
                                connection.quote_literal(name)))
             .rows() > 0;
}

std::set<std::string> roles_of_policies(const RestoreSelection& selection, const ScriptNames& names) {
  NamedRoles roles;
  for (const std::vector<SchemaObject>* const objects : {&selection.pre_data, &selection.post_data}) {
    for (const SchemaObject& object : *objects) {
      if (object.type == "POLICY" || object.type == "USER MAPPING") note_roles(object, names, roles);
    }
  }
  std::set<std::string> of_policies;
  for (const auto& role : roles) of_policies.insert(role.first);
  return of_policies;
}

std::vector<std::string> check_roles(Connection& connection, const RestoreRequest& request, const Index& index,
                                     const NamedRoles& named, const std::set<std::string>& of_policies,
                                     Problems& problems) {
  RolesInUse roles = look_at_roles(connection, index.header, named);
  if (!roles.missing.empty() && (request.create_missing_roles || request.globals)) {
    const bool may =
        connection.query("SELECT rolsuper OR rolcreaterole FROM pg_catalog.pg_roles WHERE rolname = current_user")
            .boolean(0, 0);
    if (!may)
      problems.add(fmt::format("the restoring role may not create the roles {}", list_names(roles.missing)),
                   "it needs CREATEROLE; or --role-map puts other roles in their place");
  } else if (!roles.missing.empty()) {
    std::vector<std::string> needed;
    for (const std::string& role : of_policies) {
      const std::string name = sql_text(index.header, role);
      if (std::ranges::find(roles.missing, name) != roles.missing.end()) needed.push_back(name);
    }
    const std::string made = index.globals ? "--globals creates them as they were, --create-missing-roles without login"
                                           : "--create-missing-roles creates them without login";
    problems.add(fmt::format("the target lacks the roles {}", list_names(roles.missing)),
                 needed.empty() ? made + "; --no-owner and --no-privileges do without them"
                                : fmt::format("{}; --role-map OLD=NEW uses others instead; policies or user "
                                              "mappings need {} even with --no-owner and --no-privileges",
                                              made, list_names(needed)));
  }
  if (!roles.foreign.empty()) {
    problems.add(
        fmt::format("the restoring role may not SET ROLE to the roles {}, which own objects",
                    list_names(roles.foreign)),
        fmt::format(
            "GRANT these roles to the restoring one{}, map them to it with --role-map OLD=NEW, or use --no-owner",
            connection.server_version() >= 160000 ? " WITH SET TRUE" : ""));
  }
  return std::move(roles.missing);
}

void check_superuser(Connection& connection, const RestoreSelection& selection, Problems& problems) {
  if (is_superuser(connection)) return;
  std::vector<std::string> names;
  std::set<std::string> ways_around;
  const auto note = [&](const SchemaObject& object) {
    names.push_back(subject_of(object));
    ways_around.insert(way_without(object));
  };
  for (const std::vector<SchemaObject>* const objects : {&selection.pre_data, &selection.post_data}) {
    for (const SchemaObject& object : *objects) {
      if (needs_superuser(object) || (object.type == "SUBSCRIPTION" && connection.server_version() < 160000))
        note(object);
    }
  }
  for (const SchemaObject& object : selection.pre_data) {
    if (object.type != "EXTENSION" || has_named(connection, "pg_extension", "extname", object.name)) continue;
    const QueryResult found =
        connection.query(fmt::format("SELECT pg_catalog.bool_or(trusted OR NOT superuser) FROM "
                                     "pg_catalog.pg_available_extension_versions WHERE name = {}",
                                     connection.quote_literal(object.name)));
    if (!found.is_null(0, 0) && !found.boolean(0, 0)) note(object);
  }
  if (names.empty()) return;
  // Platforms have roles that may do more than PostgreSQL itself would let them.
  const bool is_platform = connection
                               .query(
                                   "SELECT pg_catalog.current_setting('supautils.privileged_role', true) IS NOT NULL "
                                   "OR EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname IN "
                                   "('supabase_admin', 'rds_superuser', 'rdsadmin', 'cloudsqlsuperuser', "
                                   "'alloydbsuperuser', 'azure_pg_admin', 'neon_superuser', 'doadmin'))")
                               .boolean(0, 0);
  if (is_platform) {
    log(LogLevel::warning, "superuser",
        fmt::format("PostgreSQL lets only a superuser create {}; this platform may allow it, so pana tries",
                    list_names(names)));
    return;
  }
  std::string hint = "restore as a superuser";
  for (const std::string& way : ways_around) {
    if (!way.empty()) hint += "; " + way;
  }
  problems.add(fmt::format("only a superuser can make {}", list_names(names)),
               hint + "; --keep-going restores the rest");
}

bool has_owner_without_superuser(Connection& connection, const RestoreSelection& selection) {
  constexpr std::array kTypes = {"EVENT TRIGGER", "FOREIGN DATA WRAPPER", "SUBSCRIPTION"};
  for (const std::vector<SchemaObject>* const objects : {&selection.pre_data, &selection.post_data}) {
    for (const SchemaObject& object : *objects) {
      if (std::ranges::find(kTypes, object.type) == kTypes.end()) continue;
      for (const SchemaStatement& statement : object.statements) {
        if (statement.role != StatementRole::owner) continue;
        const std::string owner = parse_simple_name(role_names_in(object, statement).front()).value_or("");
        if (connection
                .query(fmt::format("SELECT FROM pg_catalog.pg_roles WHERE rolsuper AND rolname = {}",
                                   connection.quote_literal(owner)))
                .rows() == 0)
          return true;
      }
    }
  }
  return false;
}

void check_rights(Connection& connection, const RestoreSelection& selection, Problems& problems) {
  if (connection.query("SELECT pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE')")
          .boolean(0, 0))
    return;
  const std::vector<std::string> made = made_in_database(connection, selection);
  if (made.empty()) return;
  problems.add(fmt::format("the role may not create in the target database: {}", list_names(made)),
               "GRANT CREATE ON DATABASE to it, or use another role");
}

void check_loading(Connection& connection, const Index& index, const RestoreSelection& selection, Problems& problems) {
  std::vector<std::string> names;
  for (const TableInfo* const table : selection.tables) {
    if (table->id == kLargeObjects || table->content.rows == 0) continue;
    names.push_back(connection.quote_literal(sql_name_of_load(connection, index.header, *table)));
  }
  const QueryResult found = connection.query(
      fmt::format("SELECT t.oid::pg_catalog.regclass::text, pg_catalog.row_security_active(t.oid), EXISTS (SELECT FROM "
                  "pg_catalog.pg_attribute AS a "
                  "WHERE a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' AND NOT "
                  "pg_catalog.has_column_privilege(t.oid, a.attnum, 'INSERT')) "
                  "FROM (SELECT DISTINCT pg_catalog.to_regclass(name)::pg_catalog.oid AS oid FROM "
                  "pg_catalog.unnest(ARRAY[{}]::text[]) AS name) AS t "
                  "WHERE t.oid IS NOT NULL ORDER BY 1",
                  fmt::join(names, ", ")));
  std::vector<std::string> secured;
  std::vector<std::string> closed;
  for (int row = 0; row < found.rows(); ++row) {
    if (found.boolean(row, 1)) secured.push_back(found.string(row, 0));
    if (found.boolean(row, 2)) closed.push_back(found.string(row, 0));
  }
  if (!secured.empty()) {
    problems.add(
        fmt::format(
            "row level security applies to the restoring role in the tables {}, and PostgreSQL then refuses COPY FROM",
            list_names(secured)),
        "restore as a superuser or a role with BYPASSRLS; or as the owner, after ALTER TABLE ... NO FORCE ROW LEVEL "
        "SECURITY for the time of the restore");
  }
  if (!closed.empty()) {
    problems.add(fmt::format("the role may not load rows into the tables {}", list_names(closed)),
                 "GRANT INSERT on them to it, or restore as their owner");
  }
}

void check_sequences_and_views(Connection& connection, const RestoreSelection& selection, Problems& problems) {
  std::vector<std::string> missing;
  std::vector<std::string> closed;
  // What is asked of the relation `name` as c.
  const auto look = [&](const RelationName& relation, char relkind, std::string_view may) {
    const QueryResult found = connection.query(fmt::format(
        "SELECT {} FROM pg_catalog.pg_class AS c WHERE c.oid = pg_catalog.to_regclass({}) AND c.relkind = '{}'", may,
        connection.quote_literal(sql_name(connection, relation)), relkind));
    const char* const kind = relkind == 'S' ? "sequence" : "materialized view";
    if (found.rows() > 0 && found.boolean(0, 0)) return;
    (found.rows() == 0 ? missing : closed).push_back(fmt::format("{} {}.{}", kind, relation.schema, relation.name));
  };
  for (const SequenceValue& value : selection.sequence_values) {
    if (value.sequence) look(*value.sequence, 'S', "pg_catalog.has_sequence_privilege(c.oid, 'UPDATE')");
  }
  for (const SchemaObject& object : selection.post_data) {
    if (object.type != "MATERIALIZED VIEW DATA" || !object.relation) continue;
    look(*object.relation, 'm',
         connection.server_version() >= 170000 ? "pg_catalog.has_table_privilege(c.oid, 'MAINTAIN')"
                                               : "pg_catalog.pg_has_role(c.relowner, 'USAGE')");
  }
  if (!missing.empty())
    problems.add(fmt::format("the target lacks {}", list_names(missing)),
                 "restore them with their definition: leave --data-only out; or leave materialized views out with -T");
  if (!closed.empty())
    problems.add(fmt::format("the role may not fill {}", list_names(closed)),
                 "restore as their owner, or GRANT UPDATE on the sequences to the role");
}

void add_refusals(Connection& connection, const RestoreRequest& request, const std::vector<Refusal>& refusals,
                  Problems& problems) {
  if (refusals.empty()) return;
  std::vector<std::string> names;
  std::vector<std::string> owned;  // which could be made, but not given away
  std::set<std::string> grants;
  std::set<std::string> mappings;
  std::set<std::string> ways_around;
  for (const Refusal& refusal : refusals) {
    const bool is_owners = refusal.what == StatementRole::owner;
    (is_owners ? owned : names)
        .push_back(fmt::format("{}{} ({})", subject_of(*refusal.object), is_owners ? " to " + refusal.owner : "",
                               refusal.why));
    if (const std::optional<std::string> grant = grant_that_helps(connection, refusal)) grants.insert(*grant);
    if (refusal.what == StatementRole::owner) {
      std::string owner = refusal.owner;
      for (const auto& [old, mapped] : request.role_map) {
        if (mapped == refusal.owner) owner = old;
      }
      mappings.insert(fmt::format("--role-map {}=OTHER", owner));
    } else if (refusal.what == StatementRole::privilege) {
      ways_around.insert("--no-privileges restores without grants");
    } else {
      ways_around.insert(way_without(*refusal.object));
    }
  }
  std::vector<std::string> hints;
  if (!grants.empty()) hints.push_back(list_names({grants.begin(), grants.end()}));
  if (!mappings.empty())
    hints.push_back(
        fmt::format("--no-owner does without owners, {} with others", list_names({mappings.begin(), mappings.end()})));
  std::ranges::copy_if(ways_around, std::back_inserter(hints), [](const std::string& way) { return !way.empty(); });
  const bool is_super = is_superuser(connection);
  hints.emplace_back(
      is_super ? "make the owner a superuser with ALTER ROLE, or create missing roles as they were with --globals"
               : "a superuser may restore all of it, and --keep-going restores what this role may");
  std::vector<std::string> messages;
  if (!names.empty())
    messages.push_back(fmt::format("{} {}", is_super ? "the target refuses" : "the restoring role lacks the rights for",
                                   list_names(names)));
  if (!owned.empty()) messages.push_back("the restoring role cannot give " + list_names(owned));
  problems.add(fmt::format("{}", fmt::join(messages, "; ")), fmt::format("{}", fmt::join(hints, "; or ")));
}

}  // namespace pana
