// The values of sequences.
#pragma once

#include "command/restore_errors.h"
#include "command/restore_request.h"
#include "command/restore_selection.h"
#include "pg/connection.h"

namespace pana {

// Sets them as the backup has them; each that is refused is an error of its own. One that the target had already, and
// that had given out more, is named in the log: what it gave out since the backup is given out again.
void set_sequences(Connection& connection, const RestoreRequest& request, const RestoreSelection& selection,
                   RestoreErrors& errors);

}  // namespace pana
