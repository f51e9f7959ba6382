// The stand-in of a Supabase project's database: that it is like the platform where restores depend on it, and what
// pana does with it today.
#include "support/platform.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <regex>
#include <string>
#include <vector>

#include "support/pana.h"
#include "support/session.h"
#include "support/wait.h"

namespace pana::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class Platform : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (!Cluster::missing()) slot() = Cluster::of_platform();
  }
  static void TearDownTestSuite() { slot().reset(); }

  void SetUp() override {
    if (const auto reason = Cluster::missing()) GTEST_SKIP() << *reason;
  }

  static const Cluster& cluster() { return *slot(); }

  static std::string url(const std::string& database) { return project_url(cluster(), database); }

 private:
  static std::unique_ptr<Cluster>& slot() {
    static std::unique_ptr<Cluster> cluster;
    return cluster;
  }
};

// How much the platform's schemas hold, the extensions' own objects apart; the first three are the facts' own numbers.
constexpr const char* kInventory = R"(
WITH schemas AS (SELECT oid FROM pg_namespace WHERE nspname IN ('auth', 'storage', 'realtime', 'graphql_public', 'pgbouncer', 'extensions')),
     relations AS (SELECT * FROM pg_class AS c WHERE relnamespace IN (TABLE schemas)
                   AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND deptype = 'e'))
SELECT (SELECT count(*) FROM relations WHERE relkind IN ('r', 'p') AND NOT relispartition),
       (SELECT count(*) FROM relations AS c JOIN pg_attribute AS a ON a.attrelid = c.oid
        WHERE relkind IN ('r', 'p') AND NOT relispartition AND attnum > 0 AND NOT attisdropped),
       (SELECT count(*) FROM pg_constraint AS n JOIN relations AS c ON c.oid = conrelid
        WHERE contype IN ('p', 'u', 'f', 'c') AND NOT relispartition),
       (SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal), (SELECT count(*) FROM pg_default_acl),
       (SELECT count(*) FROM auth.schema_migrations), (SELECT count(*) FROM storage.migrations),
       (SELECT count(*) FROM realtime.schema_migrations),
       (SELECT format_type(atttypid, NULL) FROM pg_attribute WHERE attrelid = 'realtime.messages'::regclass AND attname = 'id'))";

TEST_F(Platform, IsMadeAsOfTodayAndAsOfAYearEarlier) {
  create_platform(cluster(), "today");
  create_platform(cluster(), "earlier", PlatformVersion::older);
  EXPECT_EQ("34|331|116|5|24|70|63|81|uuid", cluster().sql("today", kInventory));
  EXPECT_EQ("25|212|56|8|24|58|47|66|bigint", cluster().sql("earlier", kInventory));
  EXPECT_EQ("f|t|postgres", cluster().sql("today",
                                          "SELECT rolsuper, rolbypassrls, pg_get_userbyid(datdba) FROM pg_roles, "
                                          "pg_database WHERE rolname = 'postgres' AND datname = 'today'"));
}

TEST_F(Platform, HasNothingInADumpThatARealOneHasNot) {
  create_platform(cluster(), "dumped");
  EXPECT_THAT(schema_of(cluster(), "dumped"),
              AllOf(HasSubstr("CREATE EVENT TRIGGER pgrst_ddl_watch"), testing::Not(HasSubstr("supautils"))));
}

TEST_F(Platform, TakesAUsersProjectInBothVersions) {
  for (const PlatformVersion version : {PlatformVersion::current, PlatformVersion::older}) {
    create_platform(cluster(), "project", version);
    add_project(cluster(), "project");
    EXPECT_EQ("50|45|50|1|f", cluster().sql("project",
                                            "SELECT (SELECT count(*) FROM auth.users), (SELECT count(*) FROM "
                                            "auth.sessions), (SELECT count(*) FROM public.profiles), (SELECT count(*) "
                                            "FROM pg_event_trigger WHERE evtowner = 'postgres'::regrole), rolsuper "
                                            "FROM pg_roles WHERE rolname = 'postgres'"));
  }
}

// A statement of the role postgres, what the server says to it (nothing, or the SQLSTATE of an error or warning), and
// the majors where it says so: what supautils does beyond ordinary rights is imitated as far as these can.
struct Attempt {
  std::string statement;
  std::string answer = {};
  int from = 13;
  int below = 99;
};

const std::string kNotAllowed = "42501";
const std::string kNotGranted = "01007";  // a warning: "no privileges were granted"
const std::string kMissingTable = "42P01";

const std::vector<Attempt>& attempts() {
  static const std::vector<Attempt> attempts = {
      // Who it can be.
      {"SET SESSION AUTHORIZATION supabase_auth_admin", kNotAllowed},
      {"SET ROLE supabase_auth_admin", kNotAllowed},
      {"SET ROLE service_role"},
      {.statement = "SET session_replication_role = replica", .from = 15},
      {"SET session_replication_role = replica", kNotAllowed, 13, 15},
      // Rows.
      {"INSERT INTO auth.users (id) VALUES (gen_random_uuid())"},
      {"UPDATE auth.users SET role = 'x'"},
      {"TRUNCATE auth.users CASCADE"},
      {"SELECT setval('auth.refresh_tokens_id_seq', 7)"},
      {"INSERT INTO realtime.messages (topic, extension, inserted_at) VALUES ('a', 'broadcast', '2026-09-10')"},
      {"INSERT INTO auth.schema_migrations VALUES ('x')", kNotAllowed},
      {"INSERT INTO storage.migrations VALUES (1000, 'x', 'y')", kNotAllowed},
      {"INSERT INTO realtime.schema_migrations VALUES (1)", kNotAllowed},
      {"INSERT INTO vault.secrets (secret) VALUES ('x')", kNotAllowed},
      {"SELECT vault.create_secret('hidden', 'name')"},
      {"DELETE FROM storage.objects", kNotAllowed},
      {"TRUNCATE storage.objects"},
      {"SELECT count(*) FROM auth.schema_migrations"},
      {"LOCK auth.users"},
      {"ANALYZE auth.users"},
      // Definitions of the platform's objects.
      {"CREATE TRIGGER t AFTER DELETE ON auth.users EXECUTE FUNCTION storage.protect_delete()"},
      {"DROP TRIGGER update_objects_updated_at ON storage.objects"},
      {"CREATE INDEX ON auth.users (email)", kNotAllowed},
      {"ALTER TABLE auth.users ADD COLUMN x int", kNotAllowed},
      {"ALTER TABLE auth.users OWNER TO postgres", kNotAllowed},
      {"COMMENT ON TABLE auth.users IS 'x'", kNotAllowed},
      {"CREATE OR REPLACE FUNCTION auth.uid() RETURNS uuid LANGUAGE sql AS 'SELECT NULL::uuid'", kNotAllowed},
      {"CREATE TABLE auth.x ()", kNotAllowed},
      {"CREATE TABLE storage.x ()", kNotAllowed},
      {"CREATE TABLE realtime.x ()", kNotAllowed},
      {"CREATE TABLE graphql_public.x ()", kNotAllowed},
      {"CREATE TABLE vault.x ()", kNotAllowed},
      {"CREATE TABLE public.x ()"},
      {"CREATE TABLE extensions.x ()"},
      {"CREATE SCHEMA supabase_functions"},
      // Policies: on the listed tables, and on no others.
      {"CREATE POLICY p ON storage.objects USING (true)"},
      {"CREATE POLICY p ON realtime.messages USING (true)"},
      {"CREATE POLICY p ON auth.users USING (true); ALTER POLICY p ON auth.users USING (false); COMMENT ON POLICY p ON "
       "auth.users IS 'x'; DROP POLICY p ON auth.users"},
      {"CREATE POLICY p ON auth.oauth_consents USING (true)", kNotAllowed},
      {"CREATE POLICY p ON auth.webauthn_challenges USING (true)", kNotAllowed},
      {"CREATE POLICY p ON storage.vector_indexes USING (true)", kNotAllowed},
      {"CREATE POLICY p ON storage.migrations USING (true)", kNotAllowed},
      {"COMMENT ON TABLE auth.users IS 'as COMMENT ON POLICY may'", kNotAllowed},
      {"DROP POLICY IF EXISTS p ON public.missing", kMissingTable},
      {"DROP TRIGGER IF EXISTS t ON public.missing", kMissingTable},
      {"DROP POLICY IF EXISTS p ON auth.users"},
      // Rights.
      {"GRANT SELECT ON auth.users TO anon"},
      {"GRANT ALL ON storage.buckets, storage.objects TO dashboard_user"},
      {"GRANT USAGE ON SCHEMA storage, realtime, vault TO dashboard_user"},
      {"GRANT SELECT ON auth.oauth_clients TO anon", kNotGranted},
      {"GRANT USAGE ON SCHEMA auth TO dashboard_user", kNotGranted},
      {"ALTER DEFAULT PRIVILEGES FOR ROLE supabase_admin GRANT SELECT ON TABLES TO anon", kNotAllowed},
      // Of the database.
      {"CREATE EXTENSION citext SCHEMA extensions; COMMENT ON EXTENSION citext IS 'x'"},
      {"CREATE EXTENSION pg_buffercache", kNotAllowed},
      {"CREATE PUBLICATION p FOR ALL TABLES"},
      {.statement = "CREATE PUBLICATION p FOR TABLES IN SCHEMA public", .from = 15},
      {"CREATE EVENT TRIGGER e ON sql_drop EXECUTE FUNCTION extensions.pgrst_drop_watch()", kNotAllowed},
      {"ALTER DATABASE rights SET statement_timeout = '1min'"},
      {"ALTER DATABASE rights SET app.x = '1'", kNotAllowed},
      // Roles: before 16, CREATEROLE gives more than the platform does.
      {"CREATE ROLE p; GRANT p TO postgres; GRANT p TO authenticator"},
      {.statement = "CREATE ROLE p BYPASSRLS REPLICATION", .from = 16},
      {.statement = "ALTER ROLE authenticator SET pgrst.db_schemas = 'app'", .from = 15, .below = 16},
      {"GRANT supabase_admin TO postgres", kNotAllowed},
      {"ALTER ROLE supabase_admin NOLOGIN", kNotAllowed},
      {"GRANT authenticator TO anon", kNotAllowed, 16},
      {"GRANT supabase_auth_admin TO postgres", kNotAllowed, 16},
      {"ALTER ROLE supabase_auth_admin NOLOGIN", kNotAllowed, 16},
  };
  return attempts;
}

// The SQLSTATE of the first error or warning; the statement is rolled back.
std::string answer_to(const Cluster& cluster, const std::string& statement) {
  const Outcome outcome = run(psql_of_postgres(
      cluster, {"-q", "-v", "VERBOSITY=sqlstate", "-c", "BEGIN", "-c", statement, "-c", "ROLLBACK"}, "rights"));
  std::smatch found;
  return std::regex_search(outcome.err, found, std::regex("(?:ERROR|WARNING|FATAL): +(\\w{5})")) ? found[1].str() : "";
}

TEST_F(Platform, LetsPostgresDoWhatTheRealOneDoesAndNoMore) {
  create_platform(cluster(), "rights");
  for (const Attempt& attempt : attempts()) {
    if (cluster().version() < attempt.from || cluster().version() >= attempt.below) continue;
    EXPECT_EQ(attempt.answer, answer_to(cluster(), attempt.statement)) << attempt.statement;
  }
}

// How many sessions wait for a lock in the database.
std::string waiting(const Cluster& cluster) {
  return cluster.sql("locks",
                     "SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted AND database = (SELECT oid FROM "
                     "pg_database WHERE datname = 'locks')");
}

TEST_F(Platform, APolicyOnAnyTableStopsLoginsBehindWhoeverReadsUsers) {
  create_platform(cluster(), "locks");
  Session reader(url("locks"));
  Session migration(url("locks"));
  Session login(url("locks"));
  migration.execute("CREATE TABLE public.notes (id int)");
  reader.execute("BEGIN; SELECT count(*) FROM auth.users");
  login.execute("SELECT count(*) FROM auth.users");

  migration.send("CREATE POLICY everybody ON public.notes USING (true)");
  ASSERT_TRUE(becomes_true([] { return waiting(cluster()) == "1"; }));
  login.send("SELECT count(*) FROM auth.users");
  ASSERT_TRUE(becomes_true([] { return waiting(cluster()) == "2"; }));

  reader.execute("COMMIT");
  migration.finish();
  login.finish();
  EXPECT_EQ("1", cluster().sql("locks", "SELECT count(*) FROM pg_policy"));
  EXPECT_EQ("0", cluster().sql("locks",
                               "SELECT count(*) FROM pg_auth_members WHERE member = 'postgres'::regrole AND "
                               "roleid::regrole::text ~ '^supabase_(auth|storage|realtime)_admin$'"));
}

// Whoever reads a table while others change policies: a migration in one session, and how long it took.
class BesideABackup : public Platform {
 protected:
  void SetUp() override {
    Platform::SetUp();
    if (IsSkipped()) return;
    create_platform(cluster(), "locks");
    Session(url("locks"))
        .execute(
            "CREATE TABLE public.ballast AS SELECT g AS id, repeat('x', 1000) AS text FROM generate_series(1, 5000) g");
  }

  static bool reads_ballast() {
    return becomes_true([] {
      return cluster().sql("locks",
                           "SELECT count(*) > 0 FROM pg_stat_activity WHERE application_name = 'pana' AND query LIKE "
                           "'%COPY%ballast%'") == "t";
    });
  }

  std::chrono::milliseconds time_of_a_policy() const {
    Session migration(url("locks"));
    const auto began = std::chrono::steady_clock::now();
    migration.execute("CREATE POLICY everybody ON public.ballast USING (true)");
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - began);
  }

  std::vector<std::string> slowly(const std::vector<std::string>& options = {}) const {
    std::vector<std::string> arguments = {"backup", url("locks"), "--to", backups_.path(), "--max-rate", "1MiB"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    return arguments;
  }

  TemporaryDirectory backups_;
};

TEST_F(BesideABackup, LoginsWaitForAMomentAndTheBackupStartsOver) {
  Background backup(pana_command(slowly()));
  ASSERT_TRUE(reads_ballast());
  EXPECT_LT(time_of_a_policy().count(), 2000);  // milliseconds; logins wait for as long as the policy does
  const Outcome outcome = backup.wait();
  ASSERT_TRUE(ends_with(kOk, outcome));
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("\"start_over\""), HasSubstr("while logins wait behind it")));
  EXPECT_TRUE(ends_with(kOk, pana({"verify", backups_.path(), "--against", url("locks")})));
}

TEST_F(BesideABackup, LoginsWaitForAsLongAsSomebodySaid) {
  Background backup(pana_command(slowly({"--yield-to-waiters", "60"})));
  ASSERT_TRUE(reads_ballast());
  EXPECT_GT(time_of_a_policy().count(), 1000);
  const Outcome outcome = backup.wait();
  ASSERT_TRUE(ends_with(kOk, outcome));
  EXPECT_THAT(outcome.err, testing::Not(HasSubstr("\"start_over\"")));
  EXPECT_THAT(outcome.err, HasSubstr("and logins wait behind it"));
}

TEST_F(Platform, AProjectIsBackedUpAndANewOneRefusesItWithNothingChanged) {
  create_platform(cluster(), "origin");
  add_project(cluster(), "origin");
  create_platform(cluster(), "fresh");
  const Content before = content_of(cluster(), "fresh");
  const TemporaryDirectory backups;
  ASSERT_TRUE(ends_with(kOk, pana({"backup", url("origin"), "--to", backups.path()})));

  const Outcome outcome = pana({"restore", backups_in(backups.path()).at(0), "--into", url("fresh")});
  EXPECT_TRUE(ends_with(kRefused, outcome));
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("the target is not empty: it holds function auth.email"),
                                 HasSubstr("may not SET ROLE to the roles pgbouncer, supabase_admin")));
  EXPECT_EQ("", differences(before, content_of(cluster(), "fresh")));
}

}  // namespace
}  // namespace pana::test
