// The moment that a backup shows: tables locked first, then a snapshot exported for everybody else to read under.
//
// The order matters. An ALTER TABLE that rewrites a table and commits between the snapshot and the lock would make the
// table look empty to the snapshot. LOCK TABLE as the first statement of a REPEATABLE READ transaction takes no
// snapshot yet, so: list the tables, begin, lock them, export, list again inside; if the lists differ, start over.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "pg/catalog.h"
#include "pg/connection.h"
#include "pg/rights.h"

namespace pana {

struct LockPolicy {
  std::chrono::milliseconds lock_timeout{2000};  // how long one attempt may stand in a lock's queue
  std::chrono::seconds give_up_after{300};       // from the first attempt on
};

struct SnapshotRequest {
  TableFilter filter;            // which tables
  bool skip_unreadable = false;  // leave out what the role may not read, and name it, instead of refusing
  bool definitions = true;       // lock those, too, of which only the definition is wanted
  std::function<void(std::vector<CatalogTable>& tables)> narrow = {};  // leaves out more of those listed; may be empty
  LockPolicy locks = {};
};

struct Snapshot {
  std::string id;    // for SET TRANSACTION SNAPSHOT
  std::string time;  // RFC 3339, by the server's clock
  std::vector<CatalogTable> tables;
  TableFilter filter;  // what was asked for, without what is skipped
  Unreadable skipped;
  std::vector<std::string>
      locked_tables;  // as SQL: those with rows, and those of which the backup has the definition only
};

// Leaves `control` in the transaction that holds the locks and the snapshot, with the policy's lock_timeout. What the
// role may not read is refused before, with all of it in the message, or skipped. Throws Error(failed) when a lock
// could not be had in time.
Snapshot lock_and_export(Connection& control, const SnapshotRequest& request);

// Puts a session into a transaction that sees the snapshot, and holds no locks of tables until it reads some.
void import_snapshot(Connection& connection, const std::string& snapshot_id);

// The same transaction, of lock_and_export() or import_snapshot(), without the locks that it has taken since: the
// server's memory for locks is of a fixed size, and the application needs it as well. It also recovers a transaction
// that an error has aborted, and undoes the SETs since.
void release_locks(Connection& connection);

// How many tables a session reads before it lets go of them.
constexpr std::size_t kTablesLockedAtMost = 256;

}  // namespace pana
