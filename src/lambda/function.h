// pana as a function of AWS Lambda: started without arguments, told by its environment what it is.
//
// _HANDLER names what an invocation does: "backup" (backup_handler.h) or "freshness" (freshness_handler.h).
#pragma once

#include <functional>
#include <stop_token>

#include "base/json.h"
#include "lambda/runtime.h"

namespace pana {

// Whether this process was started by Lambda (or something that speaks its Runtime API).
bool is_lambda();

// What to do when memory was not enough.
constexpr const char* kMemoryHint = "raise memory_size, or lower jobs";

// What an invocation does: returns its answer, or throws what becomes its error.
using Handler = std::function<Json(const Invocation& invocation, const std::stop_token& stop)>;

// Serves invocations until it is stopped; returns the exit status. What makes every invocation fail (an unknown handler,
// a setting that is missing) is told to Lambda once, as the failure of the initialization.
int run_lambda(const std::stop_token& stop);

}  // namespace pana
