// Servers that pana does not know, or that answer as they like: refused, or told of as what they are.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "support/pana.h"
#include "support/session.h"

namespace pana::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class OddServers : public EndToEnd {
 protected:
  // The URL of tests/support/scripted_postgres.py, which runs until the test is over.
  std::string start(const std::string& version, int failing_question) {
    server_.emplace(Command{.argv = {"python3", PANA_SOURCE_DIR "/tests/support/scripted_postgres.py", version,
                                     std::to_string(failing_question)}});
    port_ = first_line_of(*server_);
    return fmt::format("postgresql://somebody@127.0.0.1:{}/d", port_);
  }

  std::string port_;

  std::optional<Background> server_;
};

TEST_F(OddServers, OlderThanThirteenAreRefusedByEveryCommand) {
  const std::string backup = back_up(everything().database);
  const std::string url = start("12.3", 0);
  TemporaryDirectory target;
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{"backup", url, "--to", target.path()},
                                             {"restore", backup, "--into", url},
                                             {"verify", backup, "--against", url},
                                             {"check", url}}) {
    const Outcome outcome = pana(arguments);
    EXPECT_TRUE(ends_with(kRefused, outcome));
    EXPECT_THAT(outcome.err + outcome.out, HasSubstr("pana needs PostgreSQL 13 or later, the server is 12.3"))
        << arguments[0];
  }
  EXPECT_THAT(backups_in(target.path()), IsEmpty());
}

// The server does not offer TLS, and another machine might be meant: nothing is said to it without.
TEST_F(OddServers, AreNotSpokenToWithoutEncryptionWhereOneOfThemMayBeElsewhere) {
  start("15.8", 3);
  const std::string servers = fmt::format("host=127.0.0.1,db.invalid port={},1 user=u dbname=d", port_);
  const auto service_file = backups_ / "pg_service.conf";
  std::ofstream(service_file) << fmt::format("[shop]\nhost=127.0.0.1,db.invalid\nport={},1\nuser=u\ndbname=d\n", port_);
  TemporaryDirectory target;
  for (const std::string& url : {servers, std::string("service=shop")}) {
    Command command = pana_command({"backup", url, "--to", target.path()});
    command.environment = {{"PGSERVICEFILE", service_file}};
    const Outcome outcome = pana(command);
    EXPECT_TRUE(ends_with(kFailed, outcome));
    EXPECT_THAT(outcome.err, HasSubstr("server does not support SSL, but SSL was required"));
  }
}

// The third question is the one that is asked while the other connection holds a transaction open.
TEST_F(OddServers, ErrorsDuringTheProbeAreNoProofOfAPooler) {
  const Outcome outcome = pana({"backup", start("15.8", 3), "--to", backups_.path()});
  EXPECT_TRUE(ends_with(kFailed, outcome));
  EXPECT_THAT(outcome.err,
              AllOf(HasSubstr("canceling statement due to statement timeout"), Not(HasSubstr("transaction-mode"))));
}

TEST_F(OddServers, LocksLastWhatOthersUseMost) {
  const Cluster server({"logging_collector = on", "log_filename = 'server.log'", "log_statement = all"});
  server.sql("postgres", "CREATE TABLE a (); CREATE TABLE b (); CREATE TABLE c ()");
  Session reader(server.url("postgres"));
  Session writer(server.url("postgres"));
  reader.execute("BEGIN; TABLE b; TABLE a");
  writer.execute("BEGIN; INSERT INTO a DEFAULT VALUES");
  ASSERT_TRUE(ends_with(kOk, pana({"backup", server.url("postgres"), "--to", backups_.path(), "--jobs", "1"})));
  EXPECT_THAT(server.sql("postgres", "SELECT pg_read_file('log/server.log')"),
              HasSubstr("LOCK TABLE ONLY public.c, ONLY public.b, ONLY public.a IN ACCESS SHARE MODE"));
}

TEST_F(OddServers, WarnsWhenItsLocksAreManyForTheServer) {
  const Cluster small({"max_connections = 25"});
  small.sql("postgres",
            "DO $$ BEGIN FOR i IN 1..1001 LOOP EXECUTE format('CREATE TABLE t_%s ()', i); END LOOP; END $$");
  const Outcome outcome = pana({"backup", small.url("postgres"), "--to", backups_.path()});
  EXPECT_TRUE(ends_with(kOk, outcome));
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("\"many_locks\""), HasSubstr("locks 1001 tables"),
                                 HasSubstr("has room for about"), HasSubstr("raise max_locks_per_transaction")));
}

}  // namespace
}  // namespace pana::test
