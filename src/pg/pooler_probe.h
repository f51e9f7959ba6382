// Finds out whether a pooler in transaction mode stands between us and the server.
//
// Behind one, every transaction may run in another server session, so pg_dump's session settings (search_path = '')
// would end up in other clients' sessions. Must run before anything that changes a session.
#pragma once

#include "pg/connection.h"

namespace pana {

// `a` and `b` are two idle connections of the same target. Throws Error(refused), with the remedy, on proof: while b
// holds a transaction open, a's backend changes, or is b's as soon as b has let go of it. What it does not prove, it
// does not claim: a miss is possible on a busy pool, so it asks up to six times; and an error of the server is thrown
// as what it is. Returns whether any pooler stands in between.
bool refuse_transaction_pooling(Connection& a, Connection& b);

// For the one connection that there is, when a second was not admitted: throws Error(refused) when a pooler stands in
// between, for nothing can prove its mode.
void refuse_unprovable_pooling(Connection& only);

}  // namespace pana
