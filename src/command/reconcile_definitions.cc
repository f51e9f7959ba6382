// Of a Reconciliation: what is made otherwise than the backup has it.
#include <fmt/format.h>

#include "command/platform.h"
#include "command/reconcile.h"
#include "sql/sql_lexer.h"

namespace pana {

std::optional<RelationName> function_of_trigger(const SchemaObject& trigger) {
  if (trigger.statements.empty()) return std::nullopt;
  SqlLexemes lexemes(trigger.statements.front().sql);
  for (std::string_view lexeme = lexemes.next(); !lexeme.empty(); lexeme = lexemes.next()) {
    if (!is_keyword(lexeme, "EXECUTE")) continue;
    if (!lexemes.skip({"FUNCTION"}) && !lexemes.skip({"PROCEDURE"})) return std::nullopt;
    const std::string_view name = lexemes.qualified_name();
    std::optional<RelationName> qualified = parse_relation_name(name);
    if (qualified) return qualified;
    const std::optional<std::string> simple = parse_simple_name(name);
    return simple ? std::optional(RelationName{.schema = "pg_catalog", .name = *simple}) : std::nullopt;
  }
  return std::nullopt;
}

// They call the old project's functions, most likely, with its keys.
std::optional<std::string> webhook_switch(Connection& connection, const SchemaObject& trigger) {
  const std::optional<RelationName> function = trigger.type == "TRIGGER" ? function_of_trigger(trigger) : std::nullopt;
  if (!function || !trigger.relation || !is_webhook(*function) || trigger.statements.size() > 1) return std::nullopt;
  SqlLexemes lexemes(trigger.statements.front().sql);
  lexemes.skip({"CREATE"});
  lexemes.skip({"CONSTRAINT"});
  if (!lexemes.skip({"TRIGGER"})) return std::nullopt;
  return fmt::format("ALTER TABLE {} DISABLE TRIGGER {};", sql_name(connection, *trigger.relation), lexemes.next());
}

void Reconciliation::switch_webhook_off(SchemaObject& trigger) {
  std::optional<std::string> off = webhook_switch(connection_, trigger);
  if (!off) return;
  std::string on = *off;
  on.replace(on.find(" DISABLE TRIGGER "), std::string_view(" DISABLE").size(), " ENABLE");
  report_.by_hand.push_back("a webhook that is switched off: " + on);
  trigger.statements.push_back({.role = StatementRole::property, .sql = std::move(*off)});
}

// A restore that was stopped has built the index of a key and not yet made it the key's: the key then takes it.
void Reconciliation::take_built_index(SchemaObject& constraint) {
  if (constraint.type != "CONSTRAINT" || !constraint.relation) return;
  const auto table = relations_.find(names_.unicode(*constraint.relation));
  if (table == relations_.end()) return;
  const auto known = constraint_indexes_.find(constraint.object_id);
  if (known == constraint_indexes_.end()) return;
  const QueryResult found = connection_.query(
      fmt::format("SELECT i.indexrelid::text FROM pg_catalog.pg_index AS i WHERE i.indrelid = {} AND i.indisvalid AND "
                  "pg_catalog.pg_get_indexdef(i.indexrelid) = {} AND NOT EXISTS (SELECT FROM "
                  "pg_catalog.pg_constraint AS c WHERE c.conindid = i.indexrelid AND c.contype IN ('p', 'u', 'x'))",
                  table->second->id.oid, connection_.quote_literal(known->second->create_index)));
  if (found.rows() == 0) return;
  for (SchemaStatement& statement : constraint.statements) {
    if (statement.role == StatementRole::definition) statement.sql = known->second->add_constraint + ";";
  }
  built_indexes_.insert({.catalog = kRelationCatalog, .oid = found.oid(0, 0)});
}

}  // namespace pana
