// Whether the target's encoding can hold what a restore brings.
#pragma once

#include <functional>
#include <vector>

#include "command/restore_request.h"
#include "command/sql_names.h"
#include "format/index.h"
#include "pg/connection.h"
#include "sql/schema_object.h"

namespace pana {

// Throws Error(refused) when the target's encoding cannot hold the backup's text; a warning when it can hold some of
// it, and the restore is to keep going. Comes first: a session in the backup's encoding could not be had.
void check_encoding(Connection& connection, const RestoreRequest& request, const Index& index);

// Throws Error(refused) when it lacks characters of definitions that are wanted: rows that do not fit can be left out
// and named, but a name that does not fit could not even be asked for.
void refuse_unfit_definitions(Connection& connection, const IndexHeader& header,
                              const std::vector<SchemaObject>& objects, const ScriptNames& names,
                              const std::function<bool(const SchemaObject& object)>& is_wanted);

}  // namespace pana
