// Transactions, and parts of them that may be refused.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "pg/connection.h"

namespace pana {

// Runs the action between BEGIN and COMMIT. What it throws leaves the transaction open, for a connection that is given
// up.
void in_transaction(Connection& connection, const std::function<void()>& action);

// Runs the SQL, one statement or several, in an open transaction: what is refused is as if it had never been tried, and
// the transaction goes on. Returns the refusal. Throws DatabaseError when the connection broke.
std::optional<DatabaseError> try_in_savepoint(Connection& connection, const std::string& sql);

}  // namespace pana
