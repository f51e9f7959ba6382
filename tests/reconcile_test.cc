// pana restore --reconcile: into databases that have a part of the backup. pg_dump and psql say what came of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "support/pana.h"
#include "support/platform.h"

namespace pana::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

namespace fs = std::filesystem;

// Lines of Content::tables or Content::sequences about the project's own, and what of the platform's a user has filled.
std::string of_the_users(const std::string& lines) {
  std::string kept;
  for (std::size_t begin = 0; begin < lines.size();) {
    const std::size_t end = std::min(lines.find('\n', begin), lines.size());
    const std::string line = lines.substr(begin, end - begin) + "\n";
    bool counts = true;
    for (const char* const other : {"auth.flow_state", "auth.schema_migrations", "storage.migrations",
                                    "realtime.schema_migrations", "vault.secrets"}) {
      counts = counts && line.find(other) == std::string::npos;
    }
    if (counts) kept += line;
    begin = end + 1;
  }
  return kept;
}

// What a user's project is made of, without its rows, as its migrations would make it.
void add_definitions_of_project(const Cluster& cluster, const std::string& database) {
  std::vector<std::string> arguments = {"-q", "-o", "/dev/null", "-v", "ON_ERROR_STOP=1", "-c", "SET search_path = ''"};
  for (const char* const file : {"project_roles", "project_public", "project_app", "project_access"}) {
    arguments.insert(arguments.end(), {"-f", fixture("platform/" + std::string(file) + ".sql")});
  }
  // The files ask which server it is.
  const bool is_15 = cluster.version() >= 15;
  arguments.insert(arguments.begin(), {"-v", std::string("at_least_15=") + (is_15 ? "1" : "0"), "-v",
                                       std::string("at_least_16=") + (cluster.version() >= 16 ? "1" : "0")});
  run_successfully(psql_of_postgres(cluster, arguments, database));
}

std::string sorted_lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream input(text);
  for (std::string line; std::getline(input, line);) lines.push_back(line);
  std::ranges::sort(lines);
  std::string sorted;
  for (const std::string& line : lines) sorted += line + "\n";
  return sorted;
}

class Reconcile : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (Cluster::missing()) return;
    slot() = Cluster::of_platform();
    create_platform(cluster(), "origin");
    add_project(cluster(), "origin");
    // Where there is no supautils, only a superuser can make it: a test of its own.
    cluster().sql("origin", "DROP EVENT TRIGGER note_app_changes");
  }
  static void TearDownTestSuite() { slot().reset(); }

  void SetUp() override {
    if (const auto reason = Cluster::missing()) GTEST_SKIP() << *reason;
  }

  static const Cluster& cluster() { return *slot(); }
  static std::string url(const std::string& database) { return project_url(cluster(), database); }

  fs::path back_up(const std::string& database = "origin") const {
    EXPECT_TRUE(ends_with(kOk, pana({"backup", url(database), "--to", backups_.path()})));
    const std::vector<fs::path> backups = backups_in(backups_.path());
    return backups.empty() ? fs::path("no backup") : backups.back();
  }

  static Outcome reconcile(const fs::path& backup, const std::string& database,
                           const std::vector<std::string>& options = {}) {
    std::vector<std::string> arguments = {"restore", backup, "--into", url(database), "--reconcile"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    return pana(arguments);
  }

  // That the target holds what the origin does, but for what belongs to the platform and its version.
  static void expect_equal(const std::string& origin, const std::string& target) {
    // Grants stand in the order in which they were made.
    EXPECT_EQ("",
              different_lines(sorted_lines(schema_of(cluster(), origin)), sorted_lines(schema_of(cluster(), target))));
    const Content expected = content_of(cluster(), origin);
    const Content seen = content_of(cluster(), target);
    EXPECT_EQ("", different_lines(of_the_users(expected.tables), of_the_users(seen.tables)));
    EXPECT_EQ("", different_lines(expected.sequences, seen.sequences));
    EXPECT_EQ("", different_lines(expected.large_objects, seen.large_objects));
    EXPECT_EQ("", different_lines(expected.materialized_views, seen.materialized_views));
  }

  TemporaryDirectory backups_;

 private:
  static std::unique_ptr<Cluster>& slot() {
    static std::unique_ptr<Cluster> cluster;
    return cluster;
  }
};

TEST_F(Reconcile, BringsAProjectBackIntoANewOne) {
  create_platform(cluster(), "fresh");
  const fs::path backup = back_up();
  const Content before = content_of(cluster(), "fresh");
  const Outcome dry = reconcile(backup, "fresh", {"--dry-run", "--json"});
  ASSERT_TRUE(ends_with(kOk, dry));
  EXPECT_EQ("", differences(before, content_of(cluster(), "fresh")));

  const Outcome outcome = reconcile(backup, "fresh", {"--json", "--verify"});
  ASSERT_TRUE(ends_with(kOk, outcome));
  expect_equal("origin", "fresh");
  const nlohmann::json predicted = nlohmann::json::parse(dry.out);
  const nlohmann::json made = nlohmann::json::parse(outcome.out);
  EXPECT_EQ(predicted["rows"], made["rows"]);
  EXPECT_EQ(predicted["tables"], made["tables"]);
  for (const char* const part : {"made", "compared", "rows_left_out", "left_to_platform", "different", "by_hand"})
    EXPECT_EQ(predicted["reconciled"][part], made["reconciled"][part]) << part;
  EXPECT_THAT(made["reconciled"]["different"], IsEmpty());
  EXPECT_THAT(made["reconciled"]["only_here"], IsEmpty());
  EXPECT_THAT(made["reconciled"]["rights_different"], IsEmpty());
  EXPECT_THAT(made["reconciled"]["left_to_platform"], IsEmpty());
  EXPECT_THAT(made["errors"], IsEmpty());
  EXPECT_THAT(made["reconciled"].dump(),
              AllOf(HasSubstr("1 secret of Vault"), HasSubstr("TRIGGER notifications notify_team"),
                    HasSubstr("70 rows of auth.schema_migrations")));
}

TEST_F(Reconcile, FillsWhatMigrationsHaveMade) {
  create_platform(cluster(), "migrated");
  add_definitions_of_project(cluster(), "migrated");
  // A right too many, and one too few.
  cluster().sql("migrated",
                "GRANT ALL ON public.private_notes TO anon; REVOKE SELECT ON public.profiles FROM authenticated; "
                "GRANT SELECT (secret) ON app.settings TO tenant_a; REVOKE USAGE ON SCHEMA app FROM reporting");
  const fs::path backup = back_up();
  if (cluster().version() < 15) {  // where the stand-in cannot let postgres switch triggers off
    const Outcome refused = reconcile(backup, "migrated");
    EXPECT_TRUE(ends_with(kRefused, refused));
    EXPECT_THAT(refused.err, HasSubstr("on_auth_user_created on auth.users"));
    cluster().sql("migrated",
                  "ALTER TABLE auth.users DISABLE TRIGGER on_auth_user_created; ALTER TABLE "
                  "public.notifications DISABLE TRIGGER notify_team");
  }
  const Outcome outcome = reconcile(backup, "migrated");
  // Triggers that are switched off are not as in the backup.
  ASSERT_TRUE(ends_with(cluster().version() < 15 ? kFailed : kOk, outcome));
  if (cluster().version() < 15) {
    cluster().sql("migrated",
                  "ALTER TABLE auth.users ENABLE TRIGGER on_auth_user_created; ALTER TABLE "
                  "public.notifications ENABLE TRIGGER notify_team");
  }
  expect_equal("origin", "migrated");
  EXPECT_THAT(outcome.out, Not(HasSubstr("changed 0 rights")));
}

// Whatever is not as in the backup is said, and left as it is.
TEST_F(Reconcile, NamesWhatIsDefinedOtherwise) {
  create_platform(cluster(), "migrated");
  add_definitions_of_project(cluster(), "migrated");
  const fs::path backup = back_up();
  const auto differences_of = [&](const char* part, int status = kFailed) {
    const Outcome outcome = reconcile(backup, "migrated", {"--dry-run", "--json", "--keep-going", "--fire-triggers"});
    EXPECT_TRUE(ends_with(status, outcome));
    return nlohmann::json::parse(outcome.out)["reconciled"][part].get<std::vector<std::string>>();
  };
  EXPECT_THAT(differences_of("different", kOk), IsEmpty());
  EXPECT_THAT(differences_of("only_here", kOk), IsEmpty());
  cluster().sql("migrated", R"(
    ALTER POLICY own ON public.meals TO authenticated; CREATE POLICY everything ON public.meals USING (true);
    ALTER TYPE public.task_state ADD VALUE 'forgotten'; ALTER TABLE public.invoices ALTER total TYPE numeric(10, 2);
    ALTER TABLE public.tags ALTER label SET DEFAULT 'x'; ALTER TABLE public.plans DROP CONSTRAINT plans_cents_check,
      ADD CONSTRAINT plans_cents_check CHECK (cents > 0);
    CREATE OR REPLACE VIEW public.open_tasks AS SELECT id, title, title AS project FROM public.tasks;
    DROP INDEX public.tasks_open; CREATE INDEX tasks_open ON public.tasks (title);
    DROP TRIGGER note_object ON storage.objects;
    CREATE TRIGGER note_object AFTER DELETE ON storage.objects FOR EACH ROW EXECUTE FUNCTION app.note_change();
    CREATE OR REPLACE FUNCTION public.is_member(team bigint) RETURNS boolean LANGUAGE sql AS 'SELECT true';
    ALTER TABLE public.comments OWNER TO tenant_a)");
  const std::vector<std::string> otherwise = {"TYPE public.task_state",  "FUNCTION public.is_member(bigint)",
                                              "TABLE public.invoices",   "TABLE public.plans",
                                              "TABLE public.tags",       "VIEW public.open_tasks",
                                              "INDEX public.tasks_open", "TRIGGER storage.objects note_object",
                                              "POLICY public.meals own"};
  std::vector<testing::Matcher<std::string>> expected = {
      "TABLE public.comments belongs to postgres in the backup, to tenant_a here",
      "SEQUENCE public.comments_id_seq belongs to postgres in the backup, to tenant_a here"};
  for (const std::string& object : otherwise) expected.emplace_back(object + " is defined otherwise here");
  EXPECT_THAT(differences_of("different"), testing::UnorderedElementsAreArray(expected));
  EXPECT_THAT(differences_of("only_here"), testing::ElementsAre("policy public.meals.everything"));
}

TEST_F(Reconcile, RefusesRowsInTheWayAndChangesNothing) {
  create_platform(cluster(), "twice");
  const fs::path backup = back_up();
  ASSERT_TRUE(ends_with(kOk, reconcile(backup, "twice")));
  const Content before = content_of(cluster(), "twice");
  for (const std::vector<std::string>& options : std::vector<std::vector<std::string>>{{}, {"--dry-run"}}) {
    const Outcome again = reconcile(backup, "twice", options);
    EXPECT_TRUE(ends_with(kRefused, again));
    EXPECT_THAT(again.err, AllOf(HasSubstr("tables of the target hold rows already: app."),
                                 HasSubstr("2 of the backup's large objects are in the target already"),
                                 HasSubstr("empty them first (TRUNCATE); --keep-going")));
    EXPECT_EQ("", differences(before, content_of(cluster(), "twice")));
  }
}

TEST_F(Reconcile, BridgesVersionsOfThePlatform) {
  create_platform(cluster(), "old_origin", PlatformVersion::older);
  add_project(cluster(), "old_origin");
  cluster().sql("old_origin", "DROP EVENT TRIGGER note_app_changes");
  create_platform(cluster(), "newer");
  create_platform(cluster(), "older", PlatformVersion::older);
  const auto users_schema = [](const std::string& database) {
    const std::string script =
        cluster().pg_dump({"-s", "-n", "public", "-n", "app", "-n", "supabase_migrations"}, database);
    return std::regex_replace(script, std::regex(R"(\\(un)?restrict \w+\n)"), "");
  };
  const auto users_rows = [](const std::string& database) {
    return cluster().sql(database,
                         "SELECT (SELECT md5(string_agg(u::text, ',' ORDER BY id)) FROM (SELECT id, email, phone, "
                         "raw_user_meta_data FROM auth.users) u), (SELECT md5(string_agg(o::text, ',' ORDER BY id)) "
                         "FROM (SELECT id, bucket_id, name, metadata FROM storage.objects) o), (SELECT count(*) FROM "
                         "auth.refresh_tokens), (SELECT count(*) FROM public.tasks)");
  };
  for (const auto& [origin, target] : {std::pair{"old_origin", "newer"}, std::pair{"origin", "older"}}) {
    const Outcome outcome = reconcile(back_up(origin), target, {"--json"});
    ASSERT_TRUE(ends_with(kOk, outcome));
    EXPECT_EQ("", different_entries(users_schema(origin), users_schema(target)));
    EXPECT_EQ(users_rows(origin), users_rows(target));
    const nlohmann::json report = nlohmann::json::parse(outcome.out)["reconciled"];
    EXPECT_THAT(report["columns_left_out"].dump(), HasSubstr("storage.objects ("));
    EXPECT_THAT(report["rows_left_out"].dump(), HasSubstr("rows of realtime.messages_2026_09_11: invalid input"));
    EXPECT_THAT(report["left_to_platform"].dump(), HasSubstr("TABLE storage."));
  }
}

TEST_F(Reconcile, AsksBeforeAColumnsContentsAreLost) {
  create_platform(cluster(), "narrow");
  add_definitions_of_project(cluster(), "narrow");
  cluster().sql("origin", "UPDATE public.profiles SET legacy_flag = length(username), avatar_url = NULL");
  cluster().sql("narrow", "ALTER TABLE public.profiles DROP legacy_flag, DROP avatar_url");
  const fs::path backup = back_up();
  const Content before = content_of(cluster(), "narrow");
  const Outcome refused = reconcile(backup, "narrow");
  EXPECT_TRUE(ends_with(kRefused, refused));
  EXPECT_THAT(refused.err, AllOf(HasSubstr("public.profiles (legacy_flag): 45 values"), Not(HasSubstr("avatar_url"))));
  EXPECT_EQ("", differences(before, content_of(cluster(), "narrow")));

  EXPECT_TRUE(ends_with(kFailed, reconcile(backup, "narrow", {"--keep-going", "--fire-triggers"})));
  EXPECT_EQ(cluster().sql("origin", "SELECT count(*), min(username), max(full_name) FROM public.profiles"),
            cluster().sql("narrow", "SELECT count(*), min(username), max(full_name) FROM public.profiles"));
}

TEST_F(Reconcile, NamesWhatNobodyButThePlatformMayMake) {
  create_platform(cluster(), "odd_origin");
  add_project(cluster(), "odd_origin");  // with its event trigger
  cluster().sql("odd_origin", R"(
    CREATE FUNCTION auth.custom_claim() RETURNS text LANGUAGE sql AS 'SELECT ''made up''';
    CREATE TABLE auth.extra (id int PRIMARY KEY); INSERT INTO auth.extra VALUES (1);
    ALTER FUNCTION auth.custom_claim OWNER TO postgres; ALTER TABLE auth.extra OWNER TO postgres)");
  create_platform(cluster(), "fresh");
  const fs::path backup = back_up("odd_origin");
  const Content before = content_of(cluster(), "fresh");
  const Outcome refused = reconcile(backup, "fresh");
  EXPECT_TRUE(ends_with(kRefused, refused));
  EXPECT_THAT(refused.err, AllOf(HasSubstr("FUNCTION auth.custom_claim()"), HasSubstr("TABLE auth.extra"),
                                 HasSubstr("EVENT TRIGGER note_app_changes")));
  EXPECT_EQ("", differences(before, content_of(cluster(), "fresh")));

  const Outcome rest = reconcile(backup, "fresh", {"--keep-going"});
  EXPECT_TRUE(ends_with(kFailed, rest));
  EXPECT_THAT(rest.err, HasSubstr("1 row of auth.extra"));
  EXPECT_EQ("50|300",
            cluster().sql("fresh", "SELECT (SELECT count(*) FROM auth.users), (SELECT count(*) FROM public.tasks)"));
}

// Whatever the target's defaults add to what is made there, and whatever was granted on what was there.
TEST_F(Reconcile, LeavesNobodyARightThatTheSourceDidNotGive) {
  const fs::path backup = back_up();
  const std::vector<std::string> defaults = {
      "ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO PUBLIC; ALTER DEFAULT PRIVILEGES GRANT ALL ON SCHEMAS TO anon",
      "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON FUNCTIONS TO service_role WITH GRANT OPTION; ALTER "
      "DEFAULT PRIVILEGES REVOKE ALL ON TYPES FROM PUBLIC; ALTER DEFAULT PRIVILEGES GRANT USAGE ON TYPES TO anon",
      "ALTER DEFAULT PRIVILEGES REVOKE ALL ON TABLES FROM postgres; ALTER DEFAULT PRIVILEGES GRANT UPDATE ON SEQUENCES "
      "TO anon WITH GRANT OPTION; GRANT CREATE ON SCHEMA public TO anon; GRANT ALL ON SCHEMA extensions TO "
      "authenticated"};
  for (const std::string& sql : defaults) {
    create_platform(cluster(), "open");
    run_successfully(psql_of_postgres(cluster(), {"-q", "-c", sql}, "open"));
    const Outcome outcome = reconcile(backup, "open");
    ASSERT_TRUE(ends_with(kOk, outcome)) << sql;
    expect_equal("origin", "open");
  }
}

TEST_F(Reconcile, MakesTheRolesThatANewProjectLacks) {
  const std::unique_ptr<Cluster> other = Cluster::of_platform();
  create_platform(*other, "fresh");
  const std::string target = project_url(*other, "fresh");
  const fs::path backup = back_up();
  const Outcome refused = pana({"restore", backup, "--into", target, "--reconcile"});
  EXPECT_TRUE(ends_with(kRefused, refused));
  EXPECT_THAT(refused.err,
              AllOf(HasSubstr("the target lacks the roles"), HasSubstr("reporting"), HasSubstr("--globals")));

  const Outcome outcome = pana({"restore", backup, "--into", target, "--reconcile", "--globals"});
  ASSERT_TRUE(ends_with(kOk, outcome));
  EXPECT_THAT(outcome.out, HasSubstr("passwords of the roles reporting"));
  constexpr const char* kRoles =
      "SELECT rolname, rolcanlogin, (SELECT string_agg(roleid::regrole::text, ',' ORDER BY 1) FROM pg_auth_members "
      "WHERE member = r.oid AND roleid::regrole::text <> 'postgres') FROM pg_roles AS r WHERE rolname ~* "
      "'^(reporting|tenant)' ORDER BY 1";
  EXPECT_EQ(cluster().sql("origin", kRoles), other->sql("fresh", kRoles));
  // A policy's roles stand in the order in which they were made.
  const std::regex tenants(R"~(TO (tenant_a, )?"Tenant ""B"" ünïcode"(, tenant_a)?)~");
  EXPECT_EQ("", different_entries(std::regex_replace(schema_of(cluster(), "origin"), tenants, "TO both"),
                                  std::regex_replace(schema_of(*other, "fresh"), tenants, "TO both")));
}

TEST_F(Reconcile, IsARestoreLikeAnyOtherWhereNothingIsThere) {
  const std::unique_ptr<Cluster> plain = std::make_unique<Cluster>();
  plain->create_database("target");
  const fs::path backup = back_up();
  ASSERT_TRUE(ends_with(
      kOk, pana({"restore", backup, "--into", plain->url("target"), "--reconcile", "--globals", "--verify"})));
  EXPECT_EQ("", different_lines(content_of(cluster(), "origin").tables, content_of(*plain, "target").tables));
}

TEST_F(Reconcile, NeedsABackupThatKnowsItsObjects) {
  create_platform(cluster(), "fresh");
  const Outcome outcome = reconcile(fs::path(PANA_SOURCE_DIR) / "tests/golden/format1.sql", "fresh");
  EXPECT_TRUE(ends_with(kRefused, outcome));
  EXPECT_THAT(outcome.err, HasSubstr("does not say what its objects are called"));
}

}  // namespace
}  // namespace pana::test
