// restore --clean --data-only: the target has the backup's rows afterwards, or those that it had.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "support/origin_and_target.h"

namespace pana::test {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kTables = R"(
CREATE TABLE a (id int PRIMARY KEY, t text); CREATE TABLE b (a int REFERENCES a); CREATE TABLE c (id int);
INSERT INTO a SELECT i, repeat(md5(i::text), 20) FROM generate_series(1, 20000) AS i; INSERT INTO b SELECT generate_series(1, 20000); INSERT INTO c SELECT generate_series(1, 100);
SELECT lo_from_bytea(77, 'of the backup');
)";

constexpr const char* kOthers =
    "TRUNCATE a, b, c; INSERT INTO a VALUES (0, 'the target''s own'); INSERT INTO b VALUES (0); INSERT INTO c VALUES "
    "(0); "
    "SELECT lo_put(77, 0, 'of the target')";

constexpr const char* kRefuseRows =
    "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN IF NEW.id = 50 THEN RAISE 'not 50'; END IF; "
    "RETURN NEW; END$$;";

class ReplaceRows : public OriginAndTarget {
 protected:
  static std::string state() {
    return target(
        "SELECT (SELECT count(*) FROM a), (SELECT count(*) FROM b), (SELECT count(*) FROM c), convert_from(lo_get(77), "
        "'UTF8')");
  }
};

TEST_F(ReplaceRows, OfAllTablesOrOfNone) {
  const fs::path backup = both(kTables);
  for (const std::string& refusal :
       {std::string(kRefuseRows) + "CREATE TRIGGER refuse BEFORE INSERT ON c FOR EACH ROW EXECUTE FUNCTION refuse()",
        std::string("DROP TRIGGER refuse ON c; ALTER TABLE c ADD CHECK (id <> 50)")}) {
    target(kOthers + (";" + refusal));
    const Outcome refused = restore(backup, {"--clean", "--data-only", "--fire-triggers"});
    EXPECT_TRUE(ends_with(kFailed, refused));
    EXPECT_THAT(refused.err, AllOf(HasSubstr("cannot restore rows of public.c: "),
                                   HasSubstr("; the tables hold the rows that they held"),
                                   HasSubstr("with --keep-going pana empties the tables")));
    EXPECT_EQ("1|1|1|of the target", state());
  }
  const Outcome emptied = restore(backup, {"--clean", "--data-only", "-j", "2"});
  EXPECT_TRUE(ends_with(kFailed, emptied));
  EXPECT_THAT(emptied.err, AllOf(HasSubstr("the tables were emptied before, and hold what was loaded until then"),
                                 HasSubstr("\"hint\":")));
  EXPECT_EQ("0", target("SELECT count(*) FROM c"));
  EXPECT_TRUE(ends_with(kFailed, restore(backup, {"--clean", "--data-only", "--keep-going"})));
  EXPECT_EQ("20000|20000|0|of the backup", state());
  target("ALTER TABLE c DROP CONSTRAINT c_id_check");
  for (const std::vector<std::string>& jobs : std::vector<std::vector<std::string>>{{}, {"-j", "1"}, {"-j", "4"}}) {
    target(kOthers);
    std::vector<std::string> options = {"--clean", "--data-only"};
    options.insert(options.end(), jobs.begin(), jobs.end());
    ASSERT_TRUE(ends_with(kOk, restore(backup, options)));
    EXPECT_EQ("20000|20000|100|of the backup", state());
  }
}

// Over several connections the tables are emptied first: all of it, or nothing when something cannot be.
TEST_F(ReplaceRows, OverSeveralConnectionsEmptiesAllOrNothing) {
  cluster().sql("postgres", "DROP ROLE IF EXISTS keeper; CREATE ROLE keeper LOGIN");
  cluster().allow_login("keeper");
  const fs::path backup =
      both("CREATE TABLE a AS SELECT generate_series(1, 5) AS i; SELECT lo_from_bytea(4711, 'of the backup')");
  target("ALTER TABLE a OWNER TO keeper; GRANT ALL ON SCHEMA public TO keeper");
  const Outcome refused = pana({"restore", backup, "--into", cluster().url("target", "keeper", cluster().password()),
                                "--clean", "--data-only", "--no-owner", "-j", "2"});
  EXPECT_NE(kOk, refused.exit_status);
  EXPECT_EQ("5", target("SELECT count(*) FROM a")) << refused.description();
}

// A view would take no rows, and cannot be emptied.
TEST_F(ReplaceRows, OfTablesAlone) {
  const fs::path backup = both("CREATE TABLE a AS SELECT 1 AS i; CREATE TABLE b AS SELECT 1 AS i");
  target("DROP TABLE a; CREATE VIEW a AS SELECT i FROM b");
  for (const std::vector<std::string>& options :
       std::vector<std::vector<std::string>>{{}, {"-t", "a"}, {"--keep-going"}}) {
    std::vector<std::string> arguments = {"--clean", "--data-only"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    const Outcome refused = restore(backup, arguments);
    EXPECT_TRUE(ends_with(kRefused, refused));
    EXPECT_THAT(refused.err, HasSubstr("are no tables, and pana cannot empty them: "));
    EXPECT_EQ("1", target("SELECT count(*) FROM b"));
  }
}

// Two tables that each ask for the other's rows at the end of a transaction come in one frame.
TEST_F(ReplaceRows, ThatDeferredConstraintsLookAtBehindThem) {
  const fs::path backup = both(R"(
    CREATE TABLE a (id int); CREATE TABLE b (id int); INSERT INTO a VALUES (1); INSERT INTO b VALUES (1);
    CREATE FUNCTION needs() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      IF (SELECT count(*) FROM public.a) <> (SELECT count(*) FROM public.b) THEN RAISE 'one is missing'; END IF; RETURN NULL; END $$;
    CREATE CONSTRAINT TRIGGER of_a AFTER INSERT ON a DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION needs();
    CREATE CONSTRAINT TRIGGER of_b AFTER INSERT ON b DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION needs())");
  ASSERT_TRUE(ends_with(kOk, restore(backup, {"--clean", "--data-only", "--fire-triggers"})));
  target(
      "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE 'too late'; END$$; "
      "CREATE CONSTRAINT TRIGGER too_late AFTER INSERT ON b DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE "
      "FUNCTION refuse(); UPDATE a SET id = 5");
  const Outcome refused = restore(backup, {"--clean", "--data-only", "--fire-triggers"});
  EXPECT_TRUE(ends_with(kFailed, refused));
  EXPECT_THAT(refused.err, AllOf(HasSubstr("too late"), HasSubstr("; the tables hold the rows that they held")));
  EXPECT_EQ("5|1", target("SELECT (SELECT id FROM a), (SELECT id FROM b)"));
}

TEST_F(ReplaceRows, OfNoneWhenTheBackupIsDamaged) {
  const fs::path backup = both(kTables);
  std::string content;
  {
    std::ifstream file(backup, std::ios::binary);
    content.assign(std::istreambuf_iterator<char>(file), {});
  }
  content[content.find(target("SELECT repeat(md5('15000'), 20)"))] ^= 1;
  const fs::path damaged = backups_.path() / "backup_20000101_000000.sql";
  std::ofstream(damaged, std::ios::binary) << content;
  target(kOthers);
  const Outcome outcome = restore(damaged, {"--clean", "--data-only"});
  EXPECT_TRUE(ends_with(kDamaged, outcome));
  EXPECT_THAT(outcome.err,
              AllOf(HasSubstr("; the tables hold the rows that they held"), Not(HasSubstr("may hold a part"))));
  EXPECT_EQ("1|1|1|of the target", state());
}

// What a constraint would only find at the end of all is named with the rows it is about, and costs no others.
TEST_F(ReplaceRows, UnderConstraintsThatAreDeferred) {
  const fs::path backup = both(kTables);
  target(std::string(kOthers) + ";" + kRefuseRows +
         "CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON c DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE "
         "FUNCTION refuse()");
  const Outcome refused = restore(backup, {"--clean", "--data-only", "--fire-triggers"});
  EXPECT_THAT(refused.err, HasSubstr("cannot restore rows of public.c: not 50"));
  EXPECT_EQ("1|1|1|of the target", state());
  EXPECT_TRUE(ends_with(kFailed, restore(backup, {"--clean", "--data-only", "--fire-triggers", "--keep-going"})));
  EXPECT_EQ("20000|20000|0|of the backup", state());
}

}  // namespace
}  // namespace pana::test
