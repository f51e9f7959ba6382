// Bars 2 and 3: what comes back is what was there, however it was written and whoever restores it.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "support/pana.h"

namespace pana::test {
namespace {

namespace fs = std::filesystem;

struct Way {
  std::string compression;
  int jobs = 4;
  bool with_psql = false;
};

void PrintTo(const Way& way, std::ostream* out) {
  *out << way.compression << ", " << way.jobs << " jobs, restored with " << (way.with_psql ? "psql" : "pana");
}

class RoundTrip : public EndToEnd, public testing::WithParamInterface<Way> {
 protected:
  // Backs up and restores in the way of the parameter.
  void carry(const std::string& from, const std::string& to) const {
    const Way& way = GetParam();
    const std::string jobs = std::to_string(way.jobs);
    const fs::path backup = back_up(from, {"--jobs", jobs, "--compression", way.compression});
    const Outcome outcome = way.with_psql
                                ? restore_with_psql(cluster(), backup, to)
                                : pana({"restore", backup, "--into", cluster().url(to), "--jobs", jobs, "--verify"});
    ASSERT_TRUE(ends_with(kOk, outcome));
    EXPECT_TRUE(ends_with(kOk, pana({"verify", backup})));
    EXPECT_TRUE(ends_with(kOk, pana({"verify", backup, "--against", cluster().url(to)})));
    EXPECT_THAT(strangers_in(backups_.path()), testing::IsEmpty());
  }
};

TEST_P(RoundTrip, CarriesEveryKindOfObjectAndHostileNamesAndValues) {
  const Source& source = everything();
  fresh_database("restored");
  carry(source.database, "restored");
  if (HasFatalFailure()) return;
  EXPECT_EQ("", differences(source.content, content_of(cluster(), "restored")));
}

TEST_P(RoundTrip, CarriesATableThatIsReadInPieces) {
  const Source& source = big();
  fresh_database("restored");
  carry(source.database, "restored");
  if (HasFatalFailure()) return;
  EXPECT_EQ("", differences(source.content, content_of(cluster(), "restored")));
}

INSTANTIATE_TEST_SUITE_P(Ways, RoundTrip,
                         testing::Values(Way{"none", 4, true}, Way{"zstd", 2, true}, Way{"zstd", 1}, Way{"none", 2},
                                         Way{"zstd:3", 4}, Way{"none", 8}));

struct EncodingCase {
  std::string encoding;
  std::string file;
};

void PrintTo(const EncodingCase& encoding, std::ostream* out) { *out << encoding.encoding; }

class Encodings : public EndToEnd, public testing::WithParamInterface<EncodingCase> {};

TEST_P(Encodings, AreKeptByPsqlAndPana) {
  const EncodingCase& given = GetParam();
  fresh_database("encoded", given.encoding);
  cluster().psql_file("encoded", fixture("encodings/" + given.file));
  const Content content = content_of(cluster(), "encoded");
  const fs::path plain = back_up("encoded", {"--compression", "none"});

  fresh_database("restored", given.encoding);
  ASSERT_TRUE(ends_with(kOk, restore_with_psql(cluster(), plain, "restored")));
  EXPECT_EQ("", differences(content, content_of(cluster(), "restored")));

  const fs::path compressed = back_up("encoded", {"--compression", "zstd"});
  ASSERT_TRUE(ends_with(kOk, pana({"restore", compressed, "--into", fresh_database("restored", given.encoding)})));
  EXPECT_EQ("", differences(content, content_of(cluster(), "restored")));
  EXPECT_TRUE(ends_with(kOk, pana({"verify", compressed, "--against", cluster().url("restored")})));
  EXPECT_TRUE(ends_with(kOk, pana({"show", compressed})));
}

INSTANTIATE_TEST_SUITE_P(All, Encodings,
                         testing::Values(EncodingCase{"LATIN1", "latin1.sql"}, EncodingCase{"EUC_JP", "euc_jp.sql"},
                                         EncodingCase{"SQL_ASCII", "sql_ascii.sql"}));

class Backup : public EndToEnd {};

TEST_F(Backup, DecompressedIsAPlainBackup) {
  const fs::path compressed = back_up(everything().database, {"--compression", "zstd"});
  const fs::path plain = backups_ / "backup_20000101_000000.sql";
  run_successfully({.argv = {"zstd", "-dq", compressed, "-o", plain}});
  EXPECT_TRUE(ends_with(kOk, pana({"verify", plain})));
  ASSERT_TRUE(ends_with(kOk, pana({"restore", plain, "--into", fresh_database("restored")})));
  EXPECT_EQ("", different_lines(everything().content.tables, tables_of(cluster(), "restored")));
}

TEST_F(Backup, TakesItsUrlFromTheEnvironment) {
  Command command = pana_command({"backup", "--to", backups_.path()});
  command.environment = {{"DATABASE_URL", cluster().url(big().database)}};
  EXPECT_TRUE(ends_with(kOk, pana(command)));

  const Command client = cluster().client("psql", {}, big().database);
  command.environment = client.environment;
  command.argv.insert(command.argv.end(), {"--compression", "zstd"});
  EXPECT_TRUE(ends_with(kOk, pana(command)));
  EXPECT_EQ(2U, backups_in(backups_.path()).size());

  command.environment["DATABASE_URL"] = "";  // a variable that was to be filled in: not libpq's default database
  EXPECT_TRUE(ends_with(kUsage, pana(command)));
}

// The server may talk while it is being connected to, before pana has set anything.
TEST_F(Backup, SpeaksAloneOnStandardError) {
  const std::string url = cluster().url(everything().database);
  const Outcome outcome = pana(
      {"backup", url + (url.find('?') == std::string::npos ? "?" : "&") + "options=-c%20client_min_messages%3Ddebug5",
       "--to", backups_.path()});
  EXPECT_TRUE(ends_with(kOk, outcome));
  std::istringstream lines(outcome.err);
  for (std::string line; std::getline(lines, line);) EXPECT_TRUE(nlohmann::json::accept(line)) << line;
}

TEST_F(Backup, SaysThatAPartitionedTableHasNoRowsOfItsOwn) {
  fresh_database("parted");
  cluster().sql(
      "parted",
      "CREATE TABLE p (i int) PARTITION BY LIST (i); CREATE TABLE p1 PARTITION OF p DEFAULT; INSERT INTO p VALUES (1)");
  const Outcome outcome = pana({"backup", cluster().url("parted"), "--to", backups_.path(), "-t", "p"});
  EXPECT_TRUE(ends_with(kOk, outcome));
  EXPECT_THAT(outcome.err, testing::HasSubstr("\"no_rows\""));
}

TEST_F(Backup, WorksForADatabaseWithAHostileName) {
  const std::string name = "a 'hostile' \"name\" %s\\&?#/=";
  fresh_database(name);
  cluster().sql(name, "CREATE TABLE t AS SELECT 1 AS x");
  const fs::path backup = back_up(name);
  EXPECT_TRUE(ends_with(kOk, pana({"restore", backup, "--into", fresh_database("restored")})));
  EXPECT_EQ("1", cluster().sql("restored", "SELECT x FROM t"));
  cluster().drop_database(name);
}

TEST_F(Backup, OfAnEmptyDatabaseIsComplete) {
  fresh_database("empty");
  const fs::path backup = back_up("empty");
  EXPECT_TRUE(ends_with(kOk, pana({"verify", backup})));
  EXPECT_TRUE(ends_with(kOk, pana({"restore", backup, "--into", fresh_database("restored")})));
}

TEST_F(Backup, TakesOfAnExtensionsTablesWhatItsConditionsSay) {
  if (!cluster().has_probe_extension()) GTEST_SKIP() << "the server's installation cannot be copied";
  fresh_database("extended");
  cluster().sql("extended",
                "CREATE SCHEMA probe; CREATE EXTENSION pana_probe;"
                "INSERT INTO probe.units VALUES ('mine', 2, false), ('hidden by the condition', 3, true);"
                "INSERT INTO probe.jobs (command) VALUES ('job'); INSERT INTO probe.cache VALUES ('k', 'v');");
  const fs::path backup = back_up("extended");
  fresh_database("restored");
  ASSERT_TRUE(ends_with(kOk, pana({"restore", backup, "--into", cluster().url("restored")})));
  EXPECT_EQ("foot\nmetre\nmine", cluster().sql("restored", "SELECT name FROM probe.units ORDER BY name"));
  EXPECT_EQ("100|job", cluster().sql("restored", "SELECT * FROM probe.jobs"));
  EXPECT_EQ("0", cluster().sql("restored", "SELECT count(*) FROM probe.cache"));
  EXPECT_EQ("101", cluster().sql("restored", "SELECT nextval('probe.job_numbers')"));
}

TEST_F(Backup, OfRowsThatPoliciesHideIsRefused) {
  fresh_database("policed");
  // A role of its own: to alter one of the fixtures' would change the order in which pg_dump prints them.
  cluster().sql("policed",
                "CREATE ROLE policed; CREATE TABLE seen (id int); INSERT INTO seen VALUES (1), (2);"
                "ALTER TABLE seen ENABLE ROW LEVEL SECURITY; CREATE POLICY one ON seen USING (id = 1);"
                "GRANT SELECT ON seen TO policed;");
  cluster().allow_login("policed");
  const std::string url = cluster().url("policed", "policed", cluster().password());
  const Outcome outcome = pana({"backup", url, "--to", backups_.path()});
  EXPECT_NE(kOk, outcome.exit_status);
  EXPECT_THAT(outcome.err, testing::HasSubstr("seen"));
  EXPECT_THAT(backups_in(backups_.path()), testing::IsEmpty());
}

// A table that was given its parent later has its columns in another order once pg_dump has made it anew.
TEST_F(Backup, IsComparedByTheNamesOfColumns) {
  fresh_database("adopted");
  cluster().sql("adopted",
                "CREATE TABLE parent (common text, b date); CREATE TABLE child (b date, extra int, common text);"
                "ALTER TABLE child INHERIT parent; INSERT INTO child VALUES ('2020-01-01', 5, 'text')");
  const fs::path backup = back_up("adopted");
  const std::string url = fresh_database("restored");
  ASSERT_TRUE(ends_with(kOk, pana({"restore", backup, "--into", url, "--verify"})));
  EXPECT_EQ("text|2020-01-01|5", cluster().sql("restored", "SELECT common, b, extra FROM child"));
  EXPECT_TRUE(ends_with(kOk, pana({"verify", backup, "--against", url})));
}

TEST_F(Backup, HoldsARowOf200MegabytesWhole) {
  fresh_database("huge");
  cluster().sql("huge", "CREATE TABLE huge AS SELECT 1 AS id, repeat('0123456789', 20000000) AS t");
  const fs::path backup = back_up("huge", {"--compression", "zstd"});
  ASSERT_TRUE(ends_with(kOk, pana({"restore", backup, "--into", fresh_database("restored"), "--verify"})));
  EXPECT_EQ(cluster().sql("huge", "SELECT md5(t) FROM huge"), cluster().sql("restored", "SELECT md5(t) FROM huge"));
  cluster().drop_database("huge");
}

TEST_F(Backup, ReadsManySmallTables) {
  fresh_database("many");
  cluster().sql("many",
                "SELECT format('CREATE TABLE t%s AS SELECT %s AS x', i, i) FROM generate_series(1, 1000) AS i \\gexec");
  const fs::path backup = back_up("many");
  ASSERT_TRUE(ends_with(kOk, restore_with_psql(cluster(), backup, (fresh_database("restored"), "restored"))));
  EXPECT_EQ("", different_lines(tables_of(cluster(), "many"), tables_of(cluster(), "restored")));
}

}  // namespace
}  // namespace pana::test
