// The large objects of a restore: all but their contents, which are rows.
#pragma once

#include <stop_token>

#include "command/restore_request.h"
#include "command/restore_roles.h"
#include "command/restore_schema.h"
#include "command/restore_selection.h"
#include "format/backup_reader.h"
#include "pg/connection.h"

namespace pana {

// How many of the wanted large objects the target has.
std::size_t count_present_large_objects(Connection& connection, const RestoreSelection& selection);

// Makes them, with their owners, grants and comments; of a restore without definitions those that the target lacks.
// Holds some hundreds of them at a time.
void make_large_objects(Connection& connection, const RestoreRequest& request, const BackupReader& backup,
                        const RestoreSelection& selection, RoleRewriter& roles, SchemaRunner& runner,
                        const std::stop_token& stop);

// Takes the contents from those that are there.
void empty_large_objects(Connection& connection, const RestoreSelection& selection);

}  // namespace pana
