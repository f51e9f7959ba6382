// pana check: everything that could go wrong tonight, looked at before tonight.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "command/backup_request.h"
#include "command/locations.h"

namespace pana {

enum class CheckState { ok, warning, failed };

struct CheckResult {
  std::string subject;  // "pooler", "pg_dump" ...
  CheckState state = CheckState::ok;
  std::string message;
  std::string hint;
};

// Does what this backup does before its first row, and undoes it: connects, probes, looks for pg_dump, locks, exports,
// and begins an upload that it abandons. An empty `location` is not looked at. A failed check does not end the others
// unless they depend on it.
std::vector<CheckResult> check(const BackupRequest& request, const std::string& location, const StoreAccess& access,
                               const std::stop_token& stop);

}  // namespace pana
