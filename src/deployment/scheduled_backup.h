// A backup that nobody watches: of the deployment's database into its location, answered with what was made. A failure
// is told to the topic as well.
#pragma once

#include <stop_token>
#include <string>

#include "base/error.h"
#include "base/json.h"
#include "command/backup.h"
#include "deployment/host.h"
#include "sql/table_filter.h"

namespace pana {

class ScheduledBackup {
 public:
  // Reads PANA_LOCATION, PANA_TOPIC_ARN, PANA_JOBS, PANA_COMPRESSION, PANA_EXCLUDE_SCHEMAS and what database_url.h
  // names; throws Error(usage) when they make no sense.
  explicit ScheduledBackup(Host host);

  // Returns within the run's deadline, and keeps some seconds of it for whoever has to answer. A host may start a run
  // twice: one whose backup is there already (by IndexHeader::run) is answered with that backup; two at once make two
  // backups.
  Json run(const Run& run, const std::stop_token& stop) const;

 private:
  class Attempt;

  Host host_;
  std::string location_;
  std::string topic_;
  BackupRequest defaults_;
};

}  // namespace pana
