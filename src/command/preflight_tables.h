// Whether the target's tables can take rows that come without their definitions.
#pragma once

#include <string>
#include <vector>

#include "command/preflight_rights.h"
#include "command/restore_request.h"
#include "command/restore_selection.h"
#include "format/index.h"
#include "pg/connection.h"

namespace pana {

// The tables must be there, and empty; of an extension's configuration table, of the rows that are the user's. In an
// action of with_index_encoding(). Returns, for a dry run with `clean`, those that hold rows.
std::vector<std::string> check_tables(Connection& connection, const RestoreRequest& request, const Index& index,
                                      const RestoreSelection& selection, Problems& problems);

}  // namespace pana
