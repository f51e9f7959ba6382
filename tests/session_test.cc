// The sessions of pana's own have the settings that their header promises, whatever the role's are.
#include "pg/session.h"

#include <gtest/gtest.h>

#include "support/pana.h"

namespace pana::test {
namespace {

class SessionSettings : public EndToEnd {
 protected:
  // Of a role whose own settings are all others.
  Connection connect() const {
    fresh_database("settings", "LATIN1");
    cluster().sql("settings", R"(
      DROP ROLE IF EXISTS pana_odd; CREATE ROLE pana_odd;
      ALTER ROLE pana_odd SET statement_timeout = '7s'; ALTER ROLE pana_odd SET lock_timeout = '7s';
      ALTER ROLE pana_odd SET idle_in_transaction_session_timeout = '7s'; ALTER ROLE pana_odd SET DateStyle = 'German';
      ALTER ROLE pana_odd SET IntervalStyle = 'iso_8601'; ALTER ROLE pana_odd SET search_path = 'public';
      ALTER ROLE pana_odd SET extra_float_digits = 0; ALTER ROLE pana_odd SET bytea_output = 'escape';
      ALTER ROLE pana_odd SET TimeZone = 'Asia/Kolkata'; ALTER ROLE pana_odd SET standard_conforming_strings = off;
      ALTER ROLE pana_odd SET client_encoding = 'UTF8'; ALTER ROLE pana_odd SET client_min_messages = 'debug5')");
    cluster().allow_login("pana_odd");
    Connection connection(DatabaseAddress(cluster().url("settings", "pana_odd", cluster().password())), {});
    EXPECT_EQ("LATIN1", database_encoding(connection));
    return connection;
  }

  static void expect(Connection& connection, const std::vector<std::pair<std::string, std::string>>& settings) {
    for (const auto& [name, value] : settings) EXPECT_EQ(value, connection.query("SHOW " + name).string(0, 0)) << name;
    for (const auto& [name, since] :
         {std::pair("idle_session_timeout", 140000), std::pair("transaction_timeout", 170000)}) {
      if (connection.server_version() < since) continue;
      EXPECT_EQ("0", connection.query(std::string("SHOW ") + name).string(0, 0)) << name;
    }
  }
};

TEST_F(SessionSettings, OfReadingGiveRowsOneForm) {
  Connection connection = connect();
  prepare_reading_session(connection, "LATIN1");
  expect(connection, {{"client_encoding", "LATIN1"},
                      {"standard_conforming_strings", "on"},
                      {"search_path", "\"\""},
                      {"statement_timeout", "0"},
                      {"lock_timeout", "0"},
                      {"idle_in_transaction_session_timeout", "1h"},
                      {"DateStyle", "ISO, DMY"},
                      {"IntervalStyle", "postgres"},
                      {"row_security", "off"},
                      {"extra_float_digits", "3"},
                      {"synchronize_seqscans", "off"},
                      {"bytea_output", "hex"},
                      {"TimeZone", "UTC"},
                      {"client_min_messages", "warning"}});
}

TEST_F(SessionSettings, OfLoadingAreThoseOfABackupsPreamble) {
  Connection connection = connect();
  prepare_loading_session(connection, "LATIN1");
  expect(connection, {{"client_encoding", "LATIN1"},
                      {"standard_conforming_strings", "on"},
                      {"search_path", "\"\""},
                      {"statement_timeout", "0"},
                      {"lock_timeout", "0"},
                      {"idle_in_transaction_session_timeout", "0"},
                      {"IntervalStyle", "postgres"},
                      {"row_security", "off"},
                      {"check_function_bodies", "off"},
                      {"xmloption", "content"},
                      {"array_nulls", "on"},
                      {"synchronous_commit", "off"}});
}

TEST_F(SessionSettings, TakeTheWholePreamble) {
  Connection connection = connect();
  connection.query(backup_preamble("UTF8"));
  expect(connection, {{"client_encoding", "UTF8"}, {"search_path", ""}, {"statement_timeout", "0"}});
}

// Before a session is prepared, it waits for the others to be connected, and for pg_dump to be found.
TEST_F(SessionSettings, LetNoTimeoutOfTheRoleEndASessionThatWaits) {
  if (connect().server_version() < 140000) GTEST_SKIP() << "idle_session_timeout came with 14";
  cluster().sql("settings", "ALTER ROLE pana_odd SET idle_session_timeout = '1s'");
  const auto slow_pg_dump = backups_ / "pg_dump";
  write_script(slow_pg_dump, R"([ "$1" != --version ] || sleep 2; exec pg_dump "$@")");
  const std::string url = cluster().url("settings", "pana_odd", cluster().password());
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{"check", url}, {"backup", url, "--to", backups_ / "here"}}) {
    Command command = pana_command(arguments);
    command.environment = {{"PANA_PG_DUMP", slow_pg_dump}};
    EXPECT_TRUE(ends_with(kOk, run(command)));
  }
}

TEST_F(SessionSettings, NeverLowerTheMemoryForIndexes) {
  Connection connection = connect();
  connection.query("SET maintenance_work_mem = '2GB'");
  raise_maintenance_memory(connection, 1);
  EXPECT_EQ("2GB", connection.query("SHOW maintenance_work_mem").string(0, 0));
  connection.query("SET maintenance_work_mem = '1MB'");
  raise_maintenance_memory(connection, 2);
  EXPECT_EQ(
      connection
          .query("SELECT least(setting::int * 8 / 4, 1048576)::text FROM pg_settings WHERE name = 'shared_buffers'")
          .string(0, 0),
      connection.query("SELECT setting FROM pg_settings WHERE name = 'maintenance_work_mem'").string(0, 0));
}

}  // namespace
}  // namespace pana::test
