// Roles and rights that a restore names: as the backup has them, and no others.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/origin_and_target.h"

namespace pana::test {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using RestoreNames = OriginAndTarget;

TEST_F(RestoreNames, NamesThatOnlyLookLikeThoseOfMappedRoles) {
  target("DROP ROLE IF EXISTS pana_app2; CREATE ROLE pana_app2");
  origin(R"(
    CREATE SCHEMA pana_writer; CREATE TABLE pana_writer.users (id int, pana_writer bool); CREATE TABLE pana_writer.t (id int, pana_writer bool);
    ALTER TABLE pana_writer.t OWNER TO pana_writer; ALTER TABLE pana_writer.t ENABLE ROW LEVEL SECURITY;
    CREATE POLICY p ON pana_writer.t FOR SELECT TO pana_writer USING (pana_writer AND id IN (SELECT id FROM pana_writer.users));
    GRANT SELECT (id), UPDATE (pana_writer) ON pana_writer.t TO pana_writer; ALTER DEFAULT PRIVILEGES FOR ROLE pana_writer IN SCHEMA pana_writer GRANT SELECT ON TABLES TO pana_reader)");
  const fs::path backup = back_up("origin");
  ASSERT_TRUE(ends_with(kOk, restore(backup, {"--role-map", "pana_writer=pana_app2"})));
  EXPECT_EQ("pana_app2|{pana_app2}|t|pana_app2 in pana_writer",
            target("SELECT (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = 'pana_writer.t'::regclass), "
                   "roles, qual LIKE '%FROM pana_writer.users%', "
                   "(SELECT pg_get_userbyid(defaclrole) || ' in ' || defaclnamespace::regnamespace FROM "
                   "pg_default_acl) FROM pg_policies"));
  const Outcome unknown = restore(backup, {"--clean", "--role-map", "nobody=pana_app2"});
  EXPECT_TRUE(ends_with(kUsage, unknown));
  EXPECT_THAT(unknown.err, HasSubstr("--role-map: the backup names no role nobody"));
}

TEST_F(RestoreNames, MappedRolesInLatin1AsTheyAreCalled) {
  cluster().sql("postgres", "DROP ROLE IF EXISTS \"mü\"; DROP ROLE IF EXISTS \"nü\"");
  cluster().create_database("origin", "LATIN1");
  cluster().create_database("target", "LATIN1");
  // The name is in the encoding of the database in which it was given.
  origin(
      "SET client_encoding = UTF8; CREATE ROLE \"mü\"; CREATE ROLE \"nü\"; CREATE TABLE t (id int); ALTER TABLE t "
      "OWNER TO \"mü\"");
  const fs::path backup = back_up("origin");
  EXPECT_TRUE(ends_with(kOk, restore(backup, {"--role-map", "mü=nü"})));
  EXPECT_THAT(target("SET client_encoding = UTF8; SELECT pg_get_userbyid(relowner) FROM pg_class WHERE relname = 't'"),
              HasSubstr("nü"));
  EXPECT_TRUE(ends_with(kOk, restore(backup, {"--clean", "-O", "-x"})));
  target("DROP TABLE t");
  origin("SET client_encoding = UTF8; DROP TABLE t; DROP ROLE \"mü\"; DROP ROLE \"nü\"");
}

TEST_F(RestoreNames, RolesAloneThatItsStatementsDoNotName) {
  origin(
      "DROP ROLE IF EXISTS ana; CREATE ROLE ana; CREATE TABLE analytics (x int); CREATE SCHEMA pana_writer; CREATE "
      "TABLE pana_writer.t (x int); GRANT SELECT ON analytics TO ana;"
      "ALTER TABLE analytics OWNER TO pana_owner; ALTER TABLE pana_writer.t OWNER TO pana_owner; ALTER SCHEMA "
      "pana_writer OWNER TO pana_owner; GRANT SELECT ON pana_writer.t TO pana_writer; "
      "GRANT CREATE ON SCHEMA public TO pana_owner");
  const fs::path backup = back_up("origin");
  origin("DROP OWNED BY ana; DROP ROLE ana");
  ASSERT_TRUE(ends_with(kOk, restore(backup, {"-O", "-x"})));
  target_ = fresh_database("target");
  cluster().sql("postgres", "ALTER DATABASE target OWNER TO pana_owner");
  ASSERT_TRUE(ends_with(kOk, pana({"restore", backup, "--into", url_of("pana_owner"), "-T", "analytics"})));
}

TEST_F(RestoreNames, RightsOnSchemasAsTheyWere) {
  origin(R"(
    ALTER SCHEMA public OWNER TO pana_owner; REVOKE ALL ON SCHEMA public FROM public; GRANT USAGE ON SCHEMA public TO pg_database_owner, pana_reader;
    CREATE SCHEMA s AUTHORIZATION pana_writer; CREATE TABLE s.t (id int); ALTER TABLE s.t OWNER TO pana_writer; REVOKE CREATE ON SCHEMA s FROM pana_writer)");
  const std::string acls =
      "SELECT string_agg(nspname || ' ' || nspacl::text, ';' ORDER BY nspname) FROM pg_namespace WHERE nspname IN "
      "('public', 's')";
  const std::string expected = cluster().sql("origin", acls);
  const fs::path backup = back_up("origin");
  ASSERT_TRUE(ends_with(kOk, restore(backup)));
  EXPECT_EQ(expected, target(acls));
  target_ = fresh_database("target");
  cluster().sql("postgres", "ALTER DATABASE target OWNER TO pana_writer");
  ASSERT_TRUE(ends_with(kOk, pana({"restore", backup, "--into", url_of("pana_writer"), "-n", "s"})));
}

TEST_F(RestoreNames, ThePublicSchemaWithTheOwnerThatItHas) {
  if (cluster().version() < 15) GTEST_SKIP() << "there it is the superuser's everywhere";
  origin(
      "ALTER SCHEMA public OWNER TO postgres; CREATE TABLE t (id int); ALTER TABLE t OWNER TO pana_writer; GRANT "
      "CREATE ON SCHEMA public TO pana_writer");
  target("ALTER SCHEMA public OWNER TO postgres; GRANT CREATE ON SCHEMA public TO pana_writer");
  cluster().sql("postgres", "ALTER DATABASE target OWNER TO pana_writer");
  const Outcome outcome = pana({"restore", back_up("origin"), "--into", url_of("pana_writer")});
  ASSERT_TRUE(ends_with(kOk, outcome));
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("ACL SCHEMA public is not restored as it was"), HasSubstr("no privileges")));
}

}  // namespace
}  // namespace pana::test
