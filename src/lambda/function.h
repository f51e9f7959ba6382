// pana as a function of AWS Lambda: started without arguments, told by its environment what it is.
//
// _HANDLER names what an invocation does: "backup" (deployment/scheduled_backup.h) or "freshness"
// (deployment/freshness.h).
#pragma once

#include <stop_token>

namespace pana {

// Whether this process was started by Lambda (or something that speaks its Runtime API).
bool is_lambda();

// Serves invocations until it is stopped; returns the exit status. What makes every invocation fail (an unknown
// handler, a setting that is missing) is told to Lambda once, as the failure of the initialization.
int run_lambda(const std::stop_token& stop);

}  // namespace pana
