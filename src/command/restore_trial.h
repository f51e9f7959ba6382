// What a target would not let a restore do, found by trying.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "command/restore_selection.h"
#include "pg/connection.h"

namespace pana {

// An object that the restoring role may not make, or hand over, or grant rights on.
struct Refusal {
  const SchemaObject* object = nullptr;
  std::string why;                                 // as the server says it
  StatementRole what = StatementRole::definition;  // or owner, or privilege
  std::string owner;                               // to be, of an owner
  std::optional<std::string> kept_schema;  // that the object stands in, when the restore finds it there and leaves it
};

struct TrialFindings {
  std::vector<std::string> missing;  // what the objects need and the target lacks, as the server says it
  std::vector<Refusal> refused;
  std::vector<std::string> taken;         // what the target has already, as the server says it
  std::vector<std::string> not_attached;  // partitions, and indexes of such, that the target's tables do not take
  std::set<RelationName> lost;            // tables that cannot be made
  std::vector<std::string> opened;        // restrictive policies that are missing, and policies on adapted tables
  std::map<const SchemaObject*, std::string> adapted;  // definitions that the target takes, in place of their own
  std::vector<std::string> adaptations;                // what is different of them, each with its table
};

// Makes the objects, those of post-data as well, gives them their owners and grants what is granted, in the order of
// for_pre_data(), in a transaction of the caller's, who then rolls it back. `adapts`: tables that name what the target
// lacks are tried without (sql/table_adaptation.h).
TrialFindings try_objects(Connection& connection, const RestoreSelection& selection, bool adapts);

}  // namespace pana
