// The values of sequences.
#pragma once

#include "command/restore_errors.h"
#include "command/restore_request.h"
#include "command/restore_selection.h"
#include "command/sql_names.h"
#include "pg/connection.h"

namespace pana {

// Sets them as the backup has them, in an open transaction; each that is refused is an error of its own, after which,
// unless told to keep going, those that the target had already are where they were. Of these, one that had given out
// more is named in the log: what it gave out since the backup is given out again.
void set_sequences(Connection& connection, const RestoreRequest& request, const RestoreSelection& selection,
                   const ScriptNames& names, RestoreErrors& errors);

}  // namespace pana
