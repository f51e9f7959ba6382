// Reads by what names the objects of a database go, whose they are and what is granted on them.
//
// A backup keeps it of its own objects; a restore into a database that is not empty asks the target the same question.
#pragma once

#include <set>
#include <string_view>
#include <vector>

#include "format/database_object.h"
#include "pg/connection.h"

namespace pana {

// Those `wanted` that still exist, the schema public, which has no entry of its own as a rule, and members of
// extensions that have rights of their own. Needs no rights: catalogs alone are read. `encoding` is the database's, and
// the session's; what is returned is Unicode.
std::vector<DatabaseObject> read_identities(Connection& connection, std::string_view encoding,
                                            const std::set<ObjectId>& wanted);

// All of the database, without what every PostgreSQL has (but with the schema public), as the session writes names.
// Rights are those that hold, the built-in ones as well.
std::vector<DatabaseObject> read_present_objects(Connection& connection);

}  // namespace pana
