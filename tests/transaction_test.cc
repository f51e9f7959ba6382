// Parts of a transaction, on a server.
#include "pg/transaction.h"

#include <gtest/gtest.h>

#include "support/pana.h"

namespace pana::test {
namespace {

class Transaction : public EndToEnd {};

// What the server cannot even parse leaves no savepoint behind that was asked for in the same query.
TEST_F(Transaction, GoesOnBehindWhateverIsRefused) {
  fresh_database("parts");
  Connection connection(DatabaseAddress(cluster().url("parts")), {});
  in_transaction(connection, [&] {
    EXPECT_FALSE(try_in_savepoint(connection, "CREATE TABLE a (); CREATE TABLE b ()"));
    for (const char* const sql : {"CREATE TABLE c (); CREATE NONSENSE", "CREATE TABLE c (); CREATE TABLE a ()"}) {
      const std::optional<DatabaseError> refusal = try_in_savepoint(connection, sql);
      ASSERT_TRUE(refusal) << sql;
      EXPECT_FALSE(refusal->sqlstate().empty());
    }
    EXPECT_FALSE(try_in_savepoint(connection, "CREATE TABLE d ()"));
  });
  EXPECT_EQ("a,b,d", cluster().sql("parts",
                                   "SELECT string_agg(relname, ',' ORDER BY relname) FROM pg_class "
                                   "WHERE relnamespace = 'public'::regnamespace"));
}

}  // namespace
}  // namespace pana::test
