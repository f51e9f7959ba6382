// What stands around a definition is restored with it: owner, rights, tablespace, access method, sequence values. Also
// where the definition itself is not run, or another one fails.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/origin_and_target.h"

namespace pana::test {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class RestoreSchema : public OriginAndTarget {
 protected:
  void SetUp() override {
    OriginAndTarget::SetUp();
    if (IsSkipped()) return;
    for (const std::string name : {"pana_fast", "pana_slow"}) {
      cluster().sql("postgres", "SET allow_in_place_tablespaces = on;\nSELECT 'CREATE TABLESPACE " + name +
                                    " LOCATION ''''' WHERE NOT EXISTS (SELECT FROM pg_tablespace WHERE spcname = '" +
                                    name + "')\\gexec");
    }
  }

  Outcome restore(const std::vector<std::string>& backup_options, const std::vector<std::string>& options) const {
    return OriginAndTarget::restore(back_up("origin", backup_options), options);
  }

  // A line for each schema and each relation: what pg_dump's text does not show well, or not at all.
  static std::string surroundings_in(const std::string& database) {
    return cluster().sql(database, R"(
      SELECT 'schema', nspname, pg_get_userbyid(nspowner), nspacl, obj_description(oid, 'pg_namespace'), NULL
      FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'left_out')
      UNION ALL
      SELECT c.relkind::text, c.oid::regclass::text, pg_get_userbyid(c.relowner), c.relacl, t.spcname, a.amname
      FROM pg_class AS c LEFT JOIN pg_tablespace AS t ON t.oid = c.reltablespace LEFT JOIN pg_am AS a ON a.oid = c.relam
      JOIN pg_namespace AS n ON n.oid = c.relnamespace
      WHERE n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'left_out')
      ORDER BY 1, 2)");
  }
};

constexpr const char* kOwnedSchemas = R"(
CREATE SCHEMA left_out; CREATE TABLE left_out.t AS SELECT 1 AS id;
CREATE SCHEMA "Odd ""schema" AUTHORIZATION pana_writer;
CREATE SCHEMA shop AUTHORIZATION pana_owner;
COMMENT ON SCHEMA "Odd ""schema" IS 'what is sold';
GRANT USAGE ON SCHEMA shop TO pana_reader;
ALTER SCHEMA public OWNER TO pana_owner;
CREATE TABLE shop.a (id int) TABLESPACE pana_fast;
CREATE TABLE shop.b (id int);
CREATE TABLE "Odd ""schema".c AS SELECT 7 AS id;
ALTER TABLE shop.a OWNER TO pana_owner;
GRANT SELECT ON shop.a TO pana_reader;
ALTER TABLE shop.a ADD PRIMARY KEY (id) USING INDEX TABLESPACE pana_slow;
INSERT INTO shop.a VALUES (1), (2);
)";

TEST_F(RestoreSchema, AFilteredBackupBringsItsSchemasOwnersAndTablespaces) {
  origin(kOwnedSchemas);
  ASSERT_TRUE(ends_with(kOk, restore({"-N", "left_out"}, {})));
  EXPECT_EQ(surroundings_in("origin"), surroundings_in("target"));
  EXPECT_EQ("2|7", target("SELECT (SELECT count(*) FROM shop.a), (SELECT id FROM \"Odd \"\"schema\".c)"));
  EXPECT_EQ("t", target("SELECT to_regnamespace('left_out') IS NULL"));
}

TEST_F(RestoreSchema, ASchemaThatIsThereGetsItsOwnerAndRights) {
  origin(kOwnedSchemas);
  target("CREATE SCHEMA shop; CREATE SCHEMA \"Odd \"\"schema\"");
  ASSERT_TRUE(ends_with(kOk, restore({}, {})));
  EXPECT_EQ(surroundings_in("origin"), surroundings_in("target"));
  EXPECT_EQ("1", target("SELECT count(*) FROM left_out.t"));
}

TEST_F(RestoreSchema, ASchemaThatIsThereKeepsItsOwnerWithoutOwners) {
  origin(kOwnedSchemas);
  target("CREATE SCHEMA shop AUTHORIZATION pana_reader");
  ASSERT_TRUE(ends_with(kOk, restore({}, {"--no-owner"})));
  EXPECT_EQ("pana_reader", target("SELECT pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname = 'shop'"));
}

TEST_F(RestoreSchema, ATableOfABackupOfTablesGetsASchemaToBeIn) {
  origin(kOwnedSchemas);
  ASSERT_TRUE(ends_with(kOk, restore({"-t", "shop.a"}, {})));
  EXPECT_EQ("2", target("SELECT count(*) FROM shop.a"));
  EXPECT_EQ(
      "pana_fast",
      target("SELECT spcname FROM pg_class JOIN pg_tablespace AS t ON t.oid = reltablespace WHERE relname = 'a'"));
}

TEST_F(RestoreSchema, CreateOnTheDatabaseIsAskedForOnlyWhereSomethingNeedsIt) {
  origin("CREATE SCHEMA app; CREATE TABLE app.t AS SELECT 1 AS id; CREATE TABLE public.u AS SELECT 2 AS id");
  cluster().allow_login("pana_writer");
  const auto restore_as_writer = [&](const std::vector<std::string>& options) {
    std::vector<std::string> arguments = {"restore", back_up("origin"), "--into",
                                          cluster().url("target", "pana_writer", cluster().password()), "--no-owner"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    return pana(arguments);
  };
  target("GRANT CREATE, USAGE ON SCHEMA public TO pana_writer");
  const Outcome refused = restore_as_writer({});
  EXPECT_TRUE(ends_with(kRefused, refused));
  EXPECT_THAT(refused.err, HasSubstr("may not create in the target database: schema app"));
  EXPECT_EQ("t", target("SELECT to_regclass('public.u') IS NULL"));
  target("CREATE SCHEMA app; GRANT CREATE, USAGE ON SCHEMA app TO pana_writer");
  ASSERT_TRUE(ends_with(kOk, restore_as_writer({"-t", "public.u", "-t", "app.t"})));
  EXPECT_EQ("1|2", target("SELECT (SELECT id FROM app.t), (SELECT id FROM u)"));
}

constexpr const char* kStoredElsewhere = R"(
CREATE ACCESS METHOD other TYPE TABLE HANDLER heap_tableam_handler;
CREATE TABLE a (id int);
CREATE TABLE b (id int) USING other TABLESPACE pana_fast;
CREATE TABLE c (id int) USING other TABLESPACE pana_fast;
CREATE TABLE d (id int);
CREATE MATERIALIZED VIEW m USING other TABLESPACE pana_slow AS SELECT 1 AS one;
CREATE INDEX a_id ON a (id);
CREATE INDEX b_id ON b (id) TABLESPACE pana_slow;
ALTER TABLE c ADD UNIQUE (id) USING INDEX TABLESPACE pana_slow;
)";

TEST_F(RestoreSchema, AnEntryThatFailsTakesNoSettingOfLaterOnesAlong) {
  origin(kStoredElsewhere);
  target("CREATE TYPE a AS ENUM ()");
  const Outcome outcome = restore({}, {"--allow-non-empty", "--keep-going"});
  EXPECT_TRUE(ends_with(kFailed, outcome));
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("TABLE public.a"), Not(HasSubstr("public.b"))));
  cluster().sql("origin", "DROP TABLE a");
  EXPECT_EQ(surroundings_in("origin"), surroundings_in("target"));
}

TEST_F(RestoreSchema, AChosenTableGetsTheSettingsThatStandBehindOneLeftOut) {
  origin(kStoredElsewhere);
  target("CREATE ACCESS METHOD other TYPE TABLE HANDLER heap_tableam_handler");
  ASSERT_TRUE(ends_with(kOk, restore({}, {"-t", "public.c"})));
  const std::string of_c =
      "SELECT relname, spcname, amname FROM pg_class LEFT JOIN pg_tablespace AS t ON t.oid = reltablespace "
      "JOIN pg_am AS a ON a.oid = relam WHERE relname ~ '^c' ORDER BY 1";
  EXPECT_EQ(cluster().sql("origin", of_c), target(of_c));
}

TEST_F(RestoreSchema, AChosenTableGetsItsIdentityColumnsAndTheirValues) {
  origin(
      "CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY, \"of_NAME\" int GENERATED BY DEFAULT AS IDENTITY (SEQUENCE "
      "NAME odd START 5), x int);"
      "CREATE TABLE other (id int GENERATED ALWAYS AS IDENTITY); INSERT INTO t (x) VALUES (1), (2), (3)");
  ASSERT_TRUE(ends_with(kOk, restore({}, {"-t", "public.t"})));
  const std::string values = "INSERT INTO t (x) VALUES (4) RETURNING *";
  EXPECT_EQ("4|8|4", target(values));
  EXPECT_EQ(cluster().sql("origin", values), "4|8|4");
}

TEST_F(RestoreSchema, AMissingTablespaceCostsNoTable) {
  origin(
      "CREATE TABLE a (id int); CREATE TABLE b (id int) TABLESPACE pana_fast; CREATE SEQUENCE s OWNED BY b.id;"
      "CREATE TABLE c (id int); CREATE VIEW v AS SELECT 1 AS one; CREATE INDEX c_id ON c (id)");
  const Cluster elsewhere;
  elsewhere.create_database("target");
  const Outcome outcome = pana({"restore", back_up("origin"), "--into", elsewhere.url("target"), "--keep-going"});
  EXPECT_TRUE(ends_with(kFailed, outcome));
  EXPECT_THAT(outcome.err, HasSubstr("pana_fast"));
  EXPECT_EQ(
      "a\nb\nc\nc_id\ns\nv",
      elsewhere.sql("target", "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY 1"));
}

TEST_F(RestoreSchema, WithoutTablespacesAllIsInTheDefaultOne) {
  origin(kStoredElsewhere);
  ASSERT_TRUE(ends_with(kOk, restore({}, {"--no-tablespaces"})));
  EXPECT_EQ("0",
            target("SELECT count(*) FROM pg_class WHERE reltablespace <> 0 AND relnamespace = 'public'::regnamespace"));
  EXPECT_EQ("3", target("SELECT count(*) FROM pg_class JOIN pg_am AS a ON a.oid = relam WHERE amname = 'other'"));
}

TEST_F(RestoreSchema, ASequenceThatCannotBeSetCostsNoOther) {
  origin(
      "CREATE SEQUENCE a; CREATE SEQUENCE \"b's\"; CREATE SEQUENCE c; SELECT setval('a', 11); SELECT "
      "setval('\"b''s\"', 22); SELECT setval('c', 33)");
  target("CREATE SEQUENCE a MAXVALUE 5; CREATE SEQUENCE \"b's\"");
  const Outcome outcome = restore({}, {"--data-only", "--keep-going"});
  EXPECT_TRUE(ends_with(kFailed, outcome));
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("the value of sequence public.a:"),
                                 HasSubstr("the value of sequence public.c:"), Not(HasSubstr("b's"))));
  EXPECT_EQ("22", target("SELECT last_value FROM \"b's\""));
  EXPECT_TRUE(ends_with(kRefused, restore({}, {"--data-only"}))) << "one is missing";
  target("CREATE SEQUENCE c");
  const Outcome stopped = restore({}, {"--data-only"});
  EXPECT_TRUE(ends_with(kFailed, stopped));
  EXPECT_THAT(stopped.err, AllOf(HasSubstr("the value of sequence public.a:"), Not(HasSubstr("public.c"))));
}

TEST_F(RestoreSchema, WithoutAnalyzeThereAreNoStatistics) {
  origin("CREATE TABLE t AS SELECT 1 AS id");
  const std::string statistics = "SELECT count(*) FROM pg_statistic WHERE starelid = 't'::regclass";
  ASSERT_TRUE(ends_with(kOk, restore({}, {"--no-analyze"})));
  EXPECT_EQ("0", target(statistics));
  ASSERT_TRUE(ends_with(kOk, restore({}, {"--clean"})));
  EXPECT_EQ("1", target(statistics));
}

// Its query comes behind the rows: a primary key lets it be. Columns of NULLs hold its place until then.
TEST_F(RestoreSchema, OfAViewIsWholeOrNotThere) {
  origin(
      "CREATE TABLE t (id int PRIMARY KEY, v int); CREATE VIEW by_key AS SELECT id, v FROM t GROUP BY id; CREATE VIEW "
      "over_it AS SELECT v FROM by_key;"
      "CREATE VIEW \"over that\" AS SELECT v FROM over_it; CREATE MATERIALIZED VIEW kept AS SELECT v FROM by_key");
  const Outcome alone = restore({}, {"-t", "by_key", "-t", "over*", "--keep-going"});
  EXPECT_TRUE(ends_with(kFailed, alone));
  EXPECT_THAT(
      alone.err,
      AllOf(
          HasSubstr("cannot restore RULE public.by_key _RETURN"),
          HasSubstr(
              R"(cannot restore VIEW public.\"over that\": of \"public\".\"by_key\" only the columns could be made, and it is dropped again)"),
          HasSubstr("cannot restore VIEW public.over_it: "), HasSubstr("4 objects could not be restored")));
  EXPECT_EQ("0", target("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"));
  const Outcome with_others = restore({}, {"-t", "by_key", "-t", "kept", "--keep-going"});
  EXPECT_THAT(with_others.err, HasSubstr("cannot restore MATERIALIZED VIEW public.kept: of "));
  EXPECT_EQ("0", target("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"));
  target("CREATE VIEW by_key AS SELECT 'the target''s own' AS id");
  EXPECT_TRUE(ends_with(kFailed, restore({}, {"-t", "by_key", "--keep-going", "--allow-non-empty"})));
  EXPECT_EQ("the target's own", target("TABLE by_key"));
}

TEST_F(RestoreSchema, OfAViewOutlivesItsRules) {
  origin(
      R"(CREATE SCHEMA other; CREATE TABLE other.log (id int); CREATE VIEW good AS SELECT 1 AS id; CREATE VIEW above AS SELECT id FROM good;
            CREATE RULE "my _RETURN" AS ON INSERT TO good DO INSTEAD INSERT INTO other.log VALUES (1))");
  EXPECT_TRUE(ends_with(kFailed, restore({}, {"-N", "other", "--keep-going"})));
  EXPECT_EQ("1", target("SELECT id FROM above"));
}

}  // namespace
}  // namespace pana::test
