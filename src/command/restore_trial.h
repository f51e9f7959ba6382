// What a target lacks for parts of a backup, found by trying.
#pragma once

#include <string>
#include <vector>

#include "command/restore_selection.h"
#include "pg/connection.h"

namespace pana {

// Makes the objects, those of post-data as well, in a transaction of the caller's, who then rolls it back: what they need and the
// target lacks, as the server says it. Throws Error(refused) when they are partitions that the target's tables do not take.
std::vector<std::string> find_missing(Connection& connection, const RestoreSelection& selection);

}  // namespace pana
