// pana check: everything that could go wrong tonight, looked at before tonight.
#pragma once

#include <chrono>
#include <stop_token>
#include <string>
#include <vector>

#include "command/locations.h"
#include "sql/table_filter.h"

namespace pana {

enum class CheckState { ok, warning, failed };

struct CheckResult {
  std::string subject;  // "pooler", "pg_dump" ...
  CheckState state = CheckState::ok;
  std::string message;
  std::string hint;
};

struct CheckRequest {
  std::string url;
  std::string location;  // empty: do not look
  std::size_t jobs = 4;  // 0: as many as fit the processors and the database's size
  TableFilter filter;
  bool skip_unreadable = false;               // as the backup would
  std::chrono::seconds longest_silence{600};  // of the server; 0: no limit
};

// Does what a backup does before its first row, and undoes it: connects, probes, looks for pg_dump, locks, exports,
// and begins an upload that it abandons. A failed check does not end the others unless they depend on it.
std::vector<CheckResult> check(const CheckRequest& request, const StoreAccess& access, const std::stop_token& stop);

}  // namespace pana
