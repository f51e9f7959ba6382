// The triggers of a target that would fire for the rows that a restore loads into tables that are there: they change
// these rows, make others, or refuse them, and no count tells.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "command/preflight_rights.h"
#include "command/restore_request.h"
#include "command/restore_selection.h"
#include "format/index.h"
#include "pg/connection.h"

namespace pana {

struct FiringTrigger {
  std::string text;            // note on public.orders
  std::string function_owner;  // in the client's encoding, as the next
  std::string table_owner;
};

// Those for rows that are copied into these relations (OIDs), or through a partitioned one into its partitions.
// `are_disabled`: under session_replication_role = replica, which some fire under, and some only then.
// `events`: of TRIGGER_TYPE_... in pg_trigger.h.
constexpr int kInsertTrigger = 4;
constexpr int kDeleteTrigger = 8;
constexpr int kTruncateTrigger = 32;
std::vector<FiringTrigger> read_firing_triggers(Connection& connection, const std::vector<std::string>& oids,
                                                bool are_disabled, int events = kInsertTrigger);

// Refuses them unless the request lets them fire: then returns them. `are_disabled` as above.
std::vector<std::string> check_firing_triggers(const std::vector<std::string>& triggers, const RestoreRequest& request,
                                               bool are_disabled, Problems& problems);

// Both, for the selected tables of a target in which rows alone are loaded. In an action of with_index_encoding().
std::vector<std::string> check_triggers(Connection& connection, const RestoreRequest& request, const Index& index,
                                        const RestoreSelection& selection, Problems& problems);

}  // namespace pana
