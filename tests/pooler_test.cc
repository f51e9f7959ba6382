// Behind a pooler: session mode works with the connections there are, transaction mode is refused before any harm.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "pg/pooler_probe.h"
#include "support/pana.h"
#include "support/pgbouncer.h"
#include "support/session.h"

namespace pana::test {
namespace {

using testing::AnyOf;
using testing::HasSubstr;
using testing::IsEmpty;

class Pooler : public EndToEnd {
 protected:
  void SetUp() override {
    EndToEnd::SetUp();
    if (IsSkipped()) return;
    if (const auto reason = PgBouncer::missing()) GTEST_SKIP() << *reason;
    fresh_database("pooled");
    cluster().sql("pooled", "CREATE TABLE t AS SELECT i, md5(i::text) AS x FROM generate_series(1, 50000) AS i");
  }

  Outcome back_up_through(const PgBouncer& pooler, const std::string& jobs) const {
    Command command = pana_command({"backup", pooler.url("pooled"), "--to", backups_.path(), "--jobs", jobs});
    command.timeout = std::chrono::minutes(3);
    return pana(command);
  }

  void expect_backup_holds_the_table() const {
    ASSERT_TRUE(ends_with(kOk, pana({"verify", backups_.path(), "--against", cluster().url("pooled")})));
  }
};

TEST_F(Pooler, InSessionModeWorks) {
  const PgBouncer pooler(cluster(), {.pool_mode = "session"});
  ASSERT_TRUE(ends_with(kOk, back_up_through(pooler, "4")));
  expect_backup_holds_the_table();
}

TEST_F(Pooler, WithFewerConnectionsThanJobsWorksWithThoseThereAre) {
  const PgBouncer pooler(cluster(), {.pool_mode = "session", .pool_size = 3});
  ASSERT_TRUE(ends_with(kOk, back_up_through(pooler, "8")));
  expect_backup_holds_the_table();
}

// One holds the locks and the snapshot, and gives pg_dump its session; the other reads the rows.
TEST_F(Pooler, WithTwoConnectionsWorks) {
  const PgBouncer pooler(cluster(), {.pool_mode = "session", .pool_size = 2});
  ASSERT_TRUE(ends_with(kOk, back_up_through(pooler, "8")));
  expect_backup_holds_the_table();
}

TEST_F(Pooler, ThatRefusesLoginsWorksWithThoseItTakes) {
  const PgBouncer pooler(cluster(), {.pool_mode = "session", .pool_size = 10, .max_client_connections = 2});
  ASSERT_TRUE(ends_with(kOk, back_up_through(pooler, "8")));
  expect_backup_holds_the_table();
}

// The poolers of these two tests keep a client waiting for longer than any of us would.

TEST_F(Pooler, WithOneConnectionFailsWithASentence) {
  const PgBouncer pooler(cluster(), {.pool_mode = "session", .pool_size = 1, .query_wait_timeout_seconds = 600});
  const Outcome outcome = back_up_through(pooler, "4");
  EXPECT_TRUE(ends_with(kFailed, outcome));
  EXPECT_THAT(outcome.err, HasSubstr("the server admitted only one connection"));
  EXPECT_THAT(backups_in(backups_.path()), IsEmpty());
}

TEST_F(Pooler, WithNoConnectionLeftFailsWithASentence) {
  const PgBouncer pooler(cluster(), {.pool_mode = "session", .pool_size = 1, .query_wait_timeout_seconds = 600});
  Session application(pooler.url("pooled"));
  application.execute("SELECT 1");
  const Outcome outcome = back_up_through(pooler, "4");
  EXPECT_TRUE(ends_with(kFailed, outcome));
  EXPECT_THAT(outcome.err, HasSubstr("did not answer"));
  EXPECT_THAT(backups_in(backups_.path()), IsEmpty());
}

TEST_F(Pooler, InTransactionModeIsRefusedWithTheRemedy) {
  const PgBouncer pooler(cluster(), {.pool_mode = "transaction", .pool_size = 5});
  for (int i = 0; i < 5; ++i) {
    const Outcome outcome = back_up_through(pooler, "4");
    EXPECT_TRUE(ends_with(kRefused, outcome));
    EXPECT_THAT(outcome.err, HasSubstr("transaction"));
    EXPECT_THAT(outcome.err, AnyOf(HasSubstr("5432"), HasSubstr("session")));
  }
  EXPECT_THAT(backups_in(backups_.path()), IsEmpty());
}

TEST_F(Pooler, InStatementModeIsRefused) {
  const PgBouncer pooler(cluster(), {.pool_mode = "statement", .pool_size = 5});
  const Outcome outcome = pana({"backup", pooler.url(big().database), "--to", backups_.path()});
  EXPECT_TRUE(ends_with(kRefused, outcome));
  EXPECT_THAT(outcome.err, HasSubstr("a pooler in statement mode"));
}

// The damage of transaction mode only shows under load: pg_dump's search_path leaks into the application's sessions.
TEST_F(Pooler, InTransactionModeUnderLoadIsRefusedBeforeTheApplicationIsHarmed) {
  const PgBouncer pooler(cluster(), {.pool_mode = "transaction", .pool_size = 6});
  std::string loop;
  for (int i = 0; i < 400; ++i) loop += "SELECT count(*) FROM t WHERE t.i < 50;\n";
  std::vector<std::unique_ptr<Background>> applications;
  for (int i = 0; i < 4; ++i) {
    Command client = cluster().client(
        "psql", {"-X", "-q", "-o", "/dev/null", "-v", "ON_ERROR_STOP=1", "-d", pooler.url("pooled")}, "pooled");
    client.environment.erase("PGOPTIONS");  // the pooler refuses startup options
    client.input = loop;
    applications.push_back(std::make_unique<Background>(client));
  }
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(ends_with(kRefused, back_up_through(pooler, "4")));
  for (const auto& application : applications) EXPECT_TRUE(ends_with(kOk, application->wait()));
}

// Two hundred probes: of pools in both modes, with one server session, with few and with many, idle and busy.
TEST_F(Pooler, IsKnownByItsModeEveryTime) {
  struct Pool {
    std::string mode;
    int size;
    bool busy;
    int probes;
  };
  for (const Pool& pool : {Pool{"session", 20, false, 40}, Pool{"session", 20, true, 60},
                           Pool{"transaction", 5, false, 40}, Pool{"transaction", 6, true, 60}}) {
    SCOPED_TRACE(fmt::format("{} {} {}", pool.mode, pool.size, pool.busy ? "busy" : "idle"));
    const PgBouncer pooler(cluster(), {.pool_mode = pool.mode, .pool_size = pool.size});
    std::vector<std::unique_ptr<Background>> applications;
    for (int i = 0; pool.busy && i < 4; ++i) {
      Command client = cluster().client("psql", {"-X", "-q", "-o", "/dev/null", "-d", pooler.url("pooled")}, "pooled");
      client.environment.erase("PGOPTIONS");
      for (int j = 0; j < 20'000; ++j) client.input += "SELECT count(*) FROM t WHERE t.i < 50;\n";
      applications.push_back(std::make_unique<Background>(client));
    }
    int refused = 0;
    for (int probe = 0; probe < pool.probes; ++probe) {
      Connection a(DatabaseAddress(pooler.url("pooled")), {});
      Connection b(DatabaseAddress(pooler.url("pooled")), {});
      a.query("SELECT 1");
      b.query("SELECT 1");
      try {
        EXPECT_TRUE(refuse_transaction_pooling(a, b));
      } catch (const Error& error) {
        EXPECT_EQ(ErrorKind::refused, error.kind()) << error.what();
        ++refused;
      }
    }
    for (const auto& application : applications) EXPECT_FALSE(application->ends_within(std::chrono::milliseconds(0)));
    EXPECT_EQ(pool.mode == "session" ? 0 : pool.probes, refused);
  }
}

TEST_F(Pooler, InTransactionModeWithASingleServerSessionIsRefused) {
  const PgBouncer pooler(cluster(), {.pool_mode = "transaction", .pool_size = 1});
  const Outcome outcome = back_up_through(pooler, "4");
  EXPECT_TRUE(ends_with(kRefused, outcome));
  EXPECT_THAT(outcome.err, HasSubstr("transaction-mode pooler"));
}

// With one connection nothing shows the pooler's mode, and what is not proven is no pass.
TEST_F(Pooler, WithOneConnectionIsRefusedByWhatWouldGoOnWithOne) {
  const PgBouncer pooler(cluster(), {.pool_mode = "transaction", .pool_size = 5, .max_client_connections = 1});
  back_up("pooled");
  fresh_database("restored");
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{"restore", backups_.path(), "--into", pooler.url("restored")},
                                             {"verify", backups_.path(), "--against", pooler.url("pooled")}}) {
    const Outcome outcome = pana(arguments);
    EXPECT_TRUE(ends_with(kRefused, outcome));
    EXPECT_THAT(outcome.err, HasSubstr("a pooler that admitted one connection only"));
  }
}

TEST_F(Pooler, InSessionModeCarriesARestore) {
  const PgBouncer pooler(cluster(), {.pool_mode = "session", .pool_size = 3});
  back_up("pooled");
  fresh_database("restored");
  Command command = pana_command({"restore", backups_.path(), "--into", pooler.url("restored"), "--jobs", "8"});
  command.timeout = std::chrono::minutes(3);
  ASSERT_TRUE(ends_with(kOk, pana(command)));
  EXPECT_EQ("", differences(content_of(cluster(), "pooled"), content_of(cluster(), "restored")));
}

}  // namespace
}  // namespace pana::test
