// What an invocation of the handler "backup" asks for.
//
// {}, or nothing, is a backup as the deployment has it. The members of backup_options() and TableFilter::options()
// change it for one run. An event of EventBridge is one without members, unless its "detail" has some.
#pragma once

#include <string>

#include "command/backup_request.h"

namespace pana {

// `event` is JSON; `defaults` is what the deployment says, and `request_id` names the run unless EventBridge, which may
// deliver an event twice, names it. Throws Error(usage) for what it does not understand, without repeating it.
BackupRequest parse_backup_event(const std::string& event, const std::string& request_id, BackupRequest defaults);

}  // namespace pana
