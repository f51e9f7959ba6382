#include "command/restore_publications.h"

#include <fmt/format.h>

#include <map>
#include <string>

#include "base/log.h"
#include "command/restore_partitions.h"
#include "command/restore_schema.h"
#include "sql/sql_lexer.h"

namespace pana {
namespace {

// ALTER PUBLICATION p ADD TABLES IN SCHEMA s
std::string published_schema(const SchemaObject& object) {
  if (object.statements.empty()) return {};
  SqlLexemes lexemes(object.statements.front().sql);
  lexemes.skip({"ALTER", "PUBLICATION"});
  lexemes.qualified_name();
  lexemes.skip({"ADD", "TABLES", "IN", "SCHEMA"});
  return parse_simple_name(lexemes.qualified_name()).value_or("");
}

// A schema that is there is not dropped for a choice of parts, and is in its publication still.
bool is_schema_in_its_publication(Connection& connection, const SchemaObject& object) {
  constexpr int kFirstWithSchemas = 150000;
  if (object.type != "PUBLICATION TABLES IN SCHEMA" || connection.server_version() < kFirstWithSchemas) return false;
  const std::string schema = published_schema(object);
  return connection
             .query(fmt::format(
                 "SELECT FROM pg_catalog.pg_publication_namespace AS m JOIN pg_catalog.pg_publication AS p ON p.oid = "
                 "m.pnpubid "
                 "JOIN pg_catalog.pg_namespace AS n ON n.oid = m.pnnspid WHERE p.pubname = {} AND n.nspname = {}",
                 connection.quote_literal(*object.publication), connection.quote_literal(schema)))
             .rows() > 0;
}

}  // namespace

bool stays_in_its_publication(Connection& connection, const SchemaObject& object) {
  if (!object.publication) return false;
  return object.relation ? has_relation(connection, *object.relation)
                         : !existing_schemas(connection, {published_schema(object)}).empty();
}

void leave_publications_out(Connection& connection, std::vector<SchemaObject>& post_data) {
  std::map<std::string, bool> is_there;
  const auto lacks = [&](const std::string& publication) {
    const auto [found, is_new] = is_there.try_emplace(publication);
    if (!is_new) return !found->second;
    found->second =
        connection
            .query("SELECT FROM pg_catalog.pg_publication WHERE pubname = " + connection.quote_literal(publication))
            .rows() > 0;
    if (!found->second) {
      log(LogLevel::warning, "publication_left_out",
          fmt::format(
              "the chosen tables do not join the publication {}: the target lacks it, and a restore of parts does "
              "not create it",
              publication));
    }
    return !found->second;
  };
  std::erase_if(post_data,
                [&](const SchemaObject& object) { return object.publication && lacks(*object.publication); });
  std::erase_if(post_data,
                [&connection](const SchemaObject& object) { return is_schema_in_its_publication(connection, object); });
}

}  // namespace pana
