// Finds out whether a pooler in transaction mode stands between us and the server.
//
// Behind one, every transaction may run in another server session, so pg_dump's session settings (search_path = '')
// would end up in other clients' sessions. Must run before anything that changes a session.
#pragma once

#include "pg/connection.h"

namespace pana {

// `a` and `b` are two idle connections of the same target. Throws Error(refused), with the remedy, on proof: while b
// holds a transaction open, a's backend changes, is b's, or is not to be had. What it does not prove, it does not claim: a miss is
// possible on a busy pool, so it asks up to six times. Returns whether any pooler stands in between.
bool refuse_transaction_pooling(Connection& a, Connection& b);

}  // namespace pana
