// Of a Reconciliation: rights end as they were in the source.
//
// What the restore makes gets its rights by the backup's own statements. For what was there, and for members of
// extensions, these say too little: they start from PostgreSQL's defaults, and the target may have given more, or less.
// So the rights of the index are compared with those of the target, and what differs is granted or taken one by one. An
// owner's own rights count where the source says them: where it has PostgreSQL's defaults, an owner has all of them.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <functional>
#include <optional>
#include <utility>

#include "base/human.h"
#include "command/reconcile.h"
#include "command/restore_schema.h"
#include "pg/default_privileges.h"
#include "pg/transaction.h"
#include "sql/access_rights.h"

namespace pana {
namespace {

constexpr std::uint32_t kFunction = 1255;
constexpr std::uint32_t kType = 1247;
constexpr std::uint32_t kLanguage = 2612;
constexpr std::uint32_t kNamespace = 2615;
constexpr std::uint32_t kForeignDataWrapper = 2328;
constexpr std::uint32_t kForeignServer = 1417;
constexpr std::uint32_t kDefaultAcl = 826;

// A right, and who granted it.
using Granted = std::map<AccessRight, std::string>;

Granted parse_rights(const std::vector<std::string>& items) {
  Granted granted;
  for (const std::string& text : items) {
    const std::optional<AccessItem> item = parse_access_item(text);
    if (!item) throw Error(ErrorKind::damaged, fmt::format("{} is no right that PostgreSQL writes", text));
    for (const AccessRight& right : item->rights) granted.emplace(right, item->grantor);
  }
  return granted;
}

// acldefault() of acl.c: what everybody may do with a new object of the kind.
Granted default_rights(std::uint32_t catalog, const std::string& owner) {
  if (catalog == kFunction) return {{{.grantee = "", .privilege = 'X'}, owner}};
  if (catalog == kType || catalog == kLanguage) return {{{.grantee = "", .privilege = 'U'}, owner}};
  return {};
}

bool has_rights(std::uint32_t catalog) {
  return catalog == kRelationCatalog || catalog == kFunction || catalog == kType || catalog == kLanguage ||
         catalog == kNamespace || catalog == kForeignDataWrapper || catalog == kForeignServer || catalog == kDefaultAcl;
}

// An object, or a column of it.
struct Place {
  const DatabaseObject* wanted = nullptr;
  const DatabaseObject* present = nullptr;
  std::string column;  // empty: the object itself

  std::string text() const {
    return fmt::format("{} {}{}", wanted->address.type, fmt::join(wanted->address.names, "."),
                       column.empty() ? "" : fmt::format(" ({})", column));
  }
};

struct Difference {
  Place place;
  AccessRight right;
  std::string grantor;  // in the source, of what is missing
  bool is_missing = false;
};

class RightsComparison {
 public:
  RightsComparison(const Index& index, const RestoreRequest& request, int server_version)
      : index_(index), request_(request), source_knows_maintain_(index.header.server_version_num >= 170000),
        knows_maintain_(server_version >= 170000) {}

  // Of objects for which `is_compared` holds.
  std::vector<Difference> compare(const TargetObjects& target,
                                  const std::function<bool(const DatabaseObject& object)>& is_compared) {
    differences_.clear();
    for (const DatabaseObject& object : index_.objects) {
      const DatabaseObject* const present = target.find(object.address);
      if (present == nullptr || !has_rights(object.id.catalog) || !is_compared(object)) continue;
      const Granted wanted =
          object.rights ? parse_rights(*object.rights) : default_rights(object.id.catalog, object.owner);
      add({.wanted = &object, .present = present, .column = ""}, wanted,
          parse_rights(present->rights.value_or(std::vector<std::string>())), object.rights.has_value());
      std::map<std::string, std::pair<Granted, Granted>> columns;
      for (const ColumnRights& column : object.column_rights)
        columns[column.column].first = parse_rights(column.rights);
      for (const ColumnRights& column : present->column_rights)
        columns[column.column].second = parse_rights(column.rights);
      for (const auto& [column, rights] : columns)
        add({.wanted = &object, .present = present, .column = column}, rights.first, rights.second, true);
    }
    return differences_;
  }

 private:
  // The owner's own rights count only where the source says them; who owned it there may keep what it has here.
  void add(const Place& place, const Granted& wanted, const Granted& present, bool says_owners) {
    const std::string owner = request_.mapped(place.wanted->owner);
    const auto counts = [&](const AccessRight& right) {
      if (right.grantee == place.present->owner) return says_owners && owner == place.present->owner;
      return right.grantee != owner;
    };
    std::set<AccessRight> expected;
    for (const auto& [right, grantor] : wanted) {
      AccessRight here = right;
      here.grantee = request_.mapped(right.grantee);
      expected.insert(here);
      const bool is_known = here.privilege != 'm' || (knows_maintain_ && source_knows_maintain_);
      if (!present.contains(here) && counts(here) && is_known)
        differences_.push_back({.place = place, .right = here, .grantor = grantor, .is_missing = true});
    }
    for (const auto& [right, grantor] : present) {
      const bool is_owners_new =
          right.privilege == 'm' && !source_knows_maintain_ && right.grantee == place.present->owner;
      if (!expected.contains(right) && counts(right) && !is_owners_new)
        differences_.push_back({.place = place, .right = right, .grantor = "", .is_missing = false});
    }
  }

  const Index& index_;
  const RestoreRequest& request_;
  const bool source_knows_maintain_;  // the right, which came with 17
  const bool knows_maintain_;
  std::vector<Difference> differences_;
};

std::string grantee_sql(Connection& connection, const AccessRight& right) {
  return right.grantee.empty() ? "PUBLIC" : connection.quote_identifier(right.grantee);
}

std::string object_sql(Connection& connection, const DatabaseObject& object) {
  const QueryResult found = connection.query(
      fmt::format("SELECT identity FROM pg_catalog.pg_identify_object({}, {}, 0)", object.id.catalog, object.id.oid));
  const std::string identity = found.string(0, 0);
  switch (object.id.catalog) {
    case kRelationCatalog: return (object.address.type == "sequence" ? "SEQUENCE " : "TABLE ") + identity;
    case kFunction: return "ROUTINE " + identity;
    case kType: return "TYPE " + identity;
    case kLanguage: return "LANGUAGE " + identity;
    case kNamespace: return "SCHEMA " + identity;
    case kForeignDataWrapper: return "FOREIGN DATA WRAPPER " + identity;
    case kForeignServer: return "FOREIGN SERVER " + identity;
    default: return {};
  }
}

std::string statement_for(Connection& connection, const Difference& difference) {
  const std::string_view privilege = privilege_name(difference.right.privilege);
  const std::string object = object_sql(connection, *difference.place.present);
  if (privilege.empty() || object.empty()) return {};
  const std::string what =
      difference.place.column.empty()
          ? std::string(privilege)
          : fmt::format("{} ({})", privilege, connection.quote_identifier(difference.place.column));
  const std::string grantee = grantee_sql(connection, difference.right);
  if (difference.is_missing)
    return fmt::format("GRANT {} ON {} TO {}{}", what, object, grantee,
                       difference.right.grantable ? " WITH GRANT OPTION" : "");
  // What was granted on from there goes with it, and is granted again where the source has it.
  return fmt::format("REVOKE {} ON {} FROM {} CASCADE", what, object, grantee);
}

std::string text_of(const Difference& difference) {
  return fmt::format("{} on {}{} {}", privilege_name(difference.right.privilege), difference.place.text(),
                     difference.is_missing ? " is not granted to" : " is granted to",
                     difference.right.grantee.empty() ? "everybody" : difference.right.grantee);
}

void run_statement(Connection& connection, const std::string& sql) {
  try {
    connection.query(sql);
  } catch (const DatabaseError&) {
    if (!connection.is_alive()) throw;  // the comparison behind it tells what is not as it was
  }
  connection.take_refused_grants();
}

// Those that are there are set back to PostgreSQL's own first: the source may have had none where the target has some.
// Returns what was refused.
std::vector<std::string> restore_default_privileges(Connection& connection, const std::vector<SchemaObject>& wanted,
                                                    const TargetObjects& target, const ScriptNames& names) {
  std::vector<std::string> refused;
  connection.query("BEGIN");
  const QueryResult roles = connection.query(
      "SELECT DISTINCT r.rolname FROM pg_catalog.pg_default_acl AS d JOIN pg_catalog.pg_roles AS r ON r.oid = "
      "d.defaclrole ORDER BY 1");
  const auto run = [&](const std::string& sql) {
    if (const std::optional<DatabaseError> error = try_in_savepoint(connection, sql))
      refused.push_back(fmt::format("{} ({})", sql, error->what()));
  };
  for (int row = 0; row < roles.rows(); ++row) {
    const std::string role = roles.string(row, 0);
    if (target.may_act_for(names.unicode(role)))
      run(DefaultPrivileges::read(connection, role).aside("rSfTnL", std::nullopt).before);
  }
  for (const SchemaObject& object : wanted) {
    if (!target.may_act_for(names.unicode(object.owner))) continue;
    for (const SchemaStatement& statement : object.statements) run(statement.sql);
  }
  connection.query("COMMIT");
  return refused;
}

}  // namespace

// Gives and takes what is the user's to give and take, until nothing changes any more; only takes, where rows are yet
// to come in. Returns what differs afterwards.
std::pair<std::vector<std::string>, std::size_t> Reconciliation::settle_rights(bool only_takes) {
  RightsComparison comparison(index_, request_, connection_.server_version());
  const auto is_compared = [this](const DatabaseObject& object) {
    return (is_whole_ || chosen_.contains(object.id)) && object.id.catalog != (is_whole_ ? 0 : kDefaultAcl);
  };
  constexpr int kRounds = 4;
  for (int round = 1;; ++round) {
    const TargetObjects target(connection_, index_.header);
    const std::vector<Difference> differences = comparison.compare(target, is_compared);
    // On what is the platform's, the user's own grants are those that the user or a role of the user's gave, and those
    // to roles that no new project has.
    const auto is_users = [&](const Difference& difference) {
      const DatabaseObject& present = *difference.place.present;
      if (target.may_act_for(present.owner) || !target.is_platforms(present.owner)) return true;
      return difference.is_missing &&
             (target.may_act_for(difference.grantor) ||
              (!difference.right.grantee.empty() && !target_.has_role(difference.right.grantee)));
    };
    std::vector<std::string> statements;
    with_index_encoding(connection_, index_.header, [&] {
      for (const bool grants : {false, true}) {  // a right without its grant option goes before the one with it comes
        for (const Difference& difference : differences) {
          if (difference.is_missing != grants || (grants && only_takes) || !is_users(difference)) continue;
          if (grants && !difference.right.grantee.empty() && !target.has_role(difference.right.grantee)) continue;
          std::string sql = statement_for(connection_, difference);
          if (!sql.empty()) statements.push_back(std::move(sql));
        }
      }
      if (round < kRounds) {
        for (const std::string& sql : statements) run_statement(connection_, sql);
        report_.rights_changed += statements.size();
      }
    });
    if (!statements.empty() && round < kRounds) continue;
    std::vector<std::string> left;
    std::size_t of_platform = 0;
    for (const Difference& difference : differences) {
      if (is_users(difference)) {
        left.push_back(text_of(difference));
      } else {
        ++of_platform;
      }
    }
    return {left, of_platform};
  }
}

void Reconciliation::close_tables(const RestoreSelection& selection, RestoreErrors& errors) {
  for (const SchemaObject& object : selection.post_data) {
    if (object.type != "ROW SECURITY" || !object.relation || !relations_.contains(names_.unicode(*object.relation)))
      continue;
    errors.attempt(subject_of(object), connection_, [&] {
      for (const SchemaStatement& statement : object.statements) connection_.query(statement.sql);
    });
  }
  if (request_.privileges) settle_rights(/*only_takes=*/true);
}

void Reconciliation::restore_rights() {
  for (const std::string& sql : forced_)
    connection_.query(sql);  // before the rows, it would keep their owner from them
  if (!request_.privileges) return;
  if (is_whole_) {
    for (std::string& refused : restore_default_privileges(connection_, default_privileges_,
                                                           TargetObjects(connection_, index_.header), names_)) {
      report_.lost.push_back("default privileges: " + refused);
      report_.rights_different.push_back(std::move(refused));
    }
  }
  auto [left, of_platform] = settle_rights(/*only_takes=*/false);
  for (std::string& difference : left) {
    report_.lost.push_back(difference);
    report_.rights_different.push_back(std::move(difference));
  }
  if (of_platform > 0)
    report_.rights_different.push_back(
        fmt::format("{} on the platform's own objects, which are its own matter", counted(of_platform, "other right")));
}

}  // namespace pana
