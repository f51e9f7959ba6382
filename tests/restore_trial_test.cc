// Whatever a role without superuser may not have of a restore is refused by name before anything is changed, with a
// hint that helps.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "support/origin_and_target.h"

namespace pana::test {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

// Into a cluster without the origin's roles, by somebody who may make roles and owns the target.
class RestoreTrial : public OriginAndTarget {
 protected:
  void SetUp() override {
    OriginAndTarget::SetUp();
    if (IsSkipped()) return;
    elsewhere_ = std::make_unique<Cluster>();
    elsewhere_->sql("postgres", "CREATE ROLE maker CREATEROLE");
    elsewhere_->allow_login("maker");
    new_target();
  }

  void new_target() const {
    elsewhere_->create_database("target");
    elsewhere_->sql("postgres", "ALTER DATABASE target OWNER TO maker");
  }

  std::string elsewhere(const std::string& sql) const { return elsewhere_->sql("target", sql); }

  Outcome restore_as(const std::string& role, const fs::path& backup,
                     const std::vector<std::string>& options = {}) const {
    std::vector<std::string> arguments = {"restore", backup, "--into",
                                          elsewhere_->url("target", role, elsewhere_->password())};
    arguments.insert(arguments.end(), options.begin(), options.end());
    return pana(arguments);
  }

  // What there is of tables and the backup's roles.
  std::string state() const {
    return elsewhere(
        "SELECT (SELECT count(*) FROM pg_class WHERE oid >= 16384 AND relkind IN ('r', 'v', 'S')), (SELECT count(*) "
        "FROM pg_roles WHERE rolname ~ '^pana')");
  }

  std::unique_ptr<Cluster> elsewhere_;
};

constexpr const char* kOwnerWithoutCreate = R"(
CREATE SCHEMA app AUTHORIZATION pana_owner; CREATE TABLE app.a (x int); ALTER TABLE app.a OWNER TO pana_owner;
CREATE TABLE app.b AS SELECT 1 AS x; ALTER TABLE app.b OWNER TO pana_writer;)";

TEST_F(RestoreTrial, FindsOwnersWhoMayNotCreateInASchemaThatItMakes) {
  origin(kOwnerWithoutCreate);
  const fs::path backup = back_up("origin");
  const Outcome refused = restore_as("maker", backup, {"--create-missing-roles"});
  EXPECT_TRUE(ends_with(kRefused, refused));
  EXPECT_THAT(refused.err, AllOf(HasSubstr("cannot give TABLE app.b to pana_writer (permission denied for schema app)"),
                                 HasSubstr("--no-owner does without owners, --role-map pana_writer=OTHER"),
                                 Not(HasSubstr("GRANT CREATE"))));
  EXPECT_EQ("0|0", state());
  ASSERT_TRUE(
      ends_with(kOk, restore_as("maker", backup, {"--create-missing-roles", "--role-map", "pana_writer=pana_owner"})));
  EXPECT_EQ("1", elsewhere("SELECT x FROM app.b"));
  new_target();
  ASSERT_TRUE(ends_with(kOk, restore_as("maker", backup, {"--create-missing-roles", "--no-owner"})));
  new_target();
  const Outcome all_but_the_owner = restore_as("maker", backup, {"--create-missing-roles", "--keep-going"});
  EXPECT_TRUE(ends_with(kFailed, all_but_the_owner));
  EXPECT_THAT(all_but_the_owner.err, AllOf(HasSubstr("cannot restore the owner of TABLE app.b: permission denied"),
                                           HasSubstr("1 object could not")));
  EXPECT_EQ("1", elsewhere("SELECT x FROM app.b"));
}

TEST_F(RestoreTrial, FindsThemBeforeCleanDropsTheSchemaWithItsGrants) {
  origin(kOwnerWithoutCreate);
  const fs::path backup = back_up("origin");
  ASSERT_TRUE(ends_with(kOk, restore_as("postgres", backup, {"--create-missing-roles"})));
  elsewhere("GRANT pana_owner, pana_writer TO maker");
  for (const char* const grant : {"", "GRANT CREATE ON SCHEMA app TO pana_writer"}) {
    elsewhere(grant);
    const Outcome refused = restore_as("maker", backup, {"--clean"});
    EXPECT_TRUE(ends_with(kRefused, refused));
    EXPECT_THAT(refused.err, HasSubstr("cannot give TABLE app.b to pana_writer (permission denied for schema app)"));
    EXPECT_EQ("1", elsewhere("SELECT x FROM app.b"));
  }
}

TEST_F(RestoreTrial, GoesByWhatTheBackupGrantsOnItsSchemas) {
  origin(std::string(kOwnerWithoutCreate) + "GRANT CREATE ON SCHEMA app TO pana_reader");
  const fs::path backup = back_up("origin");
  EXPECT_TRUE(ends_with(kRefused, restore_as("maker", backup, {"--create-missing-roles"})));
  elsewhere("CREATE ROLE pana_reader; CREATE ROLE pana_writer IN ROLE pana_reader; GRANT pana_writer TO maker");
  ASSERT_TRUE(ends_with(kOk, restore_as("maker", backup, {"--create-missing-roles"})))
      << "a member of whom the backup grants it to";
  elsewhere("REVOKE pana_reader FROM pana_writer");
  new_target();
  origin("GRANT CREATE ON SCHEMA app TO PUBLIC");
  const fs::path another = back_up("origin");
  ASSERT_TRUE(ends_with(kOk, restore_as("maker", another)));
}

TEST_F(RestoreTrial, NamesTheGrantThatHelpsInASchemaThatIsThere) {
  origin("CREATE SCHEMA app; CREATE TABLE app.a AS SELECT 1 AS x; ALTER TABLE app.a OWNER TO pana_writer");
  const fs::path backup = back_up("origin");
  elsewhere(
      "CREATE ROLE pana_writer; GRANT pana_writer TO maker; CREATE SCHEMA app; GRANT USAGE ON SCHEMA app TO "
      "pana_writer");
  const Outcome ours = restore_as("maker", backup, {"-t", "app.a"});
  EXPECT_TRUE(ends_with(kRefused, ours));
  EXPECT_THAT(ours.err, HasSubstr("GRANT CREATE ON SCHEMA app TO maker"));
  elsewhere("GRANT CREATE ON SCHEMA app TO maker");
  const Outcome theirs = restore_as("maker", backup, {"-t", "app.a"});
  EXPECT_TRUE(ends_with(kRefused, theirs));
  EXPECT_THAT(theirs.err, HasSubstr("GRANT CREATE ON SCHEMA app TO pana_writer"));
  elsewhere("GRANT CREATE ON SCHEMA app TO pana_writer");
  ASSERT_TRUE(ends_with(kOk, restore_as("maker", backup, {"-t", "app.a"})));
}

TEST_F(RestoreTrial, FindsOwnersOfPublicationsWhoMayNotCreateInTheDatabase) {
  origin(
      "CREATE SCHEMA s AUTHORIZATION pana_owner; CREATE TABLE s.t AS SELECT 1 AS id; ALTER TABLE s.t OWNER TO "
      "pana_owner; GRANT SELECT ON s.t TO pana_reader; "
      "CREATE PUBLICATION p FOR TABLE s.t; ALTER PUBLICATION p OWNER TO pana_owner");
  const fs::path backup = back_up("origin");
  const Outcome missing = restore_as("maker", backup, {"--create-missing-roles"});
  EXPECT_TRUE(ends_with(kRefused, missing));
  EXPECT_THAT(missing.err,
              AllOf(HasSubstr("cannot give PUBLICATION p to pana_owner (permission denied for database target)"),
                    Not(HasSubstr("GRANT CREATE"))));
  EXPECT_EQ("0|0", state());
  elsewhere("CREATE ROLE pana_owner; CREATE ROLE pana_reader; GRANT pana_owner TO maker");
  const Outcome refused = restore_as("maker", backup);
  EXPECT_TRUE(ends_with(kRefused, refused));
  EXPECT_THAT(refused.err, HasSubstr("GRANT CREATE ON DATABASE target TO pana_owner"));
  elsewhere("GRANT CREATE ON DATABASE target TO pana_owner");
  ASSERT_TRUE(ends_with(kOk, restore_as("maker", backup)));
  EXPECT_EQ(
      "pana_owner|t",
      elsewhere(
          "SELECT pg_get_userbyid(pubowner), has_table_privilege('pana_reader', 's.t', 'SELECT') FROM pg_publication"));
}

TEST_F(RestoreTrial, FindsOwnersWhoMustBeSuperusers) {
  origin(
      "CREATE TABLE t AS SELECT 1 AS id; CREATE FOREIGN DATA WRAPPER w; DROP ROLE IF EXISTS pana_boss; CREATE ROLE "
      "pana_boss SUPERUSER; ALTER FOREIGN DATA WRAPPER w OWNER TO pana_boss");
  const fs::path backup = back_up("origin");
  const Outcome refused = restore_as("postgres", backup, {"--create-missing-roles"});
  EXPECT_TRUE(ends_with(kRefused, refused));
  EXPECT_THAT(refused.err, AllOf(HasSubstr("cannot give FOREIGN DATA WRAPPER w to pana_boss"),
                                 HasSubstr("--role-map pana_boss=OTHER"), HasSubstr("--globals")));
  EXPECT_EQ("0|0", state());
  ASSERT_TRUE(ends_with(kOk, restore_as("postgres", backup, {"--globals"})));
  origin("DROP FOREIGN DATA WRAPPER w; DROP ROLE pana_boss");
}

TEST_F(RestoreTrial, FindsSubscriptionsAndGrantsOnWhatTheServerBrings) {
  origin(
      "CREATE TABLE t AS SELECT 1 AS id; CREATE SUBSCRIPTION sub CONNECTION 'host=nowhere dbname=x password=pw' "
      "PUBLICATION p WITH (connect = false, slot_name = NONE)");
  const fs::path backup = back_up("origin");
  origin("DROP SUBSCRIPTION sub; GRANT EXECUTE ON FUNCTION pg_catalog.pg_stat_reset() TO pana_reader");
  const Outcome subscription = restore_as("maker", backup, {"--no-owner"});
  EXPECT_TRUE(ends_with(kRefused, subscription));
  EXPECT_THAT(subscription.err, AllOf(HasSubstr("SUBSCRIPTION sub"), HasSubstr("--no-subscriptions")));
  EXPECT_EQ("0|0", state());
  ASSERT_TRUE(ends_with(kOk, restore_as("maker", backup, {"--no-owner", "--no-subscriptions"})));
  new_target();
  elsewhere("ALTER SCHEMA public OWNER TO maker; CREATE ROLE pana_reader");
  const fs::path another = back_up("origin");
  const Outcome grant = restore_as("maker", another, {"--no-owner"});
  EXPECT_TRUE(ends_with(kRefused, grant));
  EXPECT_THAT(grant.err, AllOf(HasSubstr("FUNCTION pg_stat_reset"), HasSubstr("--no-privileges")));
  EXPECT_EQ("0|1", state());
  ASSERT_TRUE(ends_with(kOk, restore_as("maker", another, {"--no-owner", "--no-privileges"})));
}

TEST_F(RestoreTrial, NamesTheOptionsThatLeaveOutWhatOnlyASuperuserCanMake) {
  origin("CREATE TABLE t AS SELECT 1 AS id; CREATE PUBLICATION p FOR ALL TABLES");
  const fs::path backup = back_up("origin");
  const Outcome refused = restore_as("maker", backup, {"--no-owner"});
  EXPECT_TRUE(ends_with(kRefused, refused));
  EXPECT_THAT(refused.err, AllOf(HasSubstr("only a superuser can make PUBLICATION p"), HasSubstr("--no-publications"),
                                 Not(HasSubstr("extension"))));
  ASSERT_TRUE(ends_with(kOk, restore_as("maker", backup, {"--no-owner", "--no-publications"})));
}

TEST_F(RestoreTrial, NamesForMissingRolesOnlyWaysThatWorkForTheBackup) {
  origin(
      "CREATE TABLE t AS SELECT 1 AS id; ALTER TABLE t OWNER TO pana_owner; ALTER TABLE t ENABLE ROW LEVEL SECURITY; "
      "CREATE POLICY p ON t TO pana_reader USING (true)");
  const fs::path backup = back_up("origin");
  const Outcome refused = restore_as("maker", backup);
  EXPECT_TRUE(ends_with(kRefused, refused));
  EXPECT_THAT(refused.err, AllOf(HasSubstr("the target lacks the roles pana_owner, pana_reader"),
                                 HasSubstr("need pana_reader even with --no-owner"), HasSubstr("--role-map OLD=NEW"),
                                 Not(HasSubstr("do without them"))));
  ASSERT_TRUE(ends_with(
      kOk, restore_as("maker", backup, {"--no-owner", "--no-privileges", "--role-map", "pana_reader=maker"})));
}

// Without definitions: by somebody who owns what is there, and may not do everything with it.
class RestoreRowsOf : public RestoreTrial {
 protected:
  void SetUp() override {
    RestoreTrial::SetUp();
    if (IsSkipped()) return;
    elsewhere("ALTER SCHEMA public OWNER TO maker");
  }

  fs::path both(const std::string& sql) const {
    origin(sql);
    elsewhere("SET ROLE maker; " + sql);
    return back_up("origin");
  }
};

TEST_F(RestoreRowsOf, TablesWithForcedRowSecurityAreNotEmptiedInVain) {
  const fs::path backup = both(
      "CREATE TABLE t AS SELECT 1 AS id; ALTER TABLE t ENABLE ROW LEVEL SECURITY; ALTER TABLE t FORCE ROW LEVEL "
      "SECURITY");
  for (const std::vector<std::string>& options :
       std::vector<std::vector<std::string>>{{"--data-only", "--clean"}, {"--data-only", "--clean", "--keep-going"}}) {
    const Outcome refused = restore_as("maker", backup, options);
    EXPECT_TRUE(ends_with(kRefused, refused));
    EXPECT_THAT(refused.err, AllOf(HasSubstr("row level security applies to the restoring role in the tables public.t"),
                                   HasSubstr("NO FORCE ROW LEVEL SECURITY")));
    EXPECT_EQ("1", elsewhere("SELECT count(*) FROM t"));
  }
  ASSERT_TRUE(ends_with(kOk, restore_as("maker", backup, {"--clean", "--no-owner"})))
      << "security is forced behind the rows";
  EXPECT_EQ("1|t", elsewhere("SELECT (SELECT count(*) FROM t), relforcerowsecurity FROM pg_class WHERE relname = 't'"));
  elsewhere("ALTER TABLE t NO FORCE ROW LEVEL SECURITY");
  ASSERT_TRUE(ends_with(kOk, restore_as("maker", backup, {"--data-only", "--clean"})));
}

TEST_F(RestoreRowsOf, TablesThatMayNotBeFilledOrEmptiedAreNamed) {
  const fs::path backup = both("CREATE TABLE t AS SELECT 1 AS id");
  elsewhere("ALTER TABLE t OWNER TO postgres; GRANT SELECT, TRUNCATE ON t TO maker");
  const Outcome unfilled = restore_as("maker", backup, {"--data-only", "--clean"});
  EXPECT_TRUE(ends_with(kRefused, unfilled));
  EXPECT_THAT(unfilled.err, AllOf(HasSubstr("may not load rows into the tables public.t"), HasSubstr("GRANT INSERT")));
  EXPECT_EQ("1", elsewhere("SELECT count(*) FROM t"));
  elsewhere("GRANT INSERT ON t TO maker; REVOKE TRUNCATE ON t FROM maker");
  const Outcome kept = restore_as("maker", backup, {"--data-only", "--clean"});
  EXPECT_TRUE(ends_with(kRefused, kept));
  EXPECT_THAT(kept.err, HasSubstr("GRANT TRUNCATE"));
  elsewhere("GRANT TRUNCATE ON t TO maker");
  ASSERT_TRUE(ends_with(kOk, restore_as("maker", backup, {"--data-only", "--clean", "--no-analyze"})));
}

TEST_F(RestoreRowsOf, SequencesAndMaterializedViewsThatAreMissingAreNamed) {
  const fs::path backup =
      both("CREATE TABLE t AS SELECT 1 AS id; CREATE SEQUENCE q; CREATE MATERIALIZED VIEW m AS SELECT 1 AS one");
  elsewhere("DROP SEQUENCE q; DROP MATERIALIZED VIEW m");
  const Outcome missing = restore_as("maker", backup, {"--data-only", "--clean"});
  EXPECT_TRUE(ends_with(kRefused, missing));
  EXPECT_THAT(missing.err, HasSubstr("the target lacks sequence public.q, materialized view public.m"));
  elsewhere("CREATE TABLE q (); CREATE TABLE m ()");  // of another kind
  EXPECT_THAT(restore_as("maker", backup, {"--data-only", "--clean"}).err,
              HasSubstr("the target lacks sequence public.q, materialized view public.m"));
  elsewhere("DROP TABLE q, m; CREATE SEQUENCE q; CREATE MATERIALIZED VIEW m AS SELECT 1 AS one");
  const Outcome closed = restore_as("maker", backup, {"--data-only", "--clean"});
  EXPECT_TRUE(ends_with(kRefused, closed));
  EXPECT_THAT(closed.err, HasSubstr("the role may not fill sequence public.q, materialized view public.m"));
  elsewhere("ALTER SEQUENCE q OWNER TO maker; ALTER MATERIALIZED VIEW m OWNER TO maker");
  ASSERT_TRUE(ends_with(kOk, restore_as("maker", backup, {"--data-only", "--clean"})));
}

TEST_F(RestoreRowsOf, TriggersThatTheRoleMayNotDisableAreARefusal) {
  const fs::path backup = both("CREATE TABLE t AS SELECT 1 AS id");
  const Outcome refused = restore_as("maker", backup, {"--data-only", "--clean", "--disable-triggers"});
  EXPECT_TRUE(ends_with(kRefused, refused));
  EXPECT_THAT(refused.err, HasSubstr("--disable-triggers: permission denied to set parameter"));
  EXPECT_EQ("1", elsewhere("SELECT count(*) FROM t"));
  if (elsewhere_->version() < 15) return;
  elsewhere("GRANT SET ON PARAMETER session_replication_role TO maker");
  ASSERT_TRUE(ends_with(kOk, restore_as("maker", backup, {"--data-only", "--clean", "--disable-triggers"})));
}

TEST_F(RestoreRowsOf, AndWhatCleanMayNotDropIsARefusal) {
  const fs::path backup = both("CREATE TABLE t AS SELECT 1 AS id");
  elsewhere("SET ROLE maker; CREATE VIEW v AS SELECT * FROM t");
  for (const char* const role : {"maker", "postgres"}) {
    const Outcome dependent = restore_as(role, backup, {"--clean", "--no-owner"});
    EXPECT_TRUE(ends_with(kRefused, dependent));
    EXPECT_THAT(dependent.err, HasSubstr("cannot drop what is there"));
  }
  elsewhere("DROP VIEW v; ALTER TABLE t OWNER TO postgres; ALTER SCHEMA public OWNER TO postgres");
  const Outcome of_another = restore_as("maker", backup, {"--clean", "--no-owner"});
  EXPECT_TRUE(ends_with(kRefused, of_another));
  EXPECT_THAT(of_another.err,
              AllOf(HasSubstr("must be owner of table t"), HasSubstr("restore as its owner or a superuser")));
  EXPECT_EQ("1", elsewhere("SELECT count(*) FROM t"));
}

}  // namespace
}  // namespace pana::test
