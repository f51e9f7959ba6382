// Triggers of a target whose tables get rows: what they do to these, no count tells. Nobody finds out afterwards.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support/origin_and_target.h"

namespace pana::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using Options = std::vector<std::string>;

class TargetTriggers : public OriginAndTarget {
 protected:
  void expect_refused(const std::filesystem::path& backup, const Options& options, const std::string& why) const {
    const Outcome refused = restore(backup, options);
    EXPECT_TRUE(ends_with(kRefused, refused));
    EXPECT_THAT(refused.err, HasSubstr(why));
  }
};

constexpr const char* kAudited = R"(
CREATE TABLE log (id int, what text); CREATE TABLE orders (id int PRIMARY KEY, price int);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO public.log VALUES (NEW.id, 'by the trigger'); RETURN NULL; END$$;
CREATE FUNCTION round_up() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN NEW.price := NEW.price + 1; RETURN NEW; END$$;
CREATE TRIGGER note AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION note(); CREATE TRIGGER up BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION round_up();
CREATE TRIGGER never BEFORE DELETE ON orders FOR EACH ROW EXECUTE FUNCTION round_up(); INSERT INTO orders SELECT i, i FROM generate_series(1, 10) AS i)";

TEST_F(TargetTriggers, AreAskedAboutBeforeTheyChangeRows) {
  const std::filesystem::path backup = both(kAudited);
  const std::string state = "SELECT (SELECT count(*) FROM log), (SELECT sum(price) FROM orders)";
  const Options clean = {"--data-only", "--clean"};
  for (const Options& more : std::vector<Options>{{}, {"--keep-going"}, {"-j", "2"}, {"--dry-run"}}) {
    Options options = clean;
    options.insert(options.end(), more.begin(), more.end());
    expect_refused(backup, options, "would fire for the rows: note on public.orders, up on public.orders");
  }
  EXPECT_EQ("10|65", target(state));
  target("TRUNCATE log, orders");
  expect_refused(backup, {"--data-only"}, "--disable-triggers");
  ASSERT_TRUE(ends_with(kOk, restore(backup, {"--data-only", "-t", "log"})));
  target("TRUNCATE log");
  const Outcome fired = restore(backup, {"--data-only", "--fire-triggers", "--json"});
  ASSERT_TRUE(ends_with(kOk, fired));
  EXPECT_THAT(nlohmann::json::parse(fired.out)["triggers_fired"],
              testing::ElementsAre("note on public.orders", "up on public.orders"));
  EXPECT_EQ("20|75", target(state));
  EXPECT_TRUE(ends_with(kDifferent, restore(backup, {"--data-only", "--clean", "--fire-triggers", "--verify"})));
  ASSERT_TRUE(ends_with(kOk, restore(backup, {"--data-only", "--clean", "--disable-triggers", "--verify"})));
  EXPECT_EQ("10|65", target(state));
}

// Emptying a table is an event as well.
TEST_F(TargetTriggers, OfTruncateAreAskedAbout) {
  const std::filesystem::path backup = both("CREATE TABLE a AS SELECT 1 AS i; CREATE TABLE empty_one (i int)");
  target(
      "CREATE TABLE bystander AS SELECT 1 AS i; CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN DELETE "
      "FROM public.bystander; RETURN NULL; END$$; CREATE TRIGGER gone AFTER TRUNCATE ON empty_one EXECUTE FUNCTION "
      "f()");
  expect_refused(backup, {"--data-only", "--clean"}, "gone on public.empty_one");
  EXPECT_EQ("1", target("SELECT count(*) FROM bystander"));
  ASSERT_TRUE(ends_with(kOk, restore(backup, {"--data-only", "--clean", "--disable-triggers"})));
  EXPECT_EQ("1", target("SELECT count(*) FROM bystander"));
}

// Of an extension's rows only the user's are replaced: by DELETE.
TEST_F(TargetTriggers, OfDeleteAreAskedAboutWhereRowsAreDeleted) {
  if (!cluster().has_probe_extension()) GTEST_SKIP() << "the server's installation cannot be copied";
  const std::filesystem::path backup = both(
      "CREATE SCHEMA probe; CREATE EXTENSION pana_probe; INSERT INTO probe.units VALUES ('ell', 1.1, false); CREATE "
      "TABLE a AS SELECT 1 AS i");
  target(
      "CREATE TABLE bystander AS SELECT 1 AS i; CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN DELETE "
      "FROM public.bystander; RETURN NULL; END$$; CREATE TRIGGER gone AFTER DELETE ON probe.units EXECUTE FUNCTION "
      "f(); CREATE TRIGGER never AFTER DELETE ON a EXECUTE FUNCTION f()");
  const Outcome refused = restore(backup, {"--data-only", "--clean"});
  EXPECT_TRUE(ends_with(kRefused, refused));
  EXPECT_THAT(refused.err, AllOf(HasSubstr("gone on probe.units"), testing::Not(HasSubstr("never"))));
  EXPECT_EQ("1", target("SELECT count(*) FROM bystander"));
}

// A partition has its parent's, and so has one that a reconciling restore attaches. Statements fire for a root that
// rows are loaded through.
TEST_F(TargetTriggers, OfPartitionedTablesAreAskedAbout) {
  const std::filesystem::path backup = both(R"(
    CREATE TYPE color AS ENUM ('red', 'green'); CREATE TABLE seen (id int);
    CREATE TABLE p (id int) PARTITION BY RANGE (id); CREATE TABLE p_1 PARTITION OF p FOR VALUES FROM (0) TO (10); INSERT INTO p VALUES (1);
    CREATE TABLE h (c color) PARTITION BY HASH (c); CREATE TABLE h_0 PARTITION OF h FOR VALUES WITH (MODULUS 1, REMAINDER 0); INSERT INTO h VALUES ('red'))");
  target(R"(
    CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO public.seen VALUES (1); RETURN NULL; END$$;
    TRUNCATE p, h; CREATE TRIGGER of_rows AFTER INSERT ON p FOR EACH ROW EXECUTE FUNCTION f(); CREATE TRIGGER of_all AFTER INSERT ON h EXECUTE FUNCTION f())");
  expect_refused(backup, {"--data-only", "-t", "p_1"}, "of_rows on public.p_1");
  expect_refused(backup, {"--data-only", "-t", "h_0"}, "of_all on public.h");
  target("DROP TABLE p_1; ALTER TABLE p ENABLE ALWAYS TRIGGER of_rows; ALTER TABLE h DISABLE TRIGGER of_all");
  expect_refused(backup, {"--reconcile"}, "of_rows on public.p");
  EXPECT_EQ("0", target("SELECT count(*) FROM seen"));
}

// Without its trigger a view takes rows and keeps none of them.
TEST_F(TargetTriggers, OfViewsTakeRowsOrNobodyDoes) {
  origin("CREATE TABLE a AS SELECT 1 AS i; CREATE TABLE kept (i int)");
  const std::filesystem::path backup = back_up("origin");
  target(R"(
    CREATE TABLE kept (i int); CREATE VIEW a AS SELECT i FROM kept; CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO public.kept VALUES (NEW.i); RETURN NEW; END$$;)");
  expect_refused(backup, {"--data-only", "-t", "a", "--fire-triggers"}, "pana cannot load rows into them: public.a");
  target("CREATE TRIGGER take INSTEAD OF INSERT ON a FOR EACH ROW EXECUTE FUNCTION f()");
  expect_refused(backup, {"--data-only", "-t", "a", "--disable-triggers"}, "pana cannot load rows into them: public.a");
  expect_refused(backup, {"--data-only", "-t", "a"}, "take on public.a");
  EXPECT_EQ("0", target("SELECT count(*) FROM kept"));
  ASSERT_TRUE(ends_with(kOk, restore(backup, {"--data-only", "-t", "a", "--fire-triggers"})));
  EXPECT_EQ("1", target("SELECT count(*) FROM kept"));
}

TEST_F(TargetTriggers, AreNoMatterOfTablesThatAreMade) {
  origin(kAudited);
  const std::filesystem::path backup = back_up("origin");
  ASSERT_TRUE(ends_with(kOk, restore(backup, {"--verify"})));
  const Outcome wrong = restore(backup, {"--fire-triggers", "--clean"});
  EXPECT_TRUE(ends_with(kUsage, wrong));
  EXPECT_THAT(wrong.err, AllOf(HasSubstr("--data-only"), HasSubstr("--reconcile")));
}

// What --clean costs is known before.
class CostsOfClean : public OriginAndTarget {};

TEST_F(CostsOfClean, AreNoRowsThatNothingBringsBack) {
  const std::filesystem::path backup = both(
      "CREATE TABLE a AS SELECT generate_series(1, 9) AS i; CREATE TABLE b (i int); CREATE VIEW v AS SELECT i FROM a");
  const Outcome refused = restore(backup, {"--clean", "--schema-only"});
  EXPECT_TRUE(ends_with(kRefused, refused));
  EXPECT_THAT(refused.err, HasSubstr("would drop tables with rows, and --schema-only brings no rows back: public.a\""));
  EXPECT_EQ("9", target("SELECT count(*) FROM a"));
  ASSERT_TRUE(ends_with(kOk, restore(backup, {"--clean", "--schema-only", "-t", "b"})));
  target("TRUNCATE a");
  ASSERT_TRUE(ends_with(kOk, restore(backup, {"--clean", "--schema-only"})));
}

// Nor rows of an extension's tables, nor what refers to them.
TEST_F(CostsOfClean, AreNoRowsBesideAnExtension) {
  if (!cluster().has_probe_extension()) GTEST_SKIP() << "the server's installation cannot be copied";
  const std::string sql =
      "CREATE SCHEMA probe; CREATE EXTENSION pana_probe; INSERT INTO probe.units VALUES ('ell', 1.1, false)";
  const std::filesystem::path backup = both(sql);
  target(
      "CREATE TABLE u (id int, unit text REFERENCES probe.units ON DELETE CASCADE); INSERT INTO u VALUES (1, 'ell')");
  for (const std::vector<std::string>& options : std::vector<std::vector<std::string>>{
           {"--clean", "--data-only", "-n", "probe"}, {"--clean", "-n", "probe"}, {"--clean", "--data-only"}}) {
    const Outcome refused = restore(backup, options);
    EXPECT_TRUE(ends_with(kRefused, refused));
    EXPECT_THAT(refused.err, HasSubstr("cannot empty probe.units: rows of public.u refer to it"));
  }
  EXPECT_EQ("1", target("SELECT count(*) FROM u"));
  target("DROP TABLE u");
  const Outcome refused = restore(backup, {"--clean", "--schema-only"});
  EXPECT_TRUE(ends_with(kRefused, refused));
  EXPECT_THAT(refused.err, HasSubstr("--schema-only brings no rows back: probe.units"));
}

TEST_F(CostsOfClean, AreListedByADryRun) {
  const std::filesystem::path backup = both(
      "CREATE TABLE a AS SELECT generate_series(1, 9) AS i; CREATE TABLE b (id serial); CREATE VIEW v AS SELECT i FROM "
      "a; CREATE TYPE color AS ENUM ('red'); CREATE FUNCTION f(int) RETURNS int LANGUAGE sql AS 'SELECT 1'");
  target("CREATE TABLE stays (i int)");
  const Outcome all = restore(backup, {"--clean", "--dry-run", "--json"});
  ASSERT_TRUE(ends_with(kOk, all));
  EXPECT_THAT(nlohmann::json::parse(all.out)["dropped"],
              testing::ElementsAre("routine public.f(integer)", "table public.a (8.0 KiB)", "table public.b",
                                   "type public.color", "view public.v"));
  const Outcome rows = restore(backup, {"--clean", "--data-only", "--dry-run", "--json"});
  EXPECT_THAT(nlohmann::json::parse(rows.out)["emptied"], testing::ElementsAre("public.a"));
  EXPECT_THAT(restore(backup, {"--clean", "--dry-run"}).out, HasSubstr("it would first drop:\n  routine public.f"));
  EXPECT_EQ("9", target("SELECT count(*) FROM a"));
}

}  // namespace
}  // namespace pana::test
