#include "command/restore_choice.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <map>

#include "base/error.h"
#include "base/log.h"
#include "command/left_out_extensions.h"
#include "command/preflight_encoding.h"
#include "command/restore_partitions.h"
#include "command/restore_publications.h"
#include "command/restore_roles.h"
#include "command/restore_schema.h"

namespace pana {
namespace {

bool is_wanted(const RestoreRequest& request, StatementRole role) {
  if (role == StatementRole::owner) return request.owners;
  if (role == StatementRole::privilege) return request.privileges;
  return true;
}

bool is_wanted(const RestoreRequest& request, const SchemaEntry& entry) {
  const std::string_view type = entry.type;
  if (type == "COMMENT" && !request.comments) return false;
  if (type == "SECURITY LABEL" && !request.security_labels) return false;
  // What is said of one goes with it: its comment is called "PUBLICATION name".
  const std::string_view subject = type == "COMMENT" || type == "SECURITY LABEL" ? std::string_view(entry.name) : type;
  if (subject.starts_with("PUBLICATION") && !request.publications) return false;
  return !subject.starts_with("SUBSCRIPTION") || request.subscriptions;
}

// Reads the schema's entries in the file's order, and leaves out of them what the request does not want.
class WantedObjects {
 public:
  WantedObjects(const RestoreRequest& request, const BackupReader& backup, const std::stop_token& stop)
      : request_(request), backup_(backup), stop_(stop) {}

  void read(Phase phase, const std::function<void(SchemaObject object)>& take) {
    SchemaScriptReader script(SchemaScriptReader::Input::fragment);
    // Frame by frame, so that the whole script is not in memory as text, as entries and as objects at once.
    backup_.read_phase(
        phase, [&](std::string_view text) { script.feed(text); }, [&] { take_entries(script, take); }, stop_);
    script.finish();
    take_entries(script, take);
  }

 private:
  void take_entries(SchemaScriptReader& script, const std::function<void(SchemaObject object)>& take) {
    while (const std::optional<SchemaEntry> entry = script.next()) {
      if (!is_wanted(request_, *entry)) continue;
      SchemaObject object = reader_.understand(*entry);
      std::erase_if(object.statements,
                    [this](const SchemaStatement& statement) { return !is_wanted(request_, statement.role); });
      std::erase_if(object.settings, [this](const DefaultSetting& setting) {
        return !request_.tablespaces && setting.name == "default_tablespace";
      });
      take(std::move(object));
    }
  }

  const RestoreRequest& request_;
  const BackupReader& backup_;
  const std::stop_token& stop_;
  SchemaObjectReader reader_;
};

// They belong to the rows, as in pg_restore.
bool wants_large_objects(const RestoreRequest& request) { return request.rows && request.filter.includes_everything(); }

// Chooses by the request's patterns. With table patterns: the tables that match, and what is attached to them; with
// schema patterns: the schemas that match and what is in them. A sequence that a column owns goes with its table.
class Chooser {
 public:
  Chooser(const RestoreRequest& request, const std::vector<SchemaObject>& pre_data, const ScriptNames& names,
          const IndexHeader& header)
      : filter_(request.filter), replaces_(request.clean || !request.schema), names_(names) {
    for (const ExtensionUse& extension : header.extensions) {
      if (!filter_.has_table_patterns() && filter_.includes_schema(extension.schema))
        extensions_.insert(extension.name);
    }
    for (const SchemaObject& object : pre_data) {
      if (!object.relation || !object.refers_to) continue;
      if (object.type == "SEQUENCE OWNED BY")
        owners_.insert({*object.relation, {.table = *object.refers_to, .is_identity = false}});
      if (object.type == "SEQUENCE")
        owners_.insert({*object.refers_to, {.table = *object.relation, .is_identity = true}});
    }
  }

  bool wants(const SchemaObject& object) const {
    if (filter_.is_empty()) return true;
    if (object.type == "SEQUENCE OWNED BY" && object.refers_to && !wants(*object.refers_to)) return false;
    if (object.type == "INDEX ATTACH" && !(object.refers_to && wants(*object.refers_to))) return false;
    if (object.relation)
      return wants(*object.relation) &&
             (!is_of_statistics(object) || wants_statistics_in(object.schema, *object.relation));
    if (filter_.has_table_patterns()) return false;
    if (object.type == "EXTENSION") return extensions_.contains(object.name);
    constexpr std::string_view kOfExtension = "EXTENSION ";  // a comment
    if (object.schema == "-" && object.name.starts_with(kOfExtension))
      return extensions_.contains(object.name.substr(kOfExtension.size()));
    if (object.type == "SCHEMA") return filter_.includes_schema(names_.unicode(object.name));
    // Comments and grants of a schema are named "SCHEMA name".
    constexpr std::string_view kOfSchema = "SCHEMA ";
    if (object.schema == "-" && object.name.starts_with(kOfSchema)) {
      return filter_.includes_schema(names_.unicode(object.name.substr(kOfSchema.size())));
    }
    if (object.schema == "-") return filter_.includes_everything();
    return filter_.includes_schema(names_.unicode(object.schema));
  }

  bool replaces() const { return replaces_; }
  // But for what is excluded.
  bool replaces_everything() const { return replaces_ && filter_.includes_everything(); }

  bool wants(const RelationName& relation) const {
    const auto owner = owners_.find(relation);
    if (owner == owners_.end()) return matches(relation);
    if (matches(owner->second.table)) return true;
    // Of a table that is left out: pg_dump makes the sequence all the same, and sets it. One that serves a table that
    // is there and stays must not be touched, unless it is named itself.
    if (owner->second.is_identity || (replaces_ && !filter_.has_table_patterns())) return false;
    return matches(relation);
  }

 private:
  struct Owner {
    RelationName table;
    bool is_identity = false;
  };

  // Extended statistics may be in another schema than their table, which then need not be there.
  static bool is_of_statistics(const SchemaObject& object) {
    return object.type == "STATISTICS" || (object.type == "COMMENT" && object.name.starts_with("STATISTICS "));
  }
  bool wants_statistics_in(const std::string& schema, const RelationName& table) const {
    return schema == table.schema || (!filter_.has_table_patterns() && filter_.includes_schema(names_.unicode(schema)));
  }

  bool matches(const RelationName& relation) const {
    const RelationName name = names_.unicode(relation);
    return filter_.includes(name.schema, name.name);
  }

  const TableFilter& filter_;
  const bool replaces_;  // what is in the target
  const ScriptNames& names_;
  std::map<RelationName, Owner> owners_;  // of sequences
  std::set<std::string> extensions_;
};

// ALTER TABLE part DISABLE TRIGGER t, of a trigger that the partition has with its parent.
bool is_state_of_inherited_trigger(const SchemaObject& object) {
  return object.type == "TRIGGER" && !object.statements.empty() &&
         SqlLexemes(object.statements.front().sql).skip({"ALTER", "TABLE"});
}

// A sequence that comes along with its table alone. The target's table may have another one, or none.
bool is_missing_with_its_table(Connection& connection, const RestoreRequest& request, const ScriptNames& names,
                               const RelationName& sequence) {
  if (request.schema || !request.filter.has_table_patterns()) return false;
  const RelationName name = names.unicode(sequence);
  if (request.filter.includes(name.schema, name.name) || has_relation(connection, sequence)) return false;
  log(LogLevel::warning, "sequence_left_out",
      fmt::format("pana leaves out the value of sequence {}.{}, which the target lacks and which belongs to a table in "
                  "the backup",
                  name.schema, name.name));
  return true;
}

// One that a table owns goes with its table, whose definition needs it. Its value alone can be left out.
bool is_left_alone(const RestoreRequest& request, const ScriptNames& names, const RelationName& sequence) {
  const RelationName name = names.unicode(sequence);
  return !request.schema && request.filter.excludes(name.schema, name.name);
}

// Chooses objects of both phases.
void choose_objects(const Chooser& chooser, std::vector<SchemaObject> pre_data, std::vector<SchemaObject> post_data,
                    Connection& connection, RestoreSelection& selection) {
  std::vector<SchemaObject> attached_later;
  std::set<RelationName> alone;  // partitions that become tables of their own
  // A sequence that is made anew, of a table that stays.
  const auto is_owned_again = [&](const SchemaObject& object) {
    return object.type == "SEQUENCE OWNED BY" && chooser.replaces() && object.relation &&
           chooser.wants(*object.relation) && object.refers_to && has_relation(connection, *object.refers_to);
  };
  for (SchemaObject& object : pre_data) {
    if (!chooser.wants(object) && !is_owned_again(object)) continue;
    if (object.type != "TABLE ATTACH" || !object.refers_to || chooser.wants(*object.refers_to)) {
      selection.pre_data.push_back(std::move(object));
    } else if (has_relation(connection, *object.refers_to)) {
      attached_later.push_back(std::move(object));
    } else {
      alone.insert(*object.relation);
      log(LogLevel::warning, "partition_alone",
          fmt::format("{}.{} becomes a separate table: its parent {}.{} is neither chosen nor in the target",
                      object.relation->schema, object.relation->name, object.refers_to->schema,
                      object.refers_to->name));
    }
  }
  std::vector<SchemaObject> attached_indexes;
  std::erase_if(post_data, [&](const SchemaObject& object) {
    if (object.relation && alone.contains(*object.relation) && is_state_of_inherited_trigger(object)) return true;
    if (chooser.wants(object) || (chooser.replaces_everything() && stays_in_its_publication(connection, object)))
      return false;
    const bool is_attached_later =
        object.type == "INDEX ATTACH" && std::ranges::any_of(attached_later, [&object](const SchemaObject& partition) {
          return partition.relation == object.relation && partition.refers_to == object.refers_to;
        });
    if (is_attached_later) attached_indexes.push_back(object);
    return true;
  });
  if (!attached_later.empty())
    join_parents(connection, std::move(attached_later), std::move(attached_indexes), post_data);
  selection.post_data = std::move(post_data);
}

struct Partitions {
  RelationName first;
  bool is_any_chosen = false;
};

// Of the chosen partitioned tables, those of which no partition is chosen.
std::map<RelationName, Partitions> find_empty_trees(const Chooser& chooser, const std::vector<SchemaObject>& pre_data) {
  std::map<RelationName, Partitions> trees;
  for (const SchemaObject& object : pre_data) {
    if (object.type != "TABLE ATTACH" || !object.relation || !object.refers_to || !chooser.wants(*object.refers_to))
      continue;
    Partitions& partitions = trees.try_emplace(*object.refers_to, Partitions{.first = *object.relation}).first->second;
    partitions.is_any_chosen |= chooser.wants(*object.relation);
  }
  std::erase_if(trees, [](const auto& tree) { return tree.second.is_any_chosen; });
  return trees;
}

// The rows of a partitioned table are its partitions', which have to be chosen by their own names. Where rows alone are
// wanted, and the patterns name nothing but such tables, there is nothing to do; a sequence has a value, though.
void tell_of_empty_trees(const RestoreRequest& request, const Chooser& chooser,
                         const std::vector<SchemaObject>& pre_data, const std::vector<SchemaObject>& post_data,
                         const ScriptNames& names) {
  const std::map<RelationName, Partitions> trees = find_empty_trees(chooser, pre_data);
  const auto is_something_else = [&](const SchemaObject& object) {
    if (!object.relation || trees.contains(*object.relation)) return false;
    const RelationName name = names.unicode(*object.relation);
    return request.filter.includes(name.schema, name.name);
  };
  const bool is_all = !request.schema && std::ranges::none_of(pre_data, is_something_else) &&
                      std::ranges::none_of(post_data, is_something_else);
  for (const auto& [table, partitions] : trees) {
    const std::string hint = fmt::format("choose them as well, such as {}.{}, by more -t or a pattern",
                                         partitions.first.schema, partitions.first.name);
    if (is_all) {
      throw Error(ErrorKind::usage,
                  fmt::format("{}.{} is partitioned, and no partition of it is chosen: there are no rows to restore",
                              table.schema, table.name),
                  hint);
    }
    log(LogLevel::warning, "no_rows",
        fmt::format("{}.{} is partitioned, and no partition of it is chosen: pana restores none of its rows",
                    table.schema, table.name),
        {{"hint", hint}});
  }
}

// A pattern that matches nothing is a mistake. Partitioned tables have no rows of their own, but a definition; that of
// a view which needs a primary key stands in post-data.
void refuse_unmatched(const TableFilter& filter, const Index& index, const std::vector<SchemaObject>& pre_data,
                      const std::vector<SchemaObject>& post_data, const ScriptNames& names) {
  std::vector<TableFilter::Relation> relations;
  std::set<std::string> schemas = {"public"};
  for (const TableInfo& table : index.tables) relations.push_back({.schema = table.schema, .name = table.name});
  for (const SchemaObject& object : pre_data) {
    if (object.relation)
      relations.push_back(
          {.schema = names.unicode(object.relation->schema), .name = names.unicode(object.relation->name)});
    if (object.makes_schema) schemas.insert(names.unicode(*object.makes_schema));
    schemas.insert(names.unicode(object.schema));
  }
  for (const SchemaObject& object : post_data) {
    if (object.relation)
      relations.push_back(
          {.schema = names.unicode(object.relation->schema), .name = names.unicode(object.relation->name)});
  }
  for (const TableFilter::Relation& relation : relations) schemas.insert(relation.schema);
  if (const std::vector<std::string> unmatched = filter.unmatched(relations, schemas); !unmatched.empty()) {
    throw Error(ErrorKind::usage,
                fmt::format("no {} of the backup matches {}", filter.has_table_patterns() ? "table" : "schema",
                            fmt::join(unmatched, ", ")),
                "pana show lists the backup's tables");
  }
}

// They stand in the index, not in the script that somebody may have read before: they must be what they are said to be.
void check_statements(const ConstraintIndex& constraint) {
  if (is_one_statement(constraint.create_index, "CREATE UNIQUE INDEX ") &&
      is_one_statement(constraint.add_constraint, "ALTER TABLE ") &&
      constraint.add_constraint.find(" USING INDEX ") != std::string::npos) {
    return;
  }
  throw Error(ErrorKind::damaged, "the index is damaged: a constraint's statements are something else");
}

}  // namespace

void read_large_object_definitions(const RestoreRequest& request, const BackupReader& backup,
                                   const std::stop_token& stop, const std::function<void(SchemaObject object)>& take) {
  if (!wants_large_objects(request) || backup.index().header.large_objects == 0) return;
  WantedObjects(request, backup, stop).read(Phase::pre_data, [&take](SchemaObject object) {
    if (object.is_of_large_object && !object.statements.empty()) take(std::move(object));
  });
}

RestoreSelection select_for_restore(const RestoreRequest& request, const BackupReader& backup, const ScriptNames& names,
                                    Connection& connection, const std::stop_token& stop) {
  RestoreSelection selection;
  WantedObjects wanted(request, backup, stop);
  std::vector<SchemaObject> pre_data;
  std::vector<SchemaObject> post_data;
  wanted.read(Phase::pre_data, [&](SchemaObject object) {
    if (!object.is_of_large_object) {
      pre_data.push_back(std::move(object));
    } else if (wants_large_objects(request)) {
      if (object.type == "BLOB") selection.large_objects.push_back(object.object_id);
      note_roles(object, names, selection.roles_of_large_objects);
    }
  });
  wanted.read(Phase::post_data, [&](SchemaObject object) { post_data.push_back(std::move(object)); });
  const Index& index = backup.index();
  const LeftOutExtensions left_out(request, index, pre_data, names, connection);
  selection.leaves_extensions_out = !left_out.is_empty();
  for (std::vector<SchemaObject>* const objects : {&pre_data, &post_data}) {
    std::erase_if(*objects, [&left_out](const SchemaObject& object) { return left_out.holds(object); });
  }
  const Chooser chooser(request, pre_data, names, index.header);
  for (const std::vector<SchemaObject>* const objects : {&pre_data, &post_data}) {
    refuse_unfit_definitions(connection, index.header, *objects, names,
                             [&chooser](const SchemaObject& object) { return chooser.wants(object); });
  }
  for (const TableInfo& table : index.tables) {
    std::ranges::for_each(table.constraint_indexes, check_statements);
    const bool is_wanted = table.id == kLargeObjects ? wants_large_objects(request)
                                                     : request.filter.includes_rows(table.schema, table.name);
    if (!is_wanted) continue;
    if (table.id != kLargeObjects && left_out.owns({.schema = table.schema, .name = table.name})) {
      selection.extension_tables.insert(table.id);
      selection.left_out_tables.insert(table.id);
      continue;
    }
    selection.tables.push_back(&table);
    selection.table_ids.insert(table.id);
  }
  refuse_unmatched(request.filter, index, pre_data, post_data, names);
  if (request.rows && request.filter.has_table_patterns())
    tell_of_empty_trees(request, chooser, pre_data, post_data, names);
  if (request.rows) {
    for (std::size_t i = 0; i < index.frames.size(); ++i) {
      const std::vector<FrameRows>& parts = index.frames[i].tables;
      if (std::any_of(parts.begin(), parts.end(),
                      [&](const FrameRows& part) { return selection.table_ids.contains(part.table); })) {
        selection.frames.push_back(i);
      }
    }
    for (std::string& statement : statements_of(backup.read_phase(Phase::sequences))) {
      SequenceValue value{.sequence = sequence_of(statement), .sql = std::move(statement)};
      if (!request.filter.is_empty() && (!value.sequence || !chooser.wants(*value.sequence))) continue;
      if (value.sequence &&
          (left_out.owns(names.unicode(*value.sequence)) || is_left_alone(request, names, *value.sequence) ||
           is_missing_with_its_table(connection, request, names, *value.sequence))) {
        selection.left_out_sequences.insert(value.sql);
        continue;
      }
      selection.sequence_values.push_back(std::move(value));
    }
  }
  // What a materialized view shows belongs to the rows.
  std::erase_if(post_data, [&request](const SchemaObject& object) {
    return object.type == "MATERIALIZED VIEW DATA" ? !request.rows : !request.schema;
  });
  const auto is_chosen = [&chooser](const SchemaObject& object) {
    return object.relation && chooser.wants(*object.relation);
  };
  const bool chooses_relation =
      std::ranges::any_of(pre_data, is_chosen) || std::ranges::any_of(post_data, is_chosen);  // a view has no rows
  if (!request.schema) pre_data.clear();
  choose_objects(chooser, std::move(pre_data), std::move(post_data), connection, selection);
  if (!request.filter.includes_everything()) leave_publications_out(connection, selection.post_data);
  if (!request.filter.is_empty() && !chooses_relation && selection.is_empty()) {
    throw Error(ErrorKind::usage, "these patterns leave nothing of the backup", "pana show lists the backup's tables");
  }
  return selection;
}

}  // namespace pana
