#include "pg/transaction.h"

namespace pana {

void in_transaction(Connection& connection, const std::function<void()>& action) {
  connection.query("BEGIN");
  action();
  connection.query("COMMIT");
}

std::optional<DatabaseError> try_in_savepoint(Connection& connection, const std::string& sql) {
  connection.query("SAVEPOINT part");  // on its own: of a query that the server cannot parse nothing at all is done
  try {
    connection.query(sql);
  } catch (const DatabaseError& error) {
    if (!connection.is_alive()) throw;
    connection.query("ROLLBACK TO SAVEPOINT part; RELEASE SAVEPOINT part");
    return error;
  }
  connection.query("RELEASE SAVEPOINT part");
  return std::nullopt;
}

}  // namespace pana
