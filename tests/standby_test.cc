// A hot standby as the source: what it has is backed up, what only its primary has is named.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/pana.h"
#include "support/wait.h"

namespace pana::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class Standby : public EndToEnd {};

TEST_F(Standby, IsBackedUpWithoutTheRowsOfUnloggedTables) {
  const Cluster primary;
  primary.create_database("followed");
  primary.sql("followed",
              "CREATE TABLE normal AS SELECT i AS id FROM generate_series(1, 1000) AS i; CREATE SEQUENCE numbers; "
              "SELECT setval('numbers', 7);"
              "CREATE UNLOGGED TABLE cache (id int GENERATED ALWAYS AS IDENTITY, t text); INSERT INTO cache (t) VALUES "
              "('x'); SELECT lo_from_bytea(0, 'large')");
  const std::unique_ptr<Cluster> standby = Cluster::standby_of(primary);
  ASSERT_TRUE(becomes_true(
      [&] { return standby->sql("postgres", "SELECT count(*) FROM pg_database WHERE datname = 'followed'") == "1"; }));
  const std::string url = standby->url("followed");

  const Outcome check = pana({"check", url});
  EXPECT_TRUE(ends_with(kOk, check));
  EXPECT_THAT(check.out, HasSubstr("the server is a standby, which has no contents of the unlogged public.cache"));
  const Outcome backup = pana({"backup", url, "--to", backups_.path()});
  ASSERT_TRUE(ends_with(kOk, backup));
  EXPECT_THAT(backup.err, HasSubstr("which a standby does not have: public.cache"));

  const std::filesystem::path file = backups_in(backups_.path()).at(0);
  EXPECT_THAT(pana({"show", file}).out, HasSubstr("left out    contents of unlogged public.cache"));
  EXPECT_TRUE(ends_with(kOk, pana({"verify", file, "--against", primary.url("followed")})))
      << "the primary has rows of it";
  EXPECT_TRUE(ends_with(kOk, pana({"verify", file, "--against", url})));
  const std::string target = fresh_database("target");
  ASSERT_TRUE(ends_with(kOk, pana({"restore", file, "--into", target, "--verify"})));
  EXPECT_EQ("1000|0|7|u",
            cluster().sql(
                "target",
                "SELECT (SELECT count(*) FROM normal), (SELECT count(*) FROM cache), (SELECT last_value FROM numbers), "
                "(SELECT relpersistence FROM pg_class WHERE relname = 'cache')"));
}

TEST_F(Standby, AsATargetIsRefused) {
  const Cluster primary;
  const std::unique_ptr<Cluster> standby = Cluster::standby_of(primary);
  fresh_database("any");
  const std::filesystem::path file = back_up("any");
  const Outcome outcome = pana({"restore", file, "--into", standby->url("postgres")});
  EXPECT_TRUE(ends_with(kRefused, outcome));
  EXPECT_THAT(outcome.err, HasSubstr("restore into the primary if this is a standby"));
}

// What cannot be read names its table, and what helps.
class UnreadableRows : public EndToEnd {
 protected:
  Outcome back_up_damaged() const {
    return pana({"backup", cluster().url("damaged"), "--to", backups_.path(), "--lock-wait", "5"});
  }
};

TEST_F(UnreadableRows, AreNamedByTheirTable) {
  fresh_database("damaged");
  cluster().sql("damaged",
                "CREATE TABLE a_fine AS SELECT 1 AS id; CREATE TABLE letters (id int, body text); ALTER TABLE letters "
                "ALTER body SET STORAGE EXTERNAL;"
                "INSERT INTO letters SELECT i, repeat('z', 9000) FROM generate_series(1, 20) AS i; CREATE TABLE z_fine "
                "AS SELECT 1 AS id");
  if (cluster().sql("damaged", "SELECT count(*) FROM pg_available_extensions WHERE name = 'pg_surgery'") == "0")
    GTEST_SKIP() << "pg_surgery is not installed";
  cluster().sql("damaged",
                "CREATE EXTENSION pg_surgery; SELECT reltoastrelid::regclass AS toast FROM pg_class WHERE oid = "
                "'letters'::regclass \\gset\n"
                "SELECT format('SELECT heap_force_kill(%L, ARRAY[%L::tid])', :'toast', ctid) FROM :toast WHERE "
                "chunk_id = (SELECT max(chunk_id) FROM :toast) \\gexec");
  const Outcome outcome = back_up_damaged();
  EXPECT_TRUE(ends_with(kFailed, outcome));
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("cannot read the rows of public.letters: "),
                                 HasSubstr("--exclude-table-data 'public.letters'")));
  EXPECT_TRUE(ends_with(kOk, pana({"backup", cluster().url("damaged"), "--to", backups_.path(), "--exclude-table-data",
                                   "public.letters"})));
}

TEST_F(UnreadableRows, WhoseTypeHasLostItsLibraryAreNotReadAgainAndAgain) {
  fresh_database("damaged");
  cluster().sql("damaged", R"(
    SET client_min_messages = warning; CREATE TYPE oldgeo;
    CREATE FUNCTION oldgeo_in(cstring) RETURNS oldgeo LANGUAGE internal IMMUTABLE STRICT AS 'int4in';
    CREATE FUNCTION oldgeo_out(oldgeo) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'int4out';
    CREATE TYPE oldgeo (INPUT = oldgeo_in, OUTPUT = oldgeo_out, INTERNALLENGTH = 4, PASSEDBYVALUE, ALIGNMENT = int4);
    CREATE TABLE places (id int, g oldgeo); INSERT INTO places VALUES (1, '42');
    UPDATE pg_proc SET prosrc = 'lost_symbol' WHERE proname = 'oldgeo_out')");
  const Outcome outcome = back_up_damaged();
  EXPECT_TRUE(ends_with(kFailed, outcome));
  EXPECT_THAT(outcome.err, HasSubstr("cannot read the rows of public.places: "));
  EXPECT_THAT(outcome.err, testing::Not(HasSubstr("starting over")));
}

TEST_F(UnreadableRows, AreNotShownWhenARestoreFails) {
  fresh_database("secrets");
  cluster().sql("secrets",
                "CREATE TABLE t (mail text, n text); INSERT INTO t VALUES ('anna@example.com', 'four'), "
                "('anna@example.com', 'five')");
  const std::filesystem::path file = back_up("secrets");
  const std::string target = fresh_database("target");
  for (const char* const table : {"CREATE TABLE t (mail text PRIMARY KEY, n text)", "CREATE TABLE t (mail text, n int)",
                                  "CREATE TABLE t (mail text CHECK (mail = 'b'), n text)"}) {
    cluster().sql("target", std::string("DROP TABLE IF EXISTS t;") + table);
    const Outcome outcome = pana({"restore", file, "--into", target, "--data-only"});
    EXPECT_TRUE(ends_with(kFailed, outcome));
    EXPECT_THAT(outcome.err, AllOf(HasSubstr("rows of public.t: "), testing::Not(HasSubstr("anna")),
                                   testing::Not(HasSubstr("four"))))
        << table;
  }
}

TEST_F(UnreadableRows, BehindAForgottenPreparedTransactionNameIt) {
  fresh_database("damaged");
  cluster().sql("damaged",
                "CREATE TABLE t (id int); BEGIN; ALTER TABLE t ADD COLUMN x int; PREPARE TRANSACTION 'stuck one'");
  const Outcome outcome = pana({"backup", cluster().url("damaged"), "--to", backups_.path(), "--lock-wait", "1"});
  cluster().sql("damaged", "ROLLBACK PREPARED 'stuck one'");
  EXPECT_TRUE(ends_with(kFailed, outcome));
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("prepared transaction 'stuck one' of "), HasSubstr("has locked public.t"),
                                 HasSubstr("until you end it with COMMIT PREPARED or ROLLBACK PREPARED")));
}

}  // namespace
}  // namespace pana::test
