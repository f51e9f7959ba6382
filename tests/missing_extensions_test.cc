// Away from a platform: the target cannot have an extension that the source's tables are made with.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support/origin_and_target.h"

namespace pana::test {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

// A server without the tests' extension, and one that has it.
class MissingExtensions : public OriginAndTarget {
 protected:
  void SetUp() override {
    OriginAndTarget::SetUp();
    if (IsSkipped()) return;
    if (!cluster().has_probe_extension()) GTEST_SKIP() << "the server's installation cannot be copied";
    elsewhere_.hide_extension("pana_probe");
    elsewhere_.create_database("target");
    elsewhere_.sql("target", "CREATE ROLE pana_reader");
  }

  Outcome restore_elsewhere(const std::vector<std::string>& options) const {
    std::vector<std::string> arguments = {"restore", back_up("origin"), "--into", elsewhere_.url("target")};
    arguments.insert(arguments.end(), options.begin(), options.end());
    return pana(arguments);
  }

  Cluster elsewhere_;
};

constexpr const char* kMadeWithProbe = R"(
CREATE SCHEMA probe; CREATE EXTENSION pana_probe;
CREATE TABLE days (id int DEFAULT probe.twice(2) NOT NULL, "Größe, (x" probe.mood DEFAULT 'sad'::probe.mood, others probe.mood[] NOT NULL,
  double int GENERATED ALWAYS AS (probe.twice(id)) STORED, CONSTRAINT small CHECK (probe.twice(id) < 1000), CONSTRAINT positive CHECK (id > 0)) PARTITION BY RANGE (id);
CREATE TABLE days_1 PARTITION OF days FOR VALUES FROM (0) TO (100); INSERT INTO days (id, others) SELECT i, '{glad,sad}' FROM generate_series(1, 50) AS i;
CREATE INDEX by_twice ON days (probe.twice(id)); CREATE INDEX by_id ON days (id);
CREATE DOMAIN cheer AS probe.mood; CREATE TABLE cheers (c cheer, plain int); INSERT INTO cheers VALUES ('glad', 1); CREATE TABLE plain (i int PRIMARY KEY); INSERT INTO plain VALUES (7);
CREATE VIEW doubled AS SELECT probe.twice(id) AS twice FROM days; CREATE VIEW ids AS SELECT id FROM days; COMMENT ON VIEW doubled IS 'two of each'; GRANT SELECT ON doubled, days TO pana_reader;
CREATE FUNCTION cheer_up(probe.mood) RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE POLICY few ON plain USING (probe.twice(i) > 3); ALTER TABLE plain ENABLE ROW LEVEL SECURITY)";

TEST_F(MissingExtensions, CostNoRow) {
  origin(kMadeWithProbe);
  const Outcome planned = restore_elsewhere({"--skip-missing-extensions", "--dry-run", "--json"});
  ASSERT_TRUE(ends_with(7, planned));
  EXPECT_EQ("0", elsewhere_.sql("target", "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"));
  const Outcome outcome = restore_elsewhere({"--skip-missing-extensions", "--verify", "--json"});
  ASSERT_TRUE(ends_with(7, outcome));
  const nlohmann::json report = nlohmann::json::parse(outcome.out);
  EXPECT_THAT(report["errors"], IsEmpty());
  EXPECT_TRUE(report["comparison"]["equal"]);
  const auto of_table = [](const std::string& table) {
    return std::vector<std::string>{"TABLE public." + table + ": column \"Größe, (x\" is text in place of probe.mood",
                                    "TABLE public." + table + ": column others is text in place of probe.mood[]"};
  };
  for (const std::string& text : of_table("days")) EXPECT_THAT(report["adapted"], Contains(text));
  for (const std::string& text : of_table("days_1")) EXPECT_THAT(report["adapted"], Contains(text));
  EXPECT_THAT(report["adapted"], AllOf(Contains("TABLE public.days: column id has no default"),
                                       Contains("TABLE public.days: column double is not generated, and NULL"),
                                       Contains("TABLE public.days: constraint small is left out"),
                                       Contains("TABLE public.cheers: column c is text in place of public.cheer")));
  for (const char* const what : {"VIEW public.doubled", "COMMENT public.VIEW doubled", "INDEX public.by_twice",
                                 "DOMAIN public.cheer", "FUNCTION public.cheer_up", "POLICY public.plain few"})
    EXPECT_THAT(report["left_out"], Contains(testing::StartsWith(what)));
  EXPECT_EQ(nlohmann::json::parse(planned.out)["adapted"], report["adapted"]);
  EXPECT_EQ("50|50|glad|7|by_id|positive|t",
            elsewhere_.sql("target",
                           "SELECT (SELECT count(*) FROM days WHERE others = '{glad,sad}' AND \"Größe, (x\" = 'sad'), "
                           "(SELECT count(*) FROM ids), (SELECT c FROM cheers), (SELECT i FROM plain), (SELECT "
                           "string_agg(relname, ',') FROM pg_class WHERE relkind = 'I'), (SELECT string_agg(conname, "
                           "',') FROM pg_constraint WHERE conrelid = 'days'::regclass AND contype = 'c'), "
                           "has_table_privilege('pana_reader', 'days', 'SELECT')"));
}

// Without rows of the user there is nothing to lose; with them, a table that cannot be is asked about.
TEST_F(MissingExtensions, AreAskedAboutWhereRowsWouldBeLost) {
  origin(
      "CREATE SCHEMA probe; CREATE EXTENSION pana_probe; CREATE TABLE parts (id int) PARTITION BY RANGE "
      "(probe.twice(id)); CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (100); CREATE TABLE sums (i "
      "int) "
      "PARTITION BY RANGE (probe.twice(i)); CREATE TABLE whole (LIKE probe.jobs INCLUDING DEFAULTS); INSERT INTO "
      "whole VALUES (1, 'x'); INSERT INTO parts VALUES (1)");
  ASSERT_TRUE(ends_with(7, restore_elsewhere({"--skip-missing-extensions", "--verify"})));
  EXPECT_EQ("1|1|f", elsewhere_.sql("target",
                                    "SELECT (SELECT count(*) FROM parts_1), (SELECT count(*) FROM whole), "
                                    "to_regclass('sums') IS NOT NULL"));
  origin("CREATE TABLE whole_1 () INHERITS (probe.cache); INSERT INTO whole_1 VALUES ('a', 'b')");
  elsewhere_.drop_database("target");
  elsewhere_.create_database("target");
  const Outcome refused = restore_elsewhere({"--skip-missing-extensions"});
  EXPECT_TRUE(ends_with(kRefused, refused));
  EXPECT_THAT(refused.err, HasSubstr("tables with rows cannot be made without the extensions: public.whole_1"));
  EXPECT_EQ("0", elsewhere_.sql("target", "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"));
  EXPECT_TRUE(ends_with(kFailed, restore_elsewhere({"--skip-missing-extensions", "--keep-going"})));
}

TEST_F(MissingExtensions, AreAskedAboutWhereMoreCouldBeSeen) {
  origin(
      "CREATE SCHEMA probe; CREATE EXTENSION pana_probe; CREATE TABLE t (i int); ALTER TABLE t ENABLE ROW LEVEL "
      "SECURITY; CREATE POLICY all_of_it ON t USING (true); CREATE POLICY but_few ON t AS RESTRICTIVE USING "
      "(probe.twice(i) > 3)");
  const Outcome refused = restore_elsewhere({"--skip-missing-extensions"});
  EXPECT_TRUE(ends_with(kRefused, refused));
  EXPECT_THAT(refused.err, HasSubstr("may let roles see other rows than in the source: POLICY public.t but_few"));
}

TEST_F(MissingExtensions, TakeTheirRowsWithThemWhateverTheirSchemaIsCalled) {
  origin(
      "CREATE EXTENSION pg_cron; SELECT cron.schedule('nightly', '0 3 * * *', 'SELECT 1'); CREATE TABLE t (i int); "
      "INSERT INTO t VALUES (1)");
  elsewhere_.hide_extension("pg_cron");
  const Outcome outcome = restore_elsewhere({"--skip-missing-extensions", "--verify"});
  ASSERT_TRUE(ends_with(7, outcome));
  EXPECT_THAT(outcome.out, HasSubstr("left out for want of an extension:\n  1 row of cron.job\n"));
  EXPECT_EQ("1", elsewhere_.sql("target", "SELECT count(*) FROM t"));
}

// By what the policy reads, by what it is on, and where the same call means another function.
TEST_F(MissingExtensions, AreAskedAboutWhereverPoliciesMeanSomethingElse) {
  const std::vector<std::pair<const char*, const char*>> cases = {
      {"CREATE TABLE secret (id int); CREATE VIEW allowed AS SELECT i FROM base WHERE probe.twice(i) > 3; ALTER TABLE "
       "secret ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON secret AS RESTRICTIVE USING (EXISTS (SELECT FROM allowed "
       "WHERE i = id))",
       "POLICY public.secret p"},
      {"CREATE TABLE parts (id int) PARTITION BY RANGE (probe.twice(id)); CREATE TABLE part PARTITION OF parts FOR "
       "VALUES FROM (0) TO (9); ALTER TABLE part ENABLE ROW LEVEL SECURITY; CREATE POLICY q ON part AS RESTRICTIVE "
       "USING (probe.twice(id) > 3)",
       "POLICY public.part q"},
      {"CREATE TABLE people (m probe.mood); CREATE FUNCTION may(probe.mood) RETURNS bool LANGUAGE sql AS 'SELECT "
       "false'; CREATE FUNCTION may(text) RETURNS bool LANGUAGE sql AS 'SELECT true'; ALTER TABLE people ENABLE ROW "
       "LEVEL SECURITY; CREATE POLICY r ON people USING (may(m))",
       "POLICY public.people r"}};
  origin("CREATE SCHEMA probe; CREATE EXTENSION pana_probe; CREATE TABLE base (i int)");
  for (const auto& [sql, policy] : cases) {
    origin(sql);
    const Outcome refused = restore_elsewhere({"--skip-missing-extensions", "--dry-run"});
    EXPECT_TRUE(ends_with(kRefused, refused));
    EXPECT_THAT(refused.err, HasSubstr(policy));
  }
  // Whatever else is made between the two, and of a part as of the whole; with consent it is listed.
  origin(
      "DROP TABLE parts, secret; DROP VIEW allowed; DO $$BEGIN FOR i IN 1..250 LOOP EXECUTE format('CREATE TABLE "
      "between_%s (i int PRIMARY KEY)', i); END LOOP; END$$");
  for (const std::vector<std::string>& part : std::vector<std::vector<std::string>>{{}, {"-t", "people"}}) {
    std::vector<std::string> options = {"--skip-missing-extensions", "--dry-run"};
    options.insert(options.end(), part.begin(), part.end());
    const Outcome refused = restore_elsewhere(options);
    EXPECT_TRUE(ends_with(kRefused, refused));
    EXPECT_THAT(refused.err, HasSubstr("may let roles see other rows than in the source: POLICY public.people r"));
  }
  const Outcome accepted = restore_elsewhere({"--skip-missing-extensions", "--keep-going", "--json"});
  EXPECT_TRUE(ends_with(7, accepted));
  EXPECT_THAT(nlohmann::json::parse(accepted.out)["adapted"],
              Contains("POLICY public.people r: may let roles see other rows than in the source"));
}

TEST_F(MissingExtensions, LeaveWhatCleanCouldNotMakeAgain) {
  origin(
      "CREATE SCHEMA probe; CREATE EXTENSION pana_probe; CREATE TABLE base (i int); CREATE VIEW v AS SELECT i FROM "
      "base "
      "WHERE probe.twice(i) > 3");
  elsewhere_.sql("target", "CREATE TABLE base (i int); CREATE VIEW v AS SELECT i FROM base");
  const Outcome refused = restore_elsewhere({"--skip-missing-extensions", "--clean"});
  EXPECT_TRUE(ends_with(kRefused, refused));
  EXPECT_THAT(refused.err, HasSubstr("would drop what cannot be made again without the extensions: VIEW public.v"));
  EXPECT_EQ("0", elsewhere_.sql("target", "SELECT count(*) FROM v"));
}

// On disk, and not to be had: the role may not, or the server was not started with its library.
TEST_F(MissingExtensions, MayBeThereAndNotToBeHad) {
  origin("CREATE EXTENSION file_fdw; CREATE TABLE t (i int); INSERT INTO t VALUES (1)");
  target("ALTER SCHEMA public OWNER TO pana_writer; GRANT CREATE ON DATABASE target TO pana_writer");
  std::vector<std::string> restore = {"restore",    back_up("origin"), "--into", url_of("pana_writer"),
                                      "--no-owner", "--no-privileges"};
  EXPECT_TRUE(ends_with(kRefused, pana(restore)));
  restore.insert(restore.end(), {"--skip-missing-extensions", "--verify"});
  const Outcome outcome = pana(restore);
  ASSERT_TRUE(ends_with(kOk, outcome));
  EXPECT_THAT(outcome.err,
              HasSubstr("the extension file_fdw is left out: the target cannot have it (permission denied"));
  EXPECT_EQ("1", target("SELECT count(*) FROM t"));
  cluster().drop_database("target");
}

}  // namespace
}  // namespace pana::test
