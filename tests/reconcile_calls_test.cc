// What would call the world from a restored project, and so is restored switched off: cron jobs and webhooks.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "support/pana.h"
#include "support/platform.h"

namespace pana::test {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class ReconcileCalls : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto reason = Cluster::missing()) GTEST_SKIP() << *reason;
    cluster_ = Cluster::of_platform();
    if (!cluster_->has_probe_extension()) GTEST_SKIP() << "the server's installation cannot be copied";
    create_platform(*cluster_, "origin");
    create_platform(*cluster_, "fresh");
  }

  void as_postgres(const std::string& database, const std::string& sql) const {
    run_successfully(
        psql_of_postgres(*cluster_, {"-q", "-o", "/dev/null", "-v", "ON_ERROR_STOP=1", "-c", sql}, database));
  }

  Outcome reconcile(const std::vector<std::string>& options) const {
    EXPECT_TRUE(ends_with(kOk, pana({"backup", project_url(*cluster_, "origin"), "--to", backups_.path()})));
    const std::vector<std::filesystem::path> backups = backups_in(backups_.path());
    const std::string backup = backups.empty() ? "no backup" : backups.back().string();
    std::vector<std::string> arguments = {"restore",     backup,  "--into", project_url(*cluster_, "fresh"),
                                          "--reconcile", "--json"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    return pana(arguments);
  }

  std::string jobs() const {
    return cluster_->sql("fresh",
                         "SELECT string_agg(format('%s|%s|%s|%s|%s', jobname, schedule, command, active, username), "
                         "E'\\n' ORDER BY jobid) FROM cron.job");
  }

  TemporaryDirectory backups_;
  std::unique_ptr<Cluster> cluster_;
};

TEST_F(ReconcileCalls, OfCronComeBackInactiveUntilSomebodySaysSo) {
  as_postgres("origin", R"(
    CREATE EXTENSION pg_cron; CREATE TABLE public.t (i int); INSERT INTO public.t VALUES (1);
    SELECT cron.schedule('nightly', '0 3 * * *', 'SELECT ''a	b'', E''\\n''
FROM public.t'); SELECT cron.schedule('* * * * *', 'SELECT 1'); SELECT cron.alter_job(cron.schedule('asleep', '5 5 5 5 5', 'SELECT 2'), active := false))");
  cluster_->sql("origin",
                "INSERT INTO cron.job (jobname, schedule, command, username) VALUES ('of another', '1 1 1 1 "
                "1', 'SELECT 4', 'supabase_admin')");
  const Outcome planned = reconcile({"--dry-run"});
  ASSERT_TRUE(ends_with(kOk, planned));
  EXPECT_THAT(nlohmann::json::parse(planned.out)["reconciled"]["cron_jobs"],
              Contains("nightly (0 3 * * *): is made unless it is there"));
  const Outcome outcome = reconcile({});
  ASSERT_TRUE(ends_with(kFailed, outcome));  // a job of somebody else's
  ASSERT_NE("", outcome.out) << outcome.err;
  const nlohmann::json report = nlohmann::json::parse(outcome.out);
  EXPECT_THAT(report["errors"],
              ElementsAre("cron job of another (1 1 1 1 1): not made, because it is of the role supabase_admin"));
  EXPECT_THAT(report["reconciled"]["cron_jobs"], Contains("job 2 (* * * * *): made, inactive"));
  EXPECT_THAT(report["reconciled"]["by_hand"], Contains(HasSubstr("cron.alter_job(jobid, active := true)")));
  EXPECT_EQ(
      "nightly|0 3 * * *|SELECT 'a\tb', E'\\\\n'\nFROM public.t|f|postgres\n|* * * * *|SELECT 1|f|postgres\n"
      "asleep|5 5 5 5 5|SELECT 2|f|postgres",
      jobs());

  cluster_->sql("origin", "DELETE FROM cron.job WHERE username <> 'postgres'");
  as_postgres("fresh", "TRUNCATE public.t");
  cluster_->sql("fresh", "DELETE FROM cron.job WHERE jobname = 'asleep' OR jobname IS NULL");
  ASSERT_TRUE(ends_with(kOk, reconcile({"--cron", "active"})));
  EXPECT_THAT(jobs(),
              testing::EndsWith("|f|postgres\n|* * * * *|SELECT 1|t|postgres\nasleep|5 5 5 5 5|SELECT 2|f|postgres"));
  as_postgres("fresh", "TRUNCATE public.t");
  cluster_->sql("fresh", "DELETE FROM cron.job");
  const Outcome skipped = reconcile({"--cron", "skip"});
  ASSERT_TRUE(ends_with(kOk, skipped));
  EXPECT_THAT(nlohmann::json::parse(skipped.out)["reconciled"]["cron_jobs"], IsEmpty());
  EXPECT_EQ("", jobs());
}

TEST_F(ReconcileCalls, OfWebhooksAreSwitchedOff) {
  for (const char* const database : {"origin", "fresh"}) {
    cluster_->sql(database, R"(
      CREATE SCHEMA supabase_functions; CREATE FUNCTION supabase_functions.http_request() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
      GRANT USAGE ON SCHEMA supabase_functions TO postgres; GRANT EXECUTE ON FUNCTION supabase_functions.http_request TO postgres)");
  }
  as_postgres("origin", R"(
    CREATE TABLE public.t (i int); INSERT INTO public.t VALUES (1); CREATE TRIGGER "call ""me""" AFTER INSERT ON public.t FOR EACH ROW EXECUTE FUNCTION supabase_functions.http_request('https://x.supabase.co'))");
  const Outcome outcome = reconcile({});
  ASSERT_TRUE(ends_with(kOk, outcome));
  EXPECT_THAT(nlohmann::json::parse(outcome.out)["reconciled"]["by_hand"],
              Contains(HasSubstr(R"(ENABLE TRIGGER "call ""me""")")));
  EXPECT_EQ("call \"me\"|D", cluster_->sql("fresh",
                                           "SELECT tgname, tgenabled FROM pg_trigger WHERE tgrelid = "
                                           "'public.t'::regclass"));
}

}  // namespace
}  // namespace pana::test
