#include "command/restore_schema.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>

#include "command/sql_names.h"
#include "pg/transaction.h"

namespace pana {
namespace {

// Of what kinds the objects are that the step makes, for DefaultPrivileges. An extension makes what it likes; a range
// type brings functions along, an identity column a sequence.
std::string_view kinds_made_by(const SchemaStep& step) {
  if (std::ranges::none_of(step.statements, [](const SchemaStatement& statement) {
        return statement.role == StatementRole::definition;
      }))
    return {};
  const std::string_view type = step.object->type;
  if (type == "TABLE" || type == "VIEW" || type == "MATERIALIZED VIEW" || type == "FOREIGN TABLE") return "r";
  if (type == "FUNCTION" || type == "PROCEDURE" || type == "AGGREGATE") return "f";
  if (type == "TYPE" || type == "DOMAIN") return "Tf";
  if (type == "SEQUENCE") return "S";
  if (type == "SCHEMA") return "n";
  if (type == "BLOB") return "L";
  return type == "EXTENSION" ? "rSfTnL" : "";
}

// The one in which the step makes something. Nothing where that is not known: TOC comments have blanks for line ends.
std::optional<std::string> schema_of(const SchemaObject& object) {
  if (object.type == "EXTENSION" || object.type == "SCHEMA" || object.type == "BLOB") return std::nullopt;
  if (object.relation) return object.relation->schema;
  return object.schema.find(' ') == std::string::npos ? std::optional(object.schema) : std::nullopt;
}

// An event trigger of the target, say, has put what was made into the publication.
bool is_member_already(const SchemaObject& object, const DatabaseError& error) {
  constexpr std::string_view kDuplicateObject = "42710";
  return object.publication && error.sqlstate() == kDuplicateObject;
}

// Out and in again, with the columns and the rows that the backup says.
SchemaStep join_again(Connection& connection, const SchemaStep& step) {
  SchemaStep again = step;
  again.statements.insert(again.statements.begin(),
                          {.sql = fmt::format("ALTER PUBLICATION {} DROP TABLE ONLY {};",
                                              connection.quote_identifier(*step.object->publication),
                                              sql_name(connection, *step.object->relation))});
  return again;
}

// What of the object a statement of that role gives it, for messages.
std::string part_of(const std::string& subject, const SchemaObject& object, StatementRole role) {
  if (role == StatementRole::owner) return "the owner of " + subject;
  if (role == StatementRole::property) return "a setting of " + subject;
  return role == StatementRole::privilege && object.type != "ACL" ? "a right of " + subject : subject;
}

// What is left to do for an object that is there.
SchemaStep step_without_definition(const SchemaObject& object) {
  SchemaStep step{.object = &object};
  for (const SchemaStatement& statement : object.statements) {
    if (statement.role != StatementRole::definition) step.statements.push_back(statement);
  }
  return step;
}

// Whether something is restored in or for the schema public, which no entry makes.
bool uses_public(const RestoreSelection& selection) {
  const auto uses = [](const SchemaObject& object) {
    return object.schema == "public" ||
           (object.schema == "-" && (object.name == "public" || object.name == "SCHEMA public"));
  };
  return std::ranges::any_of(selection.pre_data, uses) || std::ranges::any_of(selection.post_data, uses);
}

// GRANT ... ON SCHEMA s TO ...; by the schema. Those by somebody else than the owner, which stand between a SET and a
// RESET SESSION AUTHORIZATION, are left out.
std::map<std::string, std::vector<std::string>> grants_on_schemas(const RestoreSelection& selection) {
  std::map<std::string, std::vector<std::string>> grants;
  for (const SchemaObject& object : selection.post_data) {
    bool is_owners = object.type == "ACL";
    for (const SchemaStatement& statement : object.statements) {
      SqlLexemes lexemes(statement.sql);
      if (lexemes.skip({"SET"}) || lexemes.skip({"RESET"})) is_owners = false;
      if (!is_owners || !lexemes.skip({"GRANT"})) continue;
      std::string_view lexeme = lexemes.next();
      while (!lexeme.empty() && !is_keyword(lexeme, "ON")) lexeme = lexemes.next();
      if (!lexemes.skip({"SCHEMA"})) break;
      const std::vector<std::string> name = parse_name(lexemes.qualified_name());
      if (name.size() == 1) grants[name[0]].push_back(statement.sql);
    }
  }
  return grants;
}

// As far as they go: their own entries come at the end, and tell what is refused.
void grant_early(Connection& connection, const std::vector<std::string>& grants) {
  for (const std::string& grant : grants) {
    try {
      connection.query(grant);
    } catch (const DatabaseError&) {
      if (!connection.is_alive()) throw;
    }
  }
  connection.take_refused_grants();
}

}  // namespace

std::string set_local(const DefaultSetting& setting) { return "SET LOCAL" + setting.sql.substr(3) + "\n"; }

SchemaStep whole_step(const SchemaObject& object) { return {.object = &object, .statements = object.statements}; }

bool is_comment_of_extension(const SchemaObject& object) {
  return object.type == "COMMENT" && object.name.starts_with("EXTENSION ");
}

std::string create_schema_sql(Connection& connection, const std::string& name) {
  std::string sql = fmt::format("CREATE SCHEMA IF NOT EXISTS {};", connection.quote_identifier(name));
  if (name != "public") return sql;
  sql += "COMMENT ON SCHEMA public IS 'standard public schema';";
  return sql + (connection.server_version() >= 150000
                    ? "GRANT USAGE ON SCHEMA public TO PUBLIC; ALTER SCHEMA public OWNER TO pg_database_owner;"
                    : "GRANT ALL ON SCHEMA public TO PUBLIC;");
}

std::set<std::string> existing_schemas(Connection& connection, const std::set<std::string>& names) {
  std::vector<std::string> literals;
  for (const std::string& name : names) literals.push_back(connection.quote_literal(name));
  const QueryResult found =
      connection.query(fmt::format("SELECT name FROM pg_catalog.unnest(ARRAY[{}]::text[]) AS name "
                                   "WHERE EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = name)",
                                   fmt::join(literals, ", ")));
  std::set<std::string> existing;
  for (int row = 0; row < found.rows(); ++row) existing.insert(found.string(row, 0));
  return existing;
}

std::set<std::string> schemas_of_target(Connection& connection, const RestoreSelection& selection) {
  std::set<std::string> names = {"public"};
  for (const SchemaObject& object : selection.pre_data) {
    if (object.relation) names.insert(object.relation->schema);
    if (object.makes_schema) names.insert(*object.makes_schema);
    if (object.schema != "-" && !object.schema.empty()) names.insert(object.schema);
  }
  return existing_schemas(connection, names);
}

void for_pre_data(const RestoreSelection& selection, const std::set<std::string>& existing, const PreDataSteps& steps) {
  std::set<std::string> made = existing;
  for (const SchemaObject& object : selection.pre_data) {
    if (object.makes_schema) made.insert(*object.makes_schema);
  }
  const std::map<std::string, std::vector<std::string>> grants = grants_on_schemas(selection);
  const auto grant_early = [&](const std::string& schema) {
    if (const auto found = grants.find(schema); found != grants.end()) steps.grant_early(found->second);
  };
  if (uses_public(selection) && made.insert("public").second) steps.make_schema("public");
  const auto is_of_public = [](const SchemaObject& object) {
    return object.type == "SCHEMA" && object.name == "public";
  };
  if (std::ranges::none_of(selection.pre_data, is_of_public)) grant_early("public");
  for (const SchemaObject& object : selection.pre_data) {
    // Not before its turn: an extension may make the schema.
    const bool needs_schema = object.relation && (object.type == "TABLE" || object.type == "SEQUENCE");
    if (needs_schema && made.insert(object.relation->schema).second) steps.make_schema(object.relation->schema);
    steps.make(object);
    if (object.makes_schema || is_of_public(object)) grant_early(object.makes_schema.value_or("public"));
  }
}

std::string subject_of(const SchemaObject& object) {
  const bool schema_helps = object.schema != "-" && !object.schema.empty();
  return object.type + " " + (schema_helps ? object.schema + "." : "") + object.name;
}

void SchemaRunner::run(Connection& connection, const SchemaStep& step) {
  if (step.statements.empty() || has_failed(*step.object)) return;
  const std::string subject = subject_of(*step.object);
  progress_.set_activity(subject);
  if (is_of_something_not_made(*step.object)) {
    errors_.take_consequence(
        subject, "the server refused what it belongs to, and pana leaves another object of that name alone");
    leave_out(*step.object);
    return;
  }
  errors_.attempt(subject, connection, [&] {
    try {
      run_whole(connection, step);
    } catch (const DatabaseError& error) {
      if (!connection.is_alive()) throw;
      if (is_comment_of_extension(*step.object) && error.sqlstate() == kInsufficientPrivilege) {
        log(LogLevel::warning, "extension_comment",
            fmt::format("cannot restore {}, which came with the extension: {}", subject, error.what()));
        return;
      }
      if (is_member_already(*step.object, error)) {
        const std::optional<RelationName>& table = step.object->relation;  // none: a schema, with all that is in it
        if (!table) return;
        return run_whole(connection, join_again(connection, step));
      }
      if (!errors_.collects(error)) throw;
      if (run_by_statements(connection, step, subject)) return;
      leave_out(*step.object);
    }
  });
  tell_refused_grants(connection, subject);
}

void SchemaRunner::leave_out(const SchemaObject& object) {
  failed_.with([&object](auto& failed) { failed.insert(&object); });
  not_made_.with([&object](NotMade& not_made) { not_made.add(object); });
}

bool SchemaRunner::is_of_something_not_made(const SchemaObject& object) {
  return not_made_.with([&object](const NotMade& not_made) { return not_made.is_of_one(object); });
}

// Steps that lock tables in common are not run side by side as far as that is known; the server ends one of two that
// wait for each other all the same. And somebody else may change the default privileges that are set aside.
bool SchemaRunner::is_of_the_moment(const DatabaseError& error) {
  constexpr std::string_view kDeadlock = "40P01";
  constexpr std::string_view kInternalError = "XX000";
  return error.sqlstate() == kDeadlock ||
         (error.sqlstate() == kInternalError && std::string_view(error.what()).starts_with("tuple concurrently "));
}

void SchemaRunner::run_whole(Connection& connection, const SchemaStep& step) const {
  const DefaultPrivileges::Aside aside = default_privileges_.aside(kinds_made_by(step), schema_of(*step.object));
  // Several statements in one query are one transaction, and what is LOCAL ends with it.
  std::string sql = step.single_process ? "SET LOCAL max_parallel_maintenance_workers = 0;\n" : "";
  for (const DefaultSetting& setting : step.object->settings) sql += set_local(setting);
  sql += aside.before;
  for (const SchemaStatement& statement : step.statements) sql += statement.sql + "\n";
  sql += aside.behind;
  for (int attempt = 1;; ++attempt) {
    try {
      connection.query(sql);
      return;
    } catch (const DatabaseError& error) {
      if (!is_of_the_moment(error) || attempt == kAttempts || !connection.is_alive()) throw;
    }
  }
}

// Returns whether the definition was run, or there was none.
bool SchemaRunner::run_by_statements(Connection& connection, const SchemaStep& step, const std::string& subject) {
  const DefaultPrivileges::Aside aside = default_privileges_.aside(kinds_made_by(step), schema_of(*step.object));
  for (int attempt = 1;; ++attempt) {
    try {
      connection.query("BEGIN;\n" + aside.before);
      break;
    } catch (const DatabaseError& error) {
      if (!connection.is_alive()) throw;
      connection.query("ROLLBACK");
      if (!is_of_the_moment(error) || attempt == kAttempts) throw;
    }
  }
  const auto run_part = [&](const std::string& part, const std::string& sql) {
    const std::optional<DatabaseError> refusal = try_in_savepoint(connection, sql);
    if (refusal) errors_.take_definition(part, *refusal);
    return !refusal;
  };
  for (const DefaultSetting& setting : step.object->settings) run_part("a setting of " + subject, set_local(setting));
  bool is_made = true;
  for (const SchemaStatement& statement : step.statements) {
    is_made = run_part(part_of(subject, *step.object, statement.role), statement.sql) ||
              statement.role != StatementRole::definition;
    if (!is_made) break;
  }
  connection.query(is_made ? aside.behind + "COMMIT" : "ROLLBACK");
  return is_made;
}

void SchemaRunner::tell_refused_grants(Connection& connection, const std::string& subject) {
  for (const std::string& refused : connection.take_refused_grants()) {
    errors_.take_right(fmt::format("{} is not restored as it was: {}", subject, refused));
  }
}

void SchemaRunner::run_together(Connection& connection, const std::vector<SchemaObject>& objects) {
  if (objects.empty()) return;
  progress_.set_activity(subject_of(objects.front()));
  std::string kinds;
  std::string sql;
  for (const SchemaObject& object : objects) {
    const SchemaStep step = whole_step(object);
    kinds += kinds_made_by(step);
    for (const SchemaStatement& statement : step.statements) sql += statement.sql + "\n";
  }
  const DefaultPrivileges::Aside aside = default_privileges_.aside(kinds, std::nullopt);
  try {
    connection.query(aside.before + sql + aside.behind);
    tell_refused_grants(connection,
                        fmt::format("one of {} to {}", subject_of(objects.front()), subject_of(objects.back())));
    return;
  } catch (const DatabaseError&) {
    if (!connection.is_alive()) throw;
  }
  for (const SchemaObject& object : objects) run(connection, whole_step(object));
  failed_.with([&](auto& failed) {
    for (const SchemaObject& object : objects) failed.erase(&object);  // others come to lie where these were
  });
}

void SchemaRunner::create_schema(Connection& connection, const std::string& name) {
  own_.push_back({.type = "SCHEMA", .name = name, .schema = "-"});
  run(connection, {.object = &own_.back(), .statements = {{.sql = create_schema_sql(connection, name)}}});
}

void run_pre_data(Connection& connection, const RestoreSelection& selection, SchemaRunner& runner) {
  const std::set<std::string> existing = schemas_of_target(connection, selection);
  for_pre_data(selection, existing,
               {.make_schema = [&](const std::string& name) { runner.create_schema(connection, name); },
                .make =
                    [&](const SchemaObject& object) {
                      const bool is_there = object.makes_schema && existing.contains(*object.makes_schema);
                      runner.run(connection, is_there ? step_without_definition(object) : whole_step(object));
                    },
                .grant_early = [&](const std::vector<std::string>& grants) { grant_early(connection, grants); }});
}

}  // namespace pana
