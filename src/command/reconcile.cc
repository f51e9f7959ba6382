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

bool is_routine(const ObjectAddress& address) {
  return is_any_of(address.type, {"function", "procedure", "aggregate"});
}

}  // namespace

Json ReconcileReport::json() const {
  return {{"made", made},
          {"compared", compared},
          {"rights_changed", rights_changed},
          {"different", different},
          {"left_to_platform", left_to_platform},
          {"rows_left_out", rows_left_out},
          {"columns_left_out", columns_left_out},
          {"rights_different", rights_different},
          {"by_hand", by_hand},
          {"lost", lost}};
}

TargetObjects::TargetObjects(Connection& connection) : objects_(read_present_objects(connection)) {
  for (const DatabaseObject& object : objects_) by_address_[object.address] = &object;
  const QueryResult found =
      connection.query(fmt::format("SELECT rolname, pg_catalog.pg_has_role(oid, '{}') FROM pg_catalog.pg_roles",
                                   connection.server_version() >= 160000 ? "SET" : "MEMBER"));
  for (int row = 0; row < found.rows(); ++row) {
    roles_.insert(found.string(row, 0));
    if (found.boolean(row, 1)) ours_.insert(found.string(row, 0));
  }
}

const DatabaseObject* TargetObjects::find(const ObjectAddress& address) const {
  const auto found = by_address_.find(address);
  return found == by_address_.end() ? nullptr : found->second;
}

namespace {

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
    if (!is_public && !present->owner.empty() && !target_.may_act_for(present->owner)) is_platform_ = true;
  }
  const QueryResult bodies = connection.query(
      "SELECT p.oid::text, p.prosrc FROM pg_catalog.pg_proc AS p WHERE p.oid >= 16384 AND NOT EXISTS (SELECT FROM "
      "pg_catalog.pg_depend AS d WHERE d.classid = 'pg_catalog.pg_proc'::regclass AND d.objid = p.oid AND d.deptype = "
      "'e')");
  for (int row = 0; row < bodies.rows(); ++row) bodies_[bodies.oid(row, 0)] = bodies.string(row, 1);
}

bool Reconciliation::is_made_by_us(const std::string& owner) const {
  if (owner.empty() || !request_.owners) return true;
  const auto mapped = request_.role_map.find(owner);
  const std::string& role = mapped == request_.role_map.end() ? owner : mapped->second;
  if (target_.has_role(role)) return target_.may_act_for(role);
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
  return is_ours ? State::made : State::platforms;
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
  if (object.type != "FUNCTION" && object.type != "PROCEDURE") return;
  const auto body = bodies_.find(present.id.oid);
  if (body != bodies_.end() && object.statements.front().sql.find(body->second) == std::string::npos)
    report_.different.push_back(fmt::format("{} has another body here", subject));
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
        if (!is_of_missing_table) report_.left_to_platform.push_back(subject_of(object));
      }
    }
    objects = std::move(chosen);
  };
  if (is_platform_) note_addresses(selection);
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
