#include "command/restore_partitions.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <string_view>

#include "command/sql_names.h"
#include "sql/schema_names.h"
#include "sql/sql_lexer.h"

namespace pana {
namespace {

// ALTER INDEX whole ATTACH PARTITION part
struct IndexAttachment {
  std::optional<RelationName> whole;
  std::optional<RelationName> part;
};

IndexAttachment understand_attachment(const SchemaObject& object) {
  if (object.statements.empty()) return {};
  SqlLexemes lexemes(object.statements.front().sql);
  lexemes.skip({"ALTER", "INDEX"});
  IndexAttachment attachment{.whole = parse_relation_name(lexemes.qualified_name())};
  lexemes.skip({"ATTACH", "PARTITION"});
  attachment.part = parse_relation_name(lexemes.qualified_name());
  return attachment;
}

// An index's, or a constraint's, which has its name.
std::optional<RelationName> index_of(const SchemaObject& object) {
  if ((object.type != "INDEX" && object.type != "CONSTRAINT") || object.statements.empty()) return std::nullopt;
  SqlLexemes lexemes(object.statements.front().sql);
  if (object.type == "INDEX") {
    lexemes.skip({"CREATE"});
    lexemes.skip({"UNIQUE"});
    lexemes.skip({"INDEX"});
  } else {
    lexemes.skip({"ALTER", "TABLE"});
    lexemes.skip({"ONLY"});
    lexemes.qualified_name();
    lexemes.skip({"ADD", "CONSTRAINT"});
  }
  const std::optional<std::string> name = parse_simple_name(lexemes.qualified_name());
  return name ? std::optional(RelationName{.schema = object.relation->schema, .name = *name}) : std::nullopt;
}

// An object, and what is said of it.
using Group = std::vector<SchemaObject>;

std::vector<Group> grouped(std::vector<SchemaObject> objects) {
  std::vector<Group> groups;
  for (SchemaObject& object : objects) {
    const bool is_said_of_the_last = object.type == "COMMENT" || object.type == "SECURITY LABEL";
    if (groups.empty() || !is_said_of_the_last) groups.emplace_back();
    groups.back().push_back(std::move(object));
  }
  return groups;
}

bool is_of_indexes(const Group& group) {
  const std::string_view type = group.front().type;
  return type == "INDEX" || type == "CONSTRAINT" || type == "INDEX ATTACH";
}

// The indexes of these tables that are to become parts of others, those that are not, with their own parts, and all
// else.
struct Sorted {
  std::vector<Group> parts;
  std::vector<Group> apart;
  std::vector<Group> rest;
  std::size_t place = 0;  // of the parts, in the rest
};

Sorted sort_out(const std::set<RelationName>& tables, const std::map<RelationName, std::uint32_t>& wholes,
                std::vector<Group> groups) {
  Sorted sorted;
  std::set<RelationName> apart;
  for (Group& group : groups) {
    const SchemaObject& object = group.front();
    const std::optional<RelationName> index =
        object.relation && tables.contains(*object.relation) ? index_of(object) : std::nullopt;
    const std::optional<RelationName> whole =
        object.type == "INDEX ATTACH" ? understand_attachment(object).whole : std::nullopt;
    if (index && wholes.contains(*index)) {
      if (sorted.parts.empty()) sorted.place = sorted.rest.size();
      sorted.parts.push_back(std::move(group));
    } else if (index || (whole && apart.contains(*whole))) {
      if (index) apart.insert(*index);
      sorted.apart.push_back(std::move(group));
    } else {
      sorted.rest.push_back(std::move(group));
    }
  }
  // Of several that would do for an index, the server takes the oldest for the oldest.
  std::ranges::stable_sort(sorted.parts, {},
                           [&wholes](const Group& group) { return wholes.at(*index_of(group.front())); });
  return sorted;
}

// Zero: there is none.
std::uint32_t relation_id(Connection& connection, const RelationName& name) {
  return connection
      .query(fmt::format("SELECT coalesce(pg_catalog.to_regclass({})::pg_catalog.oid, 0)",
                         connection.quote_literal(sql_name(connection, name))))
      .oid(0, 0);
}

}  // namespace

bool has_relation(Connection& connection, const RelationName& name) { return relation_id(connection, name) != 0; }

void join_parents(Connection& connection, std::vector<SchemaObject> partitions, std::vector<SchemaObject> indexes,
                  std::vector<SchemaObject>& post_data) {
  std::set<RelationName> tables;
  for (const SchemaObject& partition : partitions) {
    if (partition.relation) tables.insert(*partition.relation);
  }
  std::map<RelationName, std::uint32_t> wholes;  // of parts
  std::vector<SchemaObject> joining = std::move(partitions);
  for (SchemaObject& index : indexes) {
    const IndexAttachment attachment = understand_attachment(index);
    if (!attachment.whole || !attachment.part) continue;
    const std::uint32_t whole = relation_id(connection, *attachment.whole);
    wholes.emplace(*attachment.part, whole);
    // A parent that has lost the index, or calls it differently, is the target's own affair.
    if (whole != 0) joining.push_back(std::move(index));
  }
  Sorted sorted = sort_out(tables, wholes, grouped(std::move(post_data)));
  std::vector<Group>& groups = sorted.rest;
  const auto insert = [&groups](auto place, std::vector<Group> more) {
    groups.insert(place, std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
  };
  insert(groups.begin() + static_cast<std::ptrdiff_t>(sorted.place), std::move(sorted.parts));
  sorted.apart.insert(sorted.apart.begin(), std::move(joining));
  insert(std::find_if(groups.rbegin(), groups.rend(), is_of_indexes).base(), std::move(sorted.apart));
  post_data.clear();
  for (Group& group : groups) std::ranges::move(group, std::back_inserter(post_data));
}

}  // namespace pana
