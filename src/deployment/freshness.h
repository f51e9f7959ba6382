// How old the newest complete backup is, as a metric that an alarm watches.
//
// It is the switch that goes off when nothing happens: backups that stopped without a failure, or this look itself.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "base/json.h"
#include "deployment/host.h"

namespace pana {

class Freshness {
 public:
  // Reads PANA_LOCATION and PANA_EXCLUDE_SCHEMAS; throws Error(usage) when they make no sense. Only backups of what the
  // deployment backs up count: one with other filters, or of another database, is no replacement.
  explicit Freshness(const Host& host);

  Json look(const std::stop_token& stop) const;

 private:
  std::string host_name_;
  std::string location_;
  std::vector<std::string> filters_;
};

}  // namespace pana
