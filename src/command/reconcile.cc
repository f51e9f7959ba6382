#include "command/reconcile.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <optional>

#include "command/platform.h"
#include "command/restore_post_data.h"
#include "command/restore_roles.h"
#include "command/restore_schema.h"
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

std::string function_name(const ObjectAddress& address) {
  return address.names.size() == 2 ? address.names[0] + "." + address.names[1] : "";
}

// Of a type, the address has one name, as SQL writes it; of what else is in a schema, two.
std::optional<RelationName> name_in_schema(const ObjectAddress& address) {
  if (address.names.size() == 1) return parse_relation_name(address.names[0]);
  if (address.names.size() != 2) return std::nullopt;
  return RelationName{address.names[0], address.names[1]};
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
          {"cron_jobs", cron_jobs},
          {"by_hand", by_hand},
          {"lost", lost}};
}

Reconciliation::Reconciliation(Connection& connection, const RestoreRequest& request, const BackupReader& backup,
                               const ScriptNames& names)
    : connection_(connection), request_(request), backup_(backup), index_(backup.index()), names_(names),
      target_(connection, backup.index().header), constraint_indexes_(constraint_indexes_of(backup.index())) {
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
    if (object.address.type == "default value" && object.address.names.size() == 3)
      separate_defaults_[{object.address.names[0], object.address.names[1]}].insert(
          names.in_script(object.address.names[2]));
    if (is_routine(object.address)) backup_functions_.insert(function_name(object.address));
    if (is_routine(object.address) && present != nullptr) functions_.insert(function_name(object.address));
    const bool is_relation = object.id.catalog == kRelationCatalog && object.address.names.size() == 2 &&
                             !object.address.type.ends_with("index");
    const RelationName relation =
        is_relation ? RelationName{object.address.names[0], object.address.names[1]} : RelationName();
    if (is_relation && object.extension.empty()) backup_relations_[relation] = object.id;
    if (present == nullptr) continue;
    there_[object.id] = present;
    if (is_relation) relations_[relation] = present;
    const bool is_public = object.address.type == kSchema && object.address.names.front() == "public";
    if (!is_public && target_.is_platforms(present->owner)) is_platform_ = true;
  }
  definitions_ = read_object_definitions(connection);
}

// A schema of the user's holds nothing of the platform's, whoever made it: old projects have tables of supabase_admin
// in public.
bool Reconciliation::is_in_platforms_schema(const std::string& schema) const {
  if (schema.empty() || schema == "-" || is_platform_schema(schema)) return true;
  const DatabaseObject* const present = target_.find({.type = "schema", .names = {schema}, .arguments = {}});
  return present != nullptr && target_.is_platforms(present->owner);
}

bool Reconciliation::is_made_by_us(const SchemaObject& object) const {
  const std::string owner = names_.unicode(object.owner);
  if (owner.empty() || (!request_.owners && !is_platform_)) return true;
  if (!is_in_platforms_schema(names_.unicode(object.schema))) return true;
  const std::string& role = request_.mapped(owner);
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
  return object.catalog_id == 0 || found == there_.end() ? nullptr : found->second;
}

bool Reconciliation::is_attached(const SchemaObject& object) const {
  if (!object.refers_to) return false;
  const auto parent = relations_.find(names_.unicode(*object.refers_to));
  const auto partition = relations_.find(names_.unicode(*object.relation));
  if (parent == relations_.end() || partition == relations_.end()) return false;
  return connection_
             .query(fmt::format("SELECT FROM pg_catalog.pg_inherits WHERE inhrelid = {} AND inhparent = {}",
                                partition->second->id.oid, parent->second->id.oid))
             .rows() > 0;
}

// ALTER TABLE public.ev_1 DISABLE TRIGGER note;
bool Reconciliation::has_trigger_state(const SchemaObject& trigger, std::uint32_t table) const {
  if (trigger.statements.empty()) return true;
  const std::string& sql = trigger.statements.front().sql;
  SqlLexemes lexemes(sql);
  std::string_view name;
  for (std::string_view lexeme = lexemes.next(); !lexeme.empty(); lexeme = lexemes.next()) {
    if (is_keyword(lexeme, "TRIGGER")) name = lexemes.next();
  }
  const char* const state = sql.find(" DISABLE TRIGGER ") != std::string::npos          ? "D"
                            : sql.find(" ENABLE ALWAYS TRIGGER ") != std::string::npos  ? "A"
                            : sql.find(" ENABLE REPLICA TRIGGER ") != std::string::npos ? "R"
                                                                                        : "O";
  return connection_
             .query(fmt::format("SELECT FROM pg_catalog.pg_trigger WHERE tgrelid = {} AND tgname = {} AND tgenabled = "
                                "'{}'",
                                table, connection_.quote_literal(parse_simple_name(name).value_or("")), state))
             .rows() > 0;
}

// ... ATTACH PARTITION public.ev_1 FOR VALUES FROM (0) TO (100);
void Reconciliation::compare_bound(const SchemaObject& attachment) {
  const DatabaseObject& partition = *relations_.at(names_.unicode(*attachment.relation));
  const QueryResult found = connection_.query(fmt::format(
      "SELECT pg_catalog.pg_get_expr(relpartbound, oid) FROM pg_catalog.pg_class WHERE oid = {}", partition.id.oid));
  if (!attachment.statements.front().sql.ends_with(fmt::format(" {};", found.text(0, 0))))
    note_difference(partition, subject_of(attachment) + " has another bound here");
}

// CREATE USER MAPPING FOR app SERVER warehouse, which has no address that everybody may read.
bool Reconciliation::is_mapped(const SchemaObject& object) const {
  if (object.statements.empty()) return false;
  SqlLexemes lexemes(object.statements.front().sql);
  if (!lexemes.skip({"CREATE", "USER", "MAPPING", "FOR"})) return false;
  const std::string_view quoted = lexemes.qualified_name();
  const std::optional<std::string> user = parse_simple_name(quoted);
  const std::optional<std::string> server =
      lexemes.skip({"SERVER"}) ? parse_simple_name(lexemes.qualified_name()) : std::nullopt;
  if (!user || !server) return false;
  return connection_
             .query(fmt::format("SELECT FROM pg_catalog.pg_user_mappings WHERE usename = {} AND srvname = {}",
                                connection_.quote_literal(is_keyword(quoted, "PUBLIC") ? "public" : *user),
                                connection_.quote_literal(*server)))
             .rows() > 0;
}

// What belongs to a table that is there, and is not there itself.
Reconciliation::State Reconciliation::state_of_hanging(const SchemaObject& object) const {
  const DatabaseObject& table = *relations_.at(names_.unicode(*object.relation));
  const bool is_ours = target_.may_act_for(table.owner);
  if (object.type == "POLICY") return State::made;
  if (object.type == "TRIGGER" && !function_of_trigger(object))  // the state of one that came with the parent's
    return has_trigger_state(object, table.id.oid) ? State::there : State::made;
  if (object.type == "TRIGGER") return has_function_of(object) ? State::made : State::platforms;
  if (is_any_of(object.type, {"ROW SECURITY", "MATERIALIZED VIEW DATA"})) return is_ours ? State::made : State::there;
  if (target_.is_platforms(table.owner) &&
      is_any_of(object.type, {"TABLE ATTACH", "INDEX ATTACH", "SEQUENCE OWNED BY"}))
    return State::there;
  // Done again, the two others change nothing.
  if (object.type == "TABLE ATTACH") return is_attached(object) ? State::there : State::made;
  if (is_any_of(object.type, {"INDEX ATTACH", "SEQUENCE OWNED BY"})) return State::made;
  if (object.type == "PUBLICATION TABLE") return is_made_by_us(object) ? State::made : State::platforms;
  return target_.is_platforms(table.owner) ? State::platforms : State::made;
}

Reconciliation::State Reconciliation::state_of(const SchemaObject& object, const SchemaObject* described) {
  if (is_said_of_the_entry_before(object)) {
    if (described == nullptr) return State::there;
    const DatabaseObject* const present = counterpart(*described);
    if (present == nullptr)
      return made_.contains({.catalog = described->catalog_id, .oid = described->object_id}) ? State::made
                                                                                             : State::platforms;
    const std::string owner = owner_of(*present);
    return owner.empty() || target_.may_act_for(owner) ? State::made : State::there;
  }
  if (object.type == "SHELL TYPE") {
    const RelationName type = names_.unicode(RelationName{object.schema, object.name});
    const bool is_there = std::ranges::any_of(target_.all(), [&type](const DatabaseObject& present) {
      return present.address.type == "type" && name_in_schema(present.address) == type;
    });
    if (is_there) return State::there;
  }
  if (object.type == "USER MAPPING" && is_mapped(object)) return State::there;
  if (const DatabaseObject* const present = counterpart(object)) {
    // A view whose query was to come behind the rows, and never came.
    const auto known = definitions_.find(present->id);
    const bool is_placeholder = object.type == "RULE" && known != definitions_.end() &&
                                known->second.parts.front().starts_with(" SELECT NULL::");
    return is_placeholder ? State::made : State::there;
  }
  if (object.relation && !makes_relation_itself(object)) {
    const RelationName relation = names_.unicode(*object.relation);
    if (relations_.contains(relation)) return state_of_hanging(object);
    const auto table = backup_relations_.find(relation);
    if (table != backup_relations_.end() && !made_.contains(table->second)) return State::platforms;
  }
  return is_made_by_us(object) ? State::made : State::platforms;
}

void Reconciliation::compare(const SchemaObject& object, const DatabaseObject& present) {
  const DatabaseObject& wanted = *objects_.at({.catalog = object.catalog_id, .oid = object.object_id});
  const std::string subject = subject_of(object);
  const std::string& owner = request_.mapped(wanted.owner);
  if (request_.owners && owner != present.owner)
    note_difference(present, fmt::format("{} belongs to {} in the backup, to {} here", subject, owner, present.owner));
  if (object.type == "EXTENSION") {
    const auto known = std::ranges::find(index_.header.extensions, wanted.address.names.front(), &ExtensionUse::name);
    const QueryResult found = connection_.query(fmt::format(
        "SELECT e.extversion, n.nspname FROM pg_catalog.pg_extension AS e JOIN pg_catalog.pg_namespace AS n "
        "ON n.oid = e.extnamespace WHERE e.oid = {}",
        present.id.oid));
    if (known == index_.header.extensions.end() || found.rows() == 0) return;
    if (known->version != found.text(0, 0))
      report_.different.push_back(
          fmt::format("{} is of version {} in the backup, {} here", subject, known->version, found.text(0, 0)));
    if (known->schema != names_.unicode(found.string(0, 1)))
      note_difference(present, fmt::format("{} is in schema {} in the backup, in {} here", subject, known->schema,
                                           found.text(0, 1)));
  }
  const auto known = definitions_.find(present.id);
  if (known == definitions_.end() || object.statements.empty()) return;
  std::string sql;
  for (const SchemaStatement& statement : object.statements) sql += statement.sql + "\n";
  if (object.type == "VIEW" && sql.find("\nSELECT\n    NULL::") != std::string::npos) return;  // its rule has the query
  if (const std::optional<std::string> off = webhook_switch(connection_, object)) {
    if (has_parts(sql + *off, known->second)) return;  // as an earlier restore has left it
  }
  const bool is_table = object.type == "TABLE" || object.type == "FOREIGN TABLE";
  const bool is_same = is_table ? has_lines(sql, known->second, separate_defaults_[wanted.address.names])
                                : has_parts(sql, known->second);
  if (is_same) return;
  note_difference(present, fmt::format("{} is defined otherwise here", subject));
  const auto table =
      std::ranges::find_if(index_.tables, [&](const TableInfo& info) { return info.oid == wanted.id.oid; });
  const bool is_loaded = is_table && table != index_.tables.end() && table->content.rows > 0;
  if (is_loaded && !request_.keep_going && !target_.is_platforms(present.owner))
    problems_.add(fmt::format("{} is defined otherwise in the target, whose rows may come out changed", subject),
                  "bring it to the backup's definition; --keep-going loads what it takes");
}

// Of what has none of its own, that of its table, where the backup has that as well and no extension made it.
std::string Reconciliation::owner_of(const DatabaseObject& present) const {
  if (!present.owner.empty() || present.address.names.size() < 3) return present.owner;
  const auto table = relations_.find({present.address.names[0], present.address.names[1]});
  return table == relations_.end() || !table->second->extension.empty() ? "" : table->second->owner;
}

void Reconciliation::note_difference(const DatabaseObject& present, std::string text) {
  report_.different.push_back(text);
  if (!target_.is_platforms(owner_of(present))) report_.lost.push_back(std::move(text));
}

void Reconciliation::apply(RestoreSelection& selection) {
  is_whole_ = request_.filter.is_empty() && index_.header.filters.empty();
  if (is_platform_) note_addresses(selection);
  // Members of extensions have entries for their rights alone: on a platform, which grants more to them, and where they
  // are there.
  for (const DatabaseObject& object : index_.objects) {
    const DatabaseObject* const extension =
        target_.find({.type = "extension", .names = {object.extension}, .arguments = {}});
    const std::optional<RelationName> unicode = name_in_schema(object.address);
    if (object.extension.empty() || (extension == nullptr && !is_platform_) || !unicode) continue;
    const RelationName name{names_.in_script(unicode->schema), names_.in_script(unicode->name)};
    const bool is_routine_of_it = is_routine(object.address);
    not_run_.add({.type = is_routine_of_it                ? "FUNCTION"
                          : object.address.type == "type" ? "TYPE"
                                                          : "TABLE",
                  .name = name.name,
                  .schema = name.schema,
                  .owner = "",
                  .relation = is_routine_of_it ? std::nullopt : std::optional(name)});
  }
  const auto choose = [&](std::vector<SchemaObject>& objects) {
    std::vector<SchemaObject> chosen;
    const SchemaObject* described = nullptr;
    std::vector<SchemaObject> all = std::exchange(objects, {});
    for (SchemaObject& object : all) {
      if (object.type == "DEFAULT ACL") {
        const std::string owner = names_.unicode(object.owner);
        if (is_whole_ && target_.may_act_for(owner)) note_roles(object, names_, selection.roles_of_rights);
        default_privileges_.push_back(object);
        continue;
      }
      if (object.type == "ACL") {  // what is there gets its rights at the end
        if (!not_run_.is_of_one(object)) {
          chosen.push_back(object);
        } else if (!is_platform_) {
          note_roles(object, names_, selection.roles_of_rights);
        }
        continue;
      }
      const ObjectId id{.catalog = object.catalog_id, .oid = object.object_id};
      const State state = state_of(object, described);
      const bool is_said = is_said_of_the_entry_before(object);
      if (!is_said) described = &object;
      if (is_said && state != State::made) continue;
      if (object.catalog_id != 0) chosen_.insert(id);
      if (state == State::made) {
        if (object.catalog_id != 0 && !is_said && made_.insert(id).second) ++report_.made;
        const auto known = objects_.find(id);
        if (known != objects_.end() && is_routine(known->second->address))
          functions_.insert(function_name(known->second->address));
        take_built_index(object);
        switch_webhook_off(object);
        chosen.push_back(object);
        continue;
      }
      not_run_.add(object);
      if (state == State::there) {
        if (object.type == "TABLE ATTACH") compare_bound(object);
        if (const DatabaseObject* const present = counterpart(object)) {
          ++report_.compared;
          compare(object, *present);
          for (const SchemaStatement& statement : object.statements) {
            const std::string owner = owner_of(*present);
            const bool is_ours =
                statement.role == StatementRole::property && !owner.empty() && target_.may_act_for(owner);
            const bool sets_table = std::ranges::any_of(
                std::array{" FORCE ROW LEVEL SECURITY", " REPLICA IDENTITY ", " CLUSTER ON "},
                [&statement](const char* words) { return statement.sql.find(words) != std::string::npos; });
            if (is_ours && sets_table) forced_.push_back(statement.sql);
          }
        }
        continue;
      }
      const bool is_of_missing_table =
          object.relation && !makes_relation_itself(object) && !relations_.contains(names_.unicode(*object.relation));
      const bool is_of_its_table = object.relation && !makes_relation_itself(object) && !object.statements.empty();
      if (!is_of_missing_table)
        report_.left_to_platform.push_back(subject_of(object) +
                                           (is_of_its_table ? ": " + object.statements.front().sql : std::string()));
    }
    objects = std::move(chosen);
  };
  choose(selection.pre_data);
  choose(selection.post_data);
  if (is_whole_) note_what_is_only_here();
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
