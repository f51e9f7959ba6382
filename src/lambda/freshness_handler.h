// The handler "freshness": how old the newest complete backup is, as a metric that an alarm watches.
//
// It is the switch that goes off when nothing happens: backups that stopped without a failure, or this function itself.
#pragma once

#include "lambda/function.h"

namespace pana {

// Reads PANA_LOCATION and PANA_EXCLUDE_SCHEMAS; throws Error(usage) when they make no sense. Only backups of what the
// deployment backs up count: one with other filters is no replacement.
Handler make_freshness_handler();

}  // namespace pana
