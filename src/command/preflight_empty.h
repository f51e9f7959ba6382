// Whether a restore without --clean would meet what is in the target already.
#pragma once

#include "command/preflight_rights.h"
#include "command/restore_request.h"
#include "command/restore_selection.h"
#include "pg/connection.h"

namespace pana {

// The user's own objects in the schemas that the restore makes something in, or the tables that it makes; and what has
// no schema, and is called as something that it makes.
void check_empty(Connection& connection, const RestoreRequest& request, const RestoreSelection& selection,
                 Problems& problems);

}  // namespace pana
