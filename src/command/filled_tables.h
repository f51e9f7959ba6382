// Which tables of a target hold rows.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "pg/connection.h"

namespace pana {

struct TableToLookInto {
  std::string name;       // quoted, in the client's encoding
  std::string text;       // for messages
  std::string condition;  // WHERE ...; empty: any row counts
};

// The texts of those that are there and hold rows. Where the role may not see them, the tables' files tell.
std::vector<std::string> filled_tables(Connection& connection, std::span<const TableToLookInto> tables);

}  // namespace pana
