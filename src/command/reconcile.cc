#include "command/reconcile.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <optional>

#include "command/not_made.h"
#include "command/object_identities.h"
#include "command/platform.h"
#include "command/restore_schema.h"
#include "pg/text_array.h"
#include "sql/named_object.h"
#include "sql/sql_lexer.h"

namespace pana {
namespace {

constexpr std::string_view kSchema = "schema";

bool is_any_of(std::string_view type, std::initializer_list<std::string_view> types) {
  return std::ranges::find(types, type) != types.end();
}

bool is_said_of_the_entry_before(const SchemaObject& object) {
  return object.type == "COMMENT" || object.type == "SECURITY LABEL";
}

bool makes_relation_itself(const SchemaObject& object) {
  return is_any_of(object.type, {"TABLE", "VIEW", "MATERIALIZED VIEW", "FOREIGN TABLE"}) ||
         (object.type == "SEQUENCE" && !object.refers_to);
}

// public.note_change of EXECUTE FUNCTION public.note_change('a')
std::optional<RelationName> function_of_trigger(const SchemaObject& trigger) {
  if (trigger.statements.empty()) return std::nullopt;
  SqlLexemes lexemes(trigger.statements.front().sql);
  for (std::string_view lexeme = lexemes.next(); !lexeme.empty(); lexeme = lexemes.next()) {
    if (!is_keyword(lexeme, "EXECUTE")) continue;
    if (lexemes.skip({"FUNCTION"}) || lexemes.skip({"PROCEDURE"})) return parse_relation_name(lexemes.qualified_name());
  }
  return std::nullopt;
}

// Rights on what every PostgreSQL has.
bool is_of_server(const SchemaObject& acl) {
  if (acl.relation) return acl.relation->schema == "pg_catalog" || acl.relation->schema == "information_schema";
  return std::ranges::any_of(acl.statements, [](const SchemaStatement& statement) {
    const std::optional<NamedObject> named = described_object(statement.sql);
    return named && (named->schema == "pg_catalog" || named->schema == "information_schema");
  });
}

std::string function_name(const ObjectAddress& address) {
  return address.names.size() == 2 ? address.names[0] + "." + address.names[1] : "";
}

// The rule that makes a view of a relation.
bool is_query_of_view(const ObjectAddress& address) {
  return address.type == "rule" && address.names.back() == "_RETURN";
}

bool is_routine(const ObjectAddress& address) {
  return is_any_of(address.type, {"function", "procedure", "aggregate"});
}

}  // namespace

Json ReconcileReport::json() const {
  return {{"made", made},
          {"compared", compared},
          {"rights_changed", rights_changed},
          {"different", different},
          {"only_here", only_here},
          {"left_to_platform", left_to_platform},
          {"rows_left_out", rows_left_out},
          {"columns_left_out", columns_left_out},
          {"rights_different", rights_different},
          {"by_hand", by_hand},
          {"lost", lost}};
}

TargetObjects::TargetObjects(Connection& connection) : objects_(read_present_objects(connection)) {
  for (const DatabaseObject& object : objects_) by_address_[object.address] = &object;
  const QueryResult found = connection.query(
      fmt::format("SELECT rolname, pg_catalog.pg_has_role(oid, '{}'), rolsuper FROM pg_catalog.pg_roles",
                  connection.server_version() >= 160000 ? "SET" : "MEMBER"));
  for (int row = 0; row < found.rows(); ++row) {
    roles_.insert(found.string(row, 0));
    if (found.boolean(row, 1)) ours_.insert(found.string(row, 0));
    if (found.boolean(row, 2)) superusers_.insert(found.string(row, 0));
  }
}

bool TargetObjects::is_platforms(const std::string& role) const {
  return has_role(role) && !may_act_for(role) && (looks_like_platform_role(role) || superusers_.contains(role));
}

const DatabaseObject* TargetObjects::find(const ObjectAddress& address) const {
  const auto found = by_address_.find(address);
  return found == by_address_.end() ? nullptr : found->second;
}

namespace {

// What pg_dump writes of the target's objects, or would be part of what it writes, where one server wrote both: a newer
// one may write an expression otherwise. Columns that are inherited stand with their parent.
std::map<ObjectId, std::vector<std::string>> read_definitions(Connection& connection) {
  const QueryResult found = connection.query(R"(
SELECT o.catalog::oid::text, o.oid::text, o.parts FROM (
  SELECT 'pg_catalog.pg_proc'::regclass AS catalog, p.oid, ARRAY[prosrc] AS parts FROM pg_catalog.pg_proc AS p
  UNION ALL SELECT 'pg_catalog.pg_policy'::regclass, p.oid, ARRAY[CASE WHEN polpermissive THEN '' ELSE ' AS RESTRICTIVE' END
    || CASE polcmd WHEN '*' THEN '' WHEN 'r' THEN ' FOR SELECT' WHEN 'a' THEN ' FOR INSERT' WHEN 'w' THEN ' FOR UPDATE' ELSE ' FOR DELETE' END
    || CASE WHEN polroles = '{0}' THEN '' ELSE ' TO ' || (SELECT string_agg(quote_ident(rolname), ', ') FROM pg_catalog.pg_roles WHERE oid = ANY (polroles)) END
    || coalesce(' USING (' || pg_catalog.pg_get_expr(polqual, polrelid) || ')', '')
    || coalesce(' WITH CHECK (' || pg_catalog.pg_get_expr(polwithcheck, polrelid) || ')', '') || ';'] FROM pg_catalog.pg_policy AS p
  UNION ALL SELECT 'pg_catalog.pg_rewrite'::regclass, r.oid, ARRAY[CASE rulename WHEN '_RETURN' THEN pg_catalog.pg_get_viewdef(ev_class)
    ELSE pg_catalog.pg_get_ruledef(r.oid) END] FROM pg_catalog.pg_rewrite AS r
  UNION ALL SELECT 'pg_catalog.pg_trigger'::regclass, t.oid, ARRAY[pg_catalog.pg_get_triggerdef(t.oid, false)] FROM pg_catalog.pg_trigger AS t WHERE NOT tgisinternal
  UNION ALL SELECT 'pg_catalog.pg_constraint'::regclass, c.oid, ARRAY[pg_catalog.pg_get_constraintdef(c.oid)] FROM pg_catalog.pg_constraint AS c
  UNION ALL SELECT 'pg_catalog.pg_attrdef'::regclass, d.oid, ARRAY['SET DEFAULT ' || pg_catalog.pg_get_expr(d.adbin, d.adrelid) || ';'] FROM pg_catalog.pg_attrdef AS d
  UNION ALL SELECT 'pg_catalog.pg_type'::regclass, t.oid, ARRAY[E' (\n    ' || string_agg(pg_catalog.quote_literal(enumlabel), E',\n    ' ORDER BY enumsortorder) || E'\n);']
    FROM pg_catalog.pg_type AS t JOIN pg_catalog.pg_enum AS e ON e.enumtypid = t.oid GROUP BY t.oid
  UNION ALL SELECT 'pg_catalog.pg_class'::regclass, c.oid, ARRAY[pg_catalog.pg_get_indexdef(c.oid)] FROM pg_catalog.pg_class AS c WHERE relkind IN ('i', 'I')
  UNION ALL SELECT 'pg_catalog.pg_class'::regclass, c.oid, ARRAY[pg_catalog.rtrim(pg_catalog.pg_get_viewdef(c.oid), ';')] FROM pg_catalog.pg_class AS c WHERE relkind IN ('v', 'm')
  UNION ALL SELECT 'pg_catalog.pg_class'::regclass, c.oid, array_agg(pg_catalog.format(E'\n    %I %s', attname, pg_catalog.format_type(atttypid, atttypmod))
      || CASE WHEN pg_catalog.pg_get_expr(adbin, adrelid) LIKE 'nextval(%' OR attgenerated <> '' OR attcollation <> typcollation THEN ''
              ELSE coalesce(' DEFAULT ' || pg_catalog.pg_get_expr(adbin, adrelid), '') END)
      || (SELECT coalesce(array_agg(pg_catalog.format(E'\n    CONSTRAINT %I %s', conname, pg_catalog.pg_get_constraintdef(n.oid))), '{}')
          FROM pg_catalog.pg_constraint AS n WHERE conrelid = c.oid AND contype = 'c' AND convalidated AND conislocal)
    FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND attnum > 0 AND NOT attisdropped
    JOIN pg_catalog.pg_type AS t ON t.oid = atttypid LEFT JOIN pg_catalog.pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = attnum
    WHERE relkind IN ('r', 'p', 'f') AND reloftype = 0 AND (attislocal OR relispartition) GROUP BY c.oid
) AS o WHERE o.oid >= 16384 AND NOT EXISTS (
  SELECT FROM pg_catalog.pg_depend AS d WHERE d.classid = o.catalog AND d.objid = o.oid AND d.deptype = 'e'))");
  std::map<ObjectId, std::vector<std::string>> definitions;
  for (int row = 0; row < found.rows(); ++row)
    definitions[{.catalog = found.oid(row, 0), .oid = found.oid(row, 1)}] = parse_text_array(found.text(row, 2));
  return definitions;
}

TargetObjects read_target(Connection& connection, const IndexHeader& header) {
  std::optional<TargetObjects> target;
  with_index_encoding(connection, header, [&] { target.emplace(connection); });
  return std::move(*target);
}

}  // namespace

Reconciliation::Reconciliation(Connection& connection, const RestoreRequest& request, const BackupReader& backup,
                               const ScriptNames& names)
    : connection_(connection), request_(request), backup_(backup), index_(backup.index()), names_(names),
      target_(read_target(connection, backup.index().header)) {
  if (index_.objects.empty())
    throw Error(ErrorKind::refused, "the backup does not say what its objects are called: an older pana made it",
                "make another backup, or restore without --reconcile into a new database");
  if (index_.header.encoding == "SQL_ASCII")
    throw Error(ErrorKind::refused,
                "--reconcile cannot compare the names of a SQL_ASCII database, which have no encoding",
                "restore without --reconcile into a new database");
  for (const DatabaseObject& object : index_.objects) {
    const DatabaseObject* const present = target_.find(object.address);
    if (object.extension.empty()) objects_[object.id] = &object;
    if (is_routine(object.address)) backup_functions_.insert(function_name(object.address));
    if (is_routine(object.address) && present != nullptr) functions_.insert(function_name(object.address));
    constexpr std::uint32_t kRelations = 1259;
    const bool is_relation =
        object.id.catalog == kRelations && object.address.names.size() == 2 && !object.address.type.ends_with("index");
    const RelationName relation =
        is_relation ? RelationName{object.address.names[0], object.address.names[1]} : RelationName();
    if (is_relation && object.extension.empty()) backup_relations_[relation] = object.id;
    if (present == nullptr) continue;
    there_[object.id] = present;
    if (is_relation) relations_[relation] = present;
    const bool is_public = object.address.type == kSchema && object.address.names.front() == "public";
    if (!is_public && target_.is_platforms(present->owner)) is_platform_ = true;
  }
  definitions_ = read_definitions(connection);
}

bool Reconciliation::is_made_by_us(const std::string& owner) const {
  if (owner.empty() || (!request_.owners && !is_platform_)) return true;
  const auto mapped = request_.role_map.find(owner);
  const std::string& role = mapped == request_.role_map.end() ? owner : mapped->second;
  if (target_.has_role(role)) return !target_.is_platforms(role);
  return !is_platform_ || !looks_like_platform_role(role);
}

bool Reconciliation::has_function_of(const SchemaObject& trigger) const {
  const std::optional<RelationName> name = function_of_trigger(trigger);
  if (!name) return false;
  const RelationName unicode = names_.unicode(*name);
  const std::string qualified = unicode.schema + "." + unicode.name;
  return !backup_functions_.contains(qualified) || functions_.contains(qualified);
}

const DatabaseObject* Reconciliation::counterpart(const SchemaObject& object) const {
  const auto found = there_.find({.catalog = object.catalog_id, .oid = object.object_id});
  return object.object_id == 0 || found == there_.end() ? nullptr : found->second;
}

// What belongs to a table that is there, and is not there itself.
Reconciliation::State Reconciliation::state_of_hanging(const SchemaObject& object) const {
  const DatabaseObject& table = *relations_.at(names_.unicode(*object.relation));
  const bool is_ours = target_.may_act_for(table.owner);
  if (object.type == "POLICY") return State::made;
  if (object.type == "TRIGGER") return has_function_of(object) ? State::made : State::platforms;
  if (is_any_of(object.type, {"ROW SECURITY", "MATERIALIZED VIEW DATA"})) return is_ours ? State::made : State::there;
  // They are attached, and owned, where both sides are there.
  if (is_any_of(object.type, {"TABLE ATTACH", "INDEX ATTACH", "SEQUENCE OWNED BY"})) return State::there;
  if (object.type == "PUBLICATION TABLE")
    return is_made_by_us(names_.unicode(object.owner)) ? State::made : State::platforms;
  return target_.is_platforms(table.owner) ? State::platforms : State::made;
}

Reconciliation::State Reconciliation::state_of(const SchemaObject& object, const SchemaObject* described) {
  if (is_said_of_the_entry_before(object)) {
    if (described == nullptr) return State::there;
    const DatabaseObject* const present = counterpart(*described);
    if (present == nullptr)
      return made_.contains({.catalog = described->catalog_id, .oid = described->object_id}) ? State::made
                                                                                             : State::platforms;
    const RelationName relation = described->relation ? names_.unicode(*described->relation) : RelationName();
    const auto table = relations_.find(relation);
    const std::string& owner =
        !present->owner.empty() || table == relations_.end() ? present->owner : table->second->owner;
    return owner.empty() || target_.may_act_for(owner) ? State::made : State::there;
  }
  if (counterpart(object) != nullptr) return State::there;
  if (object.relation && !makes_relation_itself(object)) {
    const RelationName relation = names_.unicode(*object.relation);
    if (relations_.contains(relation)) return state_of_hanging(object);
    const auto table = backup_relations_.find(relation);
    if (table != backup_relations_.end() && !made_.contains(table->second)) return State::platforms;
  }
  return is_made_by_us(names_.unicode(object.owner)) ? State::made : State::platforms;
}

void Reconciliation::compare(const SchemaObject& object, const DatabaseObject& present) {
  const DatabaseObject& wanted = *objects_.at({.catalog = object.catalog_id, .oid = object.object_id});
  const std::string subject = subject_of(object);
  const auto mapped = request_.role_map.find(wanted.owner);
  const std::string& owner = mapped == request_.role_map.end() ? wanted.owner : mapped->second;
  if (request_.owners && owner != present.owner)
    report_.different.push_back(
        fmt::format("{} belongs to {} in the backup, to {} here", subject, owner, present.owner));
  if (object.type == "EXTENSION") {
    const auto known = std::ranges::find(index_.header.extensions, wanted.address.names.front(), &ExtensionUse::name);
    const QueryResult found =
        connection_.query(fmt::format("SELECT extversion FROM pg_catalog.pg_extension WHERE oid = {}", present.id.oid));
    if (known != index_.header.extensions.end() && found.rows() > 0 && known->version != found.text(0, 0))
      report_.different.push_back(
          fmt::format("{} is of version {} in the backup, {} here", subject, known->version, found.text(0, 0)));
  }
  const auto known = definitions_.find(present.id);
  if (known == definitions_.end() || object.statements.empty()) return;
  const std::string& sql = object.statements.front().sql;
  if (object.type == "VIEW" && sql.find("\nSELECT\n    NULL::") != std::string::npos) return;  // its rule has the query
  if (!std::ranges::all_of(known->second,
                           [&sql](const std::string& part) { return sql.find(part) != std::string::npos; }))
    report_.different.push_back(fmt::format("{} is defined otherwise here", subject));
}

// A policy that the source does not have opens a table to more rows; a trigger may change what is written.
void Reconciliation::note_what_is_only_here() {
  std::set<ObjectAddress> known;
  for (const DatabaseObject& object : index_.objects) known.insert(object.address);
  for (const DatabaseObject& object : target_.all()) {
    if (known.contains(object.address) || !object.extension.empty() || is_query_of_view(object.address) ||
        is_any_of(object.address.type, {"default acl", "default value"}))  // the latter stands in the table as a rule
      continue;
    std::string owner = object.owner;
    if (owner.empty() && object.address.names.size() > 2) {
      const auto table = relations_.find({object.address.names[0], object.address.names[1]});
      if (table == relations_.end()) continue;  // with its table
      owner = table->second->owner;
    }
    if (owner.empty() || target_.is_platforms(owner)) continue;
    report_.only_here.push_back(fmt::format("{} {}", object.address.type, fmt::join(object.address.names, ".")));
  }
}

void Reconciliation::apply(RestoreSelection& selection) {
  NotMade made;  // by their names in the script: what ACL entries are about
  NotMade there;
  const auto choose = [&](std::vector<SchemaObject>& objects) {
    std::vector<SchemaObject> chosen;
    const SchemaObject* described = nullptr;
    std::vector<SchemaObject> all = std::exchange(objects, {});
    for (SchemaObject& object : all) {
      if (object.type == "DEFAULT ACL") {
        default_privileges_.push_back(object);
        continue;
      }
      if (object.type == "ACL") {  // what is not made gets its rights at the end
        const bool is_of_made = made.is_of_one(object) && !there.is_of_one(object);
        if (is_of_made || is_of_server(object)) chosen.push_back(object);
        continue;
      }
      const ObjectId id{.catalog = object.catalog_id, .oid = object.object_id};
      const State state = state_of(object, described);
      const bool is_said = is_said_of_the_entry_before(object);
      if (!is_said) described = &object;
      if (is_said && state != State::made) continue;
      if (state == State::made) {
        if (!is_said) made.add(object);
        if (object.object_id != 0 && made_.insert(id).second) ++report_.made;
        const auto known = objects_.find(id);
        if (known != objects_.end() && is_routine(known->second->address))
          functions_.insert(function_name(known->second->address));
        chosen.push_back(object);
      } else if (state == State::there) {
        there.add(object);
        if (const DatabaseObject* const present = counterpart(object)) {
          ++report_.compared;
          compare(object, *present);
        }
      } else {
        const bool is_of_missing_table =
            object.relation && !makes_relation_itself(object) && !relations_.contains(names_.unicode(*object.relation));
        const bool is_of_its_table = object.relation && !makes_relation_itself(object) && !object.statements.empty();
        if (!is_of_missing_table)
          report_.left_to_platform.push_back(subject_of(object) +
                                             (is_of_its_table ? ": " + object.statements.front().sql : std::string()));
      }
    }
    objects = std::move(chosen);
  };
  if (is_platform_) note_addresses(selection);
  if (request_.filter.is_empty() && index_.header.filters.empty()) note_what_is_only_here();
  choose(selection.pre_data);
  choose(selection.post_data);
  if (!request_.rows) return;
  choose_tables(selection);
  choose_sequences(selection);
  if (is_platform_) note_by_hand(selection);
}

std::vector<SchemaObject> take_event_triggers(RestoreSelection& selection) {
  std::vector<SchemaObject> taken;
  bool is_of_one = false;
  std::erase_if(selection.post_data, [&](SchemaObject& object) {
    is_of_one = object.type == "EVENT TRIGGER" || (is_of_one && is_said_of_the_entry_before(object));
    if (is_of_one) taken.push_back(object);
    return is_of_one;
  });
  return taken;
}

}  // namespace pana
