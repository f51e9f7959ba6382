// Which tables' rows can only be loaded behind those of others, by what the database checks and computes row by row.
//
// A restore loads rows before most constraints are made. Some are there earlier: foreign keys of extensions' own
// tables, with --data-only all of them, and everywhere CHECKs, domains and generated columns, whose functions may read
// other tables.
#pragma once

#include <compare>
#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "pg/connection.h"
#include "sql/schema_names.h"

namespace pana {

enum class ForeignKeys { of_extensions, all };

// Of tables with rows of their own (partitions, not partitioned tables), in the session's encoding.
struct LoadOrder {
  // Tables that refer to others by foreign keys, and how many others at least come before them; all others are of level
  // 0.
  std::map<RelationName, std::size_t> levels;
  // Whose rows must come in one statement: they refer to each other, or a function that is not immutable checks them.
  std::set<RelationName> refer_to_themselves;
  // Tables of which each refers to another one by some way round: no order helps.
  std::set<RelationName> in_circles;
  // Tables whose rows are checked or computed by a function that is no part of PostgreSQL and may read any other table:
  // behind all others, in this order, which is pg_dump's.
  std::vector<RelationName> computed;
  // Tables whose rows triggers or indexes that are there look at with such a function: behind the others of their
  // level, one after another, as far as nothing says that the function reads them.
  std::set<RelationName> watched;
};

// Of these tables, or of all: foreign keys from and to others ask for no order.
LoadOrder read_load_order(Connection& connection, ForeignKeys foreign_keys,
                          const std::set<RelationName>* among = nullptr);

// What each table refers to, without itself; tables that refer to none are no keys.
using References = std::map<RelationName, std::set<RelationName>>;

// Levels and circles. Tables of one circle have one level.
void find_levels(const References& references, LoadOrder& order);

}  // namespace pana
