// What a restore does when it is told more than "all of it, into an empty database".
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "support/pana.h"
#include "support/session.h"

namespace pana::test {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class RestoreOptions : public EndToEnd {
 protected:
  void SetUp() override {
    EndToEnd::SetUp();
    if (IsSkipped()) return;
    cluster().psql_file("postgres", fixture("roles.sql"));
    fresh_database("origin");
    cluster().sql("origin",
                  "CREATE SCHEMA sales; CREATE TABLE sales.orders (id int PRIMARY KEY, t text);"
                  "INSERT INTO sales.orders SELECT i, 'order ' || i FROM generate_series(1, 1000) AS i;"
                  "CREATE INDEX orders_t ON sales.orders (t);"
                  "CREATE TABLE public.customers (id serial PRIMARY KEY, name text); INSERT INTO customers (name) "
                  "VALUES ('a'), ('b');"
                  "CREATE TABLE public.\"odd \"\"name\" (x int); INSERT INTO \"odd \"\"name\" VALUES (7);"
                  "ALTER TABLE customers OWNER TO pana_owner; GRANT SELECT ON sales.orders TO pana_reader;"
                  "CREATE VIEW names AS SELECT name FROM customers;");
    backup_ = back_up("origin", {"--compression", "zstd"});
    target_ = fresh_database("target");
  }

  Outcome restore(const std::vector<std::string>& options) const {
    std::vector<std::string> arguments = {"restore", backup_, "--into", target_};
    arguments.insert(arguments.end(), options.begin(), options.end());
    return pana(arguments);
  }

  static std::string target(const std::string& sql) { return cluster().sql("target", sql); }

  fs::path backup_;
  std::string target_;
};

TEST_F(RestoreOptions, ATargetThatIsNotEmptyIsRefusedAndNamedAndNotTouched) {
  target("CREATE TABLE already_here (x int)");
  const Outcome outcome = restore({});
  EXPECT_TRUE(ends_with(kRefused, outcome));
  EXPECT_THAT(outcome.err, HasSubstr("already_here"));
  EXPECT_EQ("1", target("SELECT count(*) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"));
}

TEST_F(RestoreOptions, CleanReplacesWhatIsThere) {
  ASSERT_TRUE(ends_with(kOk, restore({})));
  target("DELETE FROM sales.orders; INSERT INTO customers (name) VALUES ('a newcomer')");
  ASSERT_TRUE(ends_with(kOk, restore({"--clean"})));
  EXPECT_EQ("", differences(content_of(cluster(), "origin"), content_of(cluster(), "target")));
}

TEST_F(RestoreOptions, CleanReplacesADatabaseOfEveryKindOfObject) {
  const fs::path backup = back_up(everything().database, {"--compression", "zstd"});
  ASSERT_TRUE(ends_with(kOk, pana({"restore", backup, "--into", target_})));
  ASSERT_TRUE(ends_with(kOk, pana({"restore", backup, "--into", target_, "--clean"})));
  EXPECT_EQ("", differences(everything().content, content_of(cluster(), "target")));
}

TEST_F(RestoreOptions, CleanChangesNothingWhenSomethingElseDependsOnWhatItDrops) {
  ASSERT_TRUE(ends_with(kOk, restore({})));
  target("CREATE VIEW outside AS SELECT name FROM customers");
  const Content before = content_of(cluster(), "target");
  for (const std::vector<std::string>& options :
       std::vector<std::vector<std::string>>{{"--clean"}, {"--clean", "--keep-going"}}) {
    const Outcome outcome = restore(options);
    EXPECT_TRUE(ends_with(kRefused, outcome));
    EXPECT_THAT(outcome.err, AllOf(HasSubstr("cannot drop"), HasSubstr("drop first what depends on it")));
    EXPECT_EQ("", differences(before, content_of(cluster(), "target")));
  }
  target("DROP VIEW outside; DROP TABLE \"odd \"\"name\"; CREATE VIEW \"odd \"\"name\" AS SELECT 1 AS x");
  const Outcome of_another_kind = restore({"--clean"});
  EXPECT_TRUE(ends_with(kRefused, of_another_kind));
  EXPECT_THAT(of_another_kind.err,
              AllOf(HasSubstr("is not a table"), HasSubstr("something of another kind has that name")));
  EXPECT_EQ("1000", target("SELECT count(*) FROM sales.orders"));
}

TEST_F(RestoreOptions, CleanDropsOperatorsThatAreOnlyNamed) {
  fresh_database("origin");
  cluster().sql("origin",
                "CREATE SCHEMA e; CREATE TYPE e.c AS (a int); CREATE FUNCTION e.same(e.c, e.c) RETURNS bool LANGUAGE "
                "sql AS 'SELECT true';"
                "CREATE OPERATOR e.=== (FUNCTION = e.same, LEFTARG = e.c, RIGHTARG = e.c, NEGATOR = OPERATOR(e.!==)); "
                "CREATE TABLE e.t AS SELECT 1 AS id");
  backup_ = back_up("origin");
  ASSERT_TRUE(ends_with(kOk, restore({})));
  for (const std::vector<std::string>& options :
       std::vector<std::vector<std::string>>{{"--clean"}, {"--clean", "-n", "e"}}) {
    ASSERT_TRUE(ends_with(kOk, restore(options)));
    EXPECT_EQ(
        "!==,===",
        target("SELECT string_agg(oprname, ',' ORDER BY oprname COLLATE \"C\") FROM pg_operator WHERE oid >= 16384"));
  }
}

TEST_F(RestoreOptions, CleanEmptiesNothingThatIsNotRestored) {
  target(
      "CREATE SCHEMA sales; CREATE TABLE sales.orders (id int PRIMARY KEY, t text); INSERT INTO sales.orders VALUES "
      "(1, 'old');"
      "CREATE TABLE outside AS SELECT 1 AS id; ALTER TABLE outside ADD FOREIGN KEY (id) REFERENCES sales.orders");
  const Outcome outcome = restore({"--table", "sales.orders", "--data-only", "--clean"});
  EXPECT_TRUE(ends_with(kRefused, outcome));
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("cannot empty the tables"), HasSubstr("the tables that refer to them"),
                                 Not(HasSubstr("CASCADE"))));
  EXPECT_EQ("old", target("SELECT t FROM sales.orders"));
  EXPECT_EQ("1", target("SELECT count(*) FROM outside"));
}

TEST_F(RestoreOptions, ATargetThatIsReadOnlyIsRefused) {
  target("ALTER DATABASE target SET default_transaction_read_only = on");
  const Outcome outcome = restore({"--create-missing-roles"});
  EXPECT_TRUE(ends_with(kRefused, outcome));
  EXPECT_THAT(outcome.err,
              AllOf(HasSubstr("its transactions are read-only"), HasSubstr("default_transaction_read_only")));
}

TEST_F(RestoreOptions, OneTableWithItsDefinition) {
  target("CREATE SCHEMA sales");
  ASSERT_TRUE(ends_with(kOk, restore({"--table", "sales.orders"})));
  EXPECT_EQ("1000", target("SELECT count(*) FROM sales.orders"));
  EXPECT_EQ("2", target("SELECT count(*) FROM pg_indexes WHERE schemaname = 'sales'"));
  EXPECT_EQ("t", target("SELECT to_regclass('public.customers') IS NULL"));
}

TEST_F(RestoreOptions, OneTableIntoAnExistingOne) {
  target("CREATE SCHEMA sales; CREATE TABLE sales.orders (id int, t text)");
  ASSERT_TRUE(ends_with(kOk, restore({"--table", "sales.orders", "--data-only"})));
  EXPECT_EQ("1000", target("SELECT count(*) FROM sales.orders"));
}

TEST_F(RestoreOptions, OneTableWithAHostileName) {
  ASSERT_TRUE(ends_with(kOk, restore({"--table", "public.\"odd \"\"name\""})));
  EXPECT_EQ("7", target("SELECT x FROM \"odd \"\"name\""));
}

TEST_F(RestoreOptions, OneTableThatIsTheFirstOfTheBackup) {
  fresh_database("two");
  cluster().sql("two", "CREATE TABLE first_of_all AS SELECT 1 AS x; CREATE TABLE second AS SELECT 2 AS x;");
  backup_ = back_up("two", {"--compression", "none"});
  ASSERT_TRUE(ends_with(kOk, restore({"--table", "public.first_of_all"})));
  EXPECT_EQ("1", target("SELECT x FROM first_of_all"));
  EXPECT_EQ("t", target("SELECT to_regclass('second') IS NULL"));
}

TEST_F(RestoreOptions, ATableThatIsNotThereIsNamed) {
  const Outcome outcome = restore({"--table", "sales.nothing"});
  EXPECT_NE(kOk, outcome.exit_status);
  EXPECT_THAT(outcome.err, HasSubstr("sales.nothing"));
  EXPECT_EQ("0", target("SELECT count(*) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"));
}

TEST_F(RestoreOptions, OneSchema) {
  ASSERT_TRUE(ends_with(kOk, restore({"--schema", "sales"})));
  EXPECT_EQ("1000", target("SELECT count(*) FROM sales.orders"));
  EXPECT_EQ("t", target("SELECT to_regclass('public.customers') IS NULL"));
}

TEST_F(RestoreOptions, SchemaOnlyThenDataOnlyIsTheWhole) {
  ASSERT_TRUE(ends_with(kOk, restore({"--schema-only"})));
  EXPECT_EQ("0", target("SELECT count(*) FROM sales.orders"));
  EXPECT_EQ("", different_entries(schema_of(cluster(), "origin"), schema_of(cluster(), "target")));
  ASSERT_TRUE(ends_with(kOk, restore({"--data-only"})));
  EXPECT_EQ("", differences(content_of(cluster(), "origin"), content_of(cluster(), "target")));
}

TEST_F(RestoreOptions, NoOwnerAndNoPrivilegesLeaveThemToTheOneWhoRestores) {
  ASSERT_TRUE(ends_with(kOk, restore({"--no-owner", "--no-privileges"})));
  EXPECT_EQ("postgres", target("SELECT tableowner FROM pg_tables WHERE tablename = 'customers'"));
  EXPECT_EQ("", target("SELECT relacl FROM pg_class WHERE oid = 'sales.orders'::regclass"));
}

// Bar: 1.1 times the table's bytes. Index and schema are read as well; this table is large enough to outweigh them.
TEST_F(RestoreOptions, ReadsOfTheFileOnlyWhatATableNeeds) {
  const fs::path backup = back_up(big().database, {"--compression", "none"});
  std::uint64_t table_bytes = 0;
  const nlohmann::json shown = nlohmann::json::parse(pana({"show", backup, "--json"}).out);
  for (const auto& table : shown.at("tables")) {
    if (table.at("name") == "small_two") table_bytes = table.at("bytes").get<std::uint64_t>();
  }
  ASSERT_GT(table_bytes, 3'000'000u);
  const Outcome outcome = pana({"restore", backup, "--into", target_, "--table", "public.small_two", "--json"});
  ASSERT_TRUE(ends_with(kOk, outcome));
  const auto read = nlohmann::json::parse(outcome.out).at("bytes_read").get<std::uint64_t>();
  EXPECT_LE(read, table_bytes * 11 / 10) << outcome.out;
  EXPECT_EQ("40", target("SELECT count(*) FROM small_two"));
}

TEST_F(RestoreOptions, CleanOfPartsReplacesPartitionedTablesOrLeavesAllAsItIs) {
  const std::string origin = fresh_database("parts");
  cluster().sql("parts",
                "CREATE SCHEMA one; CREATE TABLE one.pt (id int, t text) PARTITION BY RANGE (id);"
                "CREATE TABLE one.pt1 PARTITION OF one.pt FOR VALUES FROM (0) TO (1000);"
                "INSERT INTO one.pt SELECT i, i::text FROM generate_series(0, 999) AS i;"
                "CREATE TYPE one.mood AS ENUM ('good', 'bad'); CREATE SEQUENCE one.numbers;"
                "CREATE FUNCTION one.f(one.mood) RETURNS int LANGUAGE sql AS 'SELECT 1';"
                "CREATE TABLE one.plain (m one.mood DEFAULT 'good', id int PRIMARY KEY);"
                "INSERT INTO one.plain VALUES ('bad', 1); CREATE VIEW one.view AS SELECT * FROM one.plain;"
                "CREATE SEQUENCE one.counter; SELECT setval('one.counter', 7)");
  const Content before = content_of(cluster(), "parts");
  const fs::path backup = back_up("parts");
  for (const std::vector<std::string>& patterns :
       std::vector<std::vector<std::string>>{{"-t", "one.pt*"}, {"-n", "one"}}) {
    std::vector<std::string> arguments = {"restore", backup, "--into", origin, "--clean"};
    arguments.insert(arguments.end(), patterns.begin(), patterns.end());
    ASSERT_TRUE(ends_with(kOk, pana(arguments))) << testing::PrintToString(patterns);
    EXPECT_EQ("", differences(before, content_of(cluster(), "parts")));
  }
  fresh_database("parent");
  const Outcome parent = pana({"restore", backup, "--into", cluster().url("parent"), "-t", "one.pt"});
  EXPECT_TRUE(ends_with(kOk, parent));
  EXPECT_THAT(parent.err, AllOf(HasSubstr("\"no_rows\""), HasSubstr("choose them as well, such as one.pt1")));
  const Outcome rows = pana({"restore", backup, "--into", cluster().url("parent"), "-t", "one.pt", "--data-only"});
  EXPECT_TRUE(ends_with(kUsage, rows));
  EXPECT_THAT(rows.err, AllOf(HasSubstr("there are no rows to restore"), HasSubstr("such as one.pt1")));
  // A sequence that is named as well has something to restore.
  ASSERT_TRUE(ends_with(
      kOk, pana({"restore", backup, "--into", cluster().url("parent"), "-t", "one.counter", "--allow-non-empty"})));
  cluster().sql("parent", "SELECT setval('one.counter', 1)");
  EXPECT_TRUE(ends_with(kOk, pana({"restore", backup, "--into", cluster().url("parent"), "-t", "one.pt", "-t",
                                   "one.counter", "--data-only"})));
  EXPECT_EQ("7", cluster().sql("parent", "SELECT last_value FROM one.counter"));
  cluster().sql("parts", "CREATE VIEW public.outside AS SELECT count(*) FROM one.pt1");
  for (const auto& [option, hint] :
       std::map<std::string, std::string>{{"--table=one.pt*", "choose what depends on it as well"},
                                          {"--schema=one", "drop first what depends on it"}}) {
    const Outcome outcome = pana({"restore", backup, "--into", origin, "--clean", option});
    EXPECT_TRUE(ends_with(kRefused, outcome));
    EXPECT_THAT(outcome.err,
                AllOf(HasSubstr("cannot drop"), HasSubstr("view public.outside depends on"), HasSubstr(hint)));
    EXPECT_EQ("1000", cluster().sql("parts", "SELECT count(*) FROM one.pt"));
    EXPECT_EQ("1", cluster().sql("parts", "SELECT count(*) FROM one.view"));
  }
}

TEST_F(RestoreOptions, DataOnlyFillsMaterializedViews) {
  cluster().create_database("viewed");
  cluster().sql("viewed", "CREATE TABLE t AS SELECT 7 AS x; CREATE MATERIALIZED VIEW seen AS SELECT x FROM t");
  const fs::path backup = back_up("viewed");
  ASSERT_TRUE(ends_with(kOk, pana({"restore", backup, "--into", target_, "--schema-only"})));
  ASSERT_TRUE(ends_with(kOk, pana({"restore", backup, "--into", target_, "--data-only"})));
  EXPECT_EQ("7", target("SELECT x FROM seen"));
}

TEST_F(RestoreOptions, DisabledTriggersDoNotFireAndThoseThatWouldAreRefused) {
  cluster().create_database("triggered");
  cluster().sql("triggered",
                "CREATE TABLE t AS SELECT 1 AS x; CREATE TABLE u AS SELECT 5 AS x;"
                "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN new.x = new.x + 1; RETURN new; END';"
                "CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f();"
                "CREATE TRIGGER tr BEFORE INSERT ON u FOR EACH ROW EXECUTE FUNCTION f()");
  const fs::path backup = back_up("triggered");
  ASSERT_TRUE(ends_with(kOk, pana({"restore", backup, "--into", target_})));
  const std::vector<std::string> again = {"restore",           backup, "--into", target_, "--data-only", "--clean",
                                          "--disable-triggers"};
  EXPECT_TRUE(ends_with(kOk, pana(again)));
  EXPECT_EQ("1", target("SELECT x FROM t"));
  for (const char* kind : {"ALWAYS", "REPLICA"}) {
    target(fmt::format("ALTER TABLE t ENABLE {} TRIGGER tr", kind));
    const Outcome refused = pana(again);
    EXPECT_TRUE(ends_with(kRefused, refused));
    EXPECT_THAT(refused.err, AllOf(HasSubstr("tr on public.t"), Not(HasSubstr("public.u"))));
    EXPECT_EQ("1", target("SELECT x FROM t"));
  }
  std::vector<std::string> of_the_other = again;
  of_the_other.insert(of_the_other.end(), {"-t", "u"});
  EXPECT_TRUE(ends_with(kOk, pana(of_the_other)));
  EXPECT_EQ("5", target("SELECT x FROM u"));
}

TEST_F(RestoreOptions, TheFirstErrorStopsAndNamesItsObject) {
  target("CREATE SCHEMA sales; CREATE TABLE sales.orders (id int, t text, CHECK (id < 500))");
  const Outcome outcome = restore({"--table", "sales.orders", "--data-only"});
  EXPECT_TRUE(ends_with(kFailed, outcome));
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("orders"), HasSubstr("check constraint"), HasSubstr("[COPY orders, line"),
                                 HasSubstr("--clean --keep-going restores what can")));
  const Outcome again = restore({"--table", "sales.orders", "--data-only", "--clean"});
  EXPECT_THAT(again.err, AllOf(HasSubstr("--keep-going restores what can"), Not(HasSubstr("--clean --keep-going"))));
  const Outcome beside = restore({"--table", "sales.orders", "--data-only", "--allow-non-empty"});
  EXPECT_TRUE(ends_with(kFailed, beside));
  EXPECT_THAT(beside.err, AllOf(HasSubstr("look at both before you restore again"), Not(HasSubstr("--clean"))));
}

TEST_F(RestoreOptions, KeepGoingDoesTheRestAndStillFails) {
  target(
      "CREATE TABLE public.customers (id int, name text, CHECK (false)); CREATE SCHEMA sales;"
      "CREATE TABLE sales.orders (id int, t text); CREATE TABLE \"odd \"\"name\" (x int); CREATE SEQUENCE "
      "customers_id_seq");
  const Outcome outcome = restore({"--data-only", "--keep-going"});
  EXPECT_TRUE(ends_with(kFailed, outcome));
  EXPECT_THAT(outcome.err, HasSubstr("customers"));
  EXPECT_EQ("1000", target("SELECT count(*) FROM sales.orders"));
}

// Whatever it wants of the target: to drop, to empty, to make, to load.
TEST_F(RestoreOptions, BehindALockSaysThatTheServerSaidNothing) {
  for (const std::vector<std::string>& options :
       std::vector<std::vector<std::string>>{{"--clean"},
                                             {"--clean", "--data-only"},
                                             {"--allow-non-empty", "--data-only", "-t", "sales.orders"},
                                             {"--clean", "-t", "sales.orders"},
                                             {"--clean", "--keep-going"}}) {
    target_ = fresh_database("target");
    ASSERT_TRUE(ends_with(kOk, restore({})));
    Session other(target_);
    other.execute("BEGIN; LOCK TABLE sales.orders IN EXCLUSIVE MODE");
    std::vector<std::string> with_limit = {"--stall-timeout", "2"};
    with_limit.insert(with_limit.end(), options.begin(), options.end());
    const Outcome outcome = restore(with_limit);
    EXPECT_TRUE(ends_with(kFailed, outcome));
    EXPECT_THAT(outcome.err, AllOf(HasSubstr("the server said nothing for 2 s"), Not(HasSubstr("already in progress"))))
        << options.back();
    other.execute("ROLLBACK");
    EXPECT_EQ("1000", target("SELECT count(*) FROM sales.orders"));
  }
}

// A cluster where nobody of the origin's roles exists.
class RestoreElsewhere : public RestoreOptions {
 protected:
  void SetUp() override {
    RestoreOptions::SetUp();
    if (IsSkipped()) return;
    elsewhere_ = std::make_unique<Cluster>();
    elsewhere_->create_database("target");
    target_ = elsewhere_->url("target");
  }

  std::string elsewhere(const std::string& sql) const { return elsewhere_->sql("target", sql); }

  std::unique_ptr<Cluster> elsewhere_;
};

TEST_F(RestoreElsewhere, ListsMissingRolesBeforeItChangesAnything) {
  const Outcome outcome = restore({});
  EXPECT_TRUE(ends_with(kRefused, outcome));
  EXPECT_THAT(outcome.err,
              AllOf(HasSubstr("pana_owner"), HasSubstr("pana_reader"), HasSubstr("--create-missing-roles")));
  EXPECT_EQ("t", elsewhere("SELECT to_regclass('public.customers') IS NULL AND to_regnamespace('sales') IS NULL"));
}

TEST_F(RestoreElsewhere, CreatesMissingRolesThatCannotLogIn) {
  ASSERT_TRUE(ends_with(kOk, restore({"--create-missing-roles"})));
  EXPECT_EQ("pana_owner|f\npana_reader|f",
            elsewhere("SELECT rolname, rolcanlogin FROM pg_roles WHERE rolname LIKE 'pana%' ORDER BY 1"));
  EXPECT_EQ("", different_entries(schema_of(cluster(), "origin"), schema_of(*elsewhere_, "target")));
}

TEST_F(RestoreElsewhere, NeedsNoRolesWithoutOwnersAndPrivileges) {
  ASSERT_TRUE(ends_with(kOk, restore({"--no-owner", "--no-privileges"})));
  EXPECT_EQ(tables_of(cluster(), "origin"), tables_of(*elsewhere_, "target"));
}

TEST_F(RestoreElsewhere, CreatesRolesWithHostileNames) {
  const fs::path backup = back_up(everything().database);
  const Outcome outcome = pana({"restore", backup, "--into", target_, "--create-missing-roles"});
  ASSERT_TRUE(ends_with(kOk, outcome));
  EXPECT_EQ("", differences(everything().content, content_of(*elsewhere_, "target")));
}

TEST_F(RestoreElsewhere, ListsMissingExtensionsBeforeItChangesAnything) {
  if (!cluster().has_probe_extension()) GTEST_SKIP() << "the server's installation cannot be copied";
  fresh_database("extended");
  cluster().sql("extended", "CREATE SCHEMA probe; CREATE EXTENSION pana_probe; CREATE TABLE t (x int)");
  const fs::path backup = back_up("extended");
  elsewhere_->hide_extension("pana_probe");
  const Outcome outcome = pana({"restore", backup, "--into", target_});
  EXPECT_TRUE(ends_with(kRefused, outcome));
  EXPECT_THAT(outcome.err, HasSubstr("pana_probe"));
  EXPECT_EQ("t", elsewhere("SELECT to_regclass('t') IS NULL"));
}

TEST_F(RestoreElsewhere, WarnsOfAnotherEncodingBeforeItChangesAnything) {
  elsewhere_->create_database("target", "LATIN1");
  const fs::path backup = back_up(everything().database);
  const Outcome outcome = pana({"restore", backup, "--into", target_, "--create-missing-roles"});
  EXPECT_TRUE(ends_with(kRefused, outcome));
  EXPECT_THAT(outcome.err, HasSubstr("LATIN1"));
}

}  // namespace
}  // namespace pana::test
