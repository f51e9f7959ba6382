// Large objects as SQL that restores them: their definitions, and their contents in pieces.
//
// pg_dump writes them one after another into one stream; here the contents are read by several workers at once. Each
// piece stands on its own, so their order does not matter once the definitions have run.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "pg/connection.h"

namespace pana {

using LargeObjectId = std::uint32_t;

std::vector<LargeObjectId> read_large_object_ids(Connection& connection);

// How much text all large objects of the database may become, from what the server knows without reading them.
std::uint64_t read_large_object_bytes(Connection& connection);

// The statements that create the objects with their owners, grants and comments, in the form of pg_dump's script.
std::string large_object_definitions(Connection& connection, const std::vector<LargeObjectId>& ids);

// Statements that remove those of the objects that exist.
std::vector<std::string> large_object_drops(const std::vector<LargeObjectId>& ids);

// Calls take(line) for every piece of the objects' contents: one line of SQL with its newline.
void read_large_objects(Connection& connection, const std::vector<LargeObjectId>& ids,
                        const std::function<void(std::string_view line)>& take);

}  // namespace pana
