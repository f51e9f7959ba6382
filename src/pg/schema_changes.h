// Whether somebody has changed what a backup reads past its snapshot.
//
// A snapshot covers the rows of the catalog, but not what the server makes of them: the functions that pg_dump asks for
// definitions, and the output of enum, composite and reg... columns, look at the catalog as it is at that moment. Such
// a change takes no lock that a backup could hold against it, so it is looked for afterwards: a row of the catalog that
// the snapshot sees carries, in xmax, the transaction that has replaced or deleted it since.
#pragma once

#include "base/obstacle.h"
#include "pg/connection.h"

namespace pana {

// To be asked in a transaction of the snapshot, after the definitions and the values of sequences were read, or when
// that failed. Throws Obstacle (schema_changed), naming what was renamed, replaced or dropped since.
void refuse_changes_of_schema(Connection& connection);

// The same, after the rows were read: of labels of enums and attributes of composite types, and of everything when
// columns hold names of objects (regtype ...).
void refuse_changes_of_values(Connection& connection);

}  // namespace pana
