// Reads what belongs to the database and lies outside of it.
#pragma once

#include <string_view>
#include <vector>

#include "format/globals.h"
#include "pg/catalog.h"
#include "pg/connection.h"

namespace pana {

// The roles `named` by the database's objects, those that its owner, grants and settings name, those that are members
// of them and those that all these are members of, however far; with what joins them. Any role may read this: passwords
// are no part of it. `encoding` is the database's, and the session's; what is returned is Unicode.
Globals read_globals(Connection& connection, std::string_view encoding, const std::vector<CatalogRole>& named);

// What is granted on the database, the owner's own rights left out; in the session's encoding.
std::vector<DatabaseGrant> read_database_grants(Connection& connection);

// The same of all roles of the cluster, in the session's encoding.
Globals read_present_globals(Connection& connection);

}  // namespace pana
