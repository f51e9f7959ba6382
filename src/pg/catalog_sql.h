// What the questions to the catalog have in common.
#pragma once

#include <string>
#include <string_view>

#include "pg/connection.h"

namespace pana {

// Schemas that belong to the server: pg_dump leaves them out by the same rule. Of the pg_namespace n.
inline constexpr std::string_view kUserSchema = "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'";

// A standby has no contents of these, and refuses to look. Of the pg_class c.
inline constexpr std::string_view kUnloggedOnStandby = "(c.relpersistence = 'u' AND pg_catalog.pg_is_in_recovery())";

// Extensions' configuration tables and sequences, each with its condition.
inline constexpr std::string_view kExtensionRelations =
    "SELECT r.oid, e.extcondition[r.position] AS condition FROM pg_catalog.pg_extension AS e, "
    "pg_catalog.unnest(e.extconfig) WITH ORDINALITY AS r (oid, position)";

// Whether the object of that catalog belongs to an extension, and is restored by CREATE EXTENSION.
std::string member_of_extension(std::string_view catalog, std::string_view oid);

// Runs a catalog query that asks what is visible, under the search path that the role has by itself.
QueryResult query_by_default_path(Connection& connection, const std::string& sql);

}  // namespace pana
