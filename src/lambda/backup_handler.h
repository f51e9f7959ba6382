// The handler "backup": one backup of the deployment's database into its location, answered with what was made; a
// failure is told to the topic as well.
#pragma once

#include "lambda/function.h"

namespace pana {

// Reads PANA_LOCATION, PANA_TOPIC_ARN, PANA_JOBS, PANA_COMPRESSION, PANA_EXCLUDE_SCHEMAS and what database_url.h names;
// throws Error(usage) when they make no sense.
//
// Lambda may deliver an event twice. A run whose backup is there already (by IndexHeader::run) is answered with that
// backup; two at once make two backups.
Handler make_backup_handler();

}  // namespace pana
