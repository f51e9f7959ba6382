// What of a backup the role may not read: found out before anything begins, all of it at once, so that nobody has to
// mend one grant a night.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "pg/catalog.h"
#include "pg/connection.h"
#include "pg/large_objects.h"
#include "sql/table_filter.h"

namespace pana {

// As Unreadable::names() has it.
std::string name_of(LargeObjectId large_object);

struct Unreadable {
  std::vector<CatalogName> schemas;    // without USAGE; what they hold is among the rest
  std::vector<CatalogName> tables;     // without SELECT
  std::vector<CatalogName> hidden;     // tables whose rows row level security would hide
  std::vector<CatalogName> sequences;  // without SELECT
  std::vector<LargeObjectId> large_objects;

  bool has_relations() const;
  bool empty() const;
  // Each thing's name, with its kind: "table public.orders".
  std::vector<std::string> names() const;
  // The same for a sentence: a, b, c; of many large objects the first.
  std::string list() const;
};

// `tables` and `definitions` are what read_tables() and read_definitions() give for the filter.
Unreadable find_unreadable(Connection& connection, const std::vector<CatalogTable>& tables,
                           const std::vector<CatalogDefinition>& definitions, const TableFilter& filter);

// What the user can say to do without relations, or without large objects, which have no names to exclude them by.
struct WayAround {
  std::string relations;
  std::string large_objects;
};

// Refuses with Error(refused) that names all of it, and the statements that would mend it, unless there is nothing.
void refuse_unreadable(Connection& connection, const Unreadable& unreadable, const WayAround& way_around);

// What pg_dump leaves out of the schema because the server shows it to superusers and owners alone, as pg_dump's own
// users know it: the subscriptions, and the options of user mappings. Nothing when not everything is wanted.
std::vector<std::string> find_kept_from_us(Connection& connection, const TableFilter& filter);

// The filter without it: unreadable tables are left out with their definitions, which pg_dump could not lock; of hidden
// tables and of sequences only the rows and values. Large objects have no filter.
TableFilter leave_out(const TableFilter& filter, const Unreadable& unreadable);

}  // namespace pana
