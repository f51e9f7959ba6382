#include "command/restore_cron.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>

#include "command/restore_roles.h"
#include "command/row_samples.h"
#include "pg/transaction.h"
#include "sql/copy_columns.h"

namespace pana {

std::string CronJob::text() const { return fmt::format("{} ({})", name.value_or(fmt::format("job {}", id)), schedule); }

bool is_cron_table(const TableInfo& table) { return table.schema == "cron" && table.name == "job"; }

bool is_cron_sequence(const RelationName& sequence) {
  return sequence.schema == "cron" && (sequence.name == "jobid_seq" || sequence.name == "runid_seq");
}

std::vector<CronJob> read_cron_jobs(const BackupReader& backup, const TableInfo& table) {
  std::vector<CronJob> jobs;
  read_rows(backup, table, [&](const std::vector<std::string_view>& fields) {
    std::map<std::string_view, std::optional<std::string>> values;
    for (std::size_t i = 0; i < std::min(fields.size(), table.columns.size()); ++i)
      values[table.columns[i]] = copy_value(fields[i]);
    CronJob job{.name = values["jobname"],
                .schedule = values["schedule"].value_or(""),
                .command = values["command"].value_or(""),
                .database = values["database"].value_or(""),
                .role = values["username"].value_or(""),
                .is_active = values["active"].value_or("t") == "t"};
    const std::string id = values["jobid"].value_or("");
    std::from_chars(id.data(), id.data() + id.size(), job.id);
    jobs.push_back(std::move(job));
  });
  std::ranges::sort(jobs, {}, &CronJob::id);
  return jobs;
}

CronOutcome make_cron_job(Connection& connection, const CronJob& job, const std::string& role,
                          const std::string& database, CronJobs wish) {
  if (job.database != database) return CronOutcome::other_database;
  const std::string quoted_role = connection.quote_literal(role);
  const QueryResult may = connection.query(
      fmt::format("SELECT FROM pg_catalog.pg_roles WHERE rolname = {} AND pg_catalog.pg_has_role(oid, '{}')",
                  quoted_role, membership_of(connection)));
  if (may.rows() == 0) return CronOutcome::other_role;
  CronOutcome outcome = CronOutcome::made;
  in_transaction(connection, [&] {
    connection.query("SET LOCAL row_security = on");  // each role sees its own jobs
    connection.query("SET LOCAL ROLE " + connection.quote_identifier(role));
    const std::string schedule = connection.quote_literal(job.schedule);
    const std::string command = connection.quote_literal(job.command);
    const std::string is_it =
        job.name ? "jobname = " + connection.quote_literal(*job.name)
                 : fmt::format("jobname IS NULL AND schedule = {} AND command = {}", schedule, command);
    const QueryResult present = connection.query(
        fmt::format("SELECT schedule = {} AND command = {} AND database = pg_catalog.current_database() FROM cron.job "
                    "WHERE username = {} AND {}",
                    schedule, command, quoted_role, is_it));
    if (present.rows() > 0) {
      outcome = present.boolean(0, 0) ? CronOutcome::there : CronOutcome::other_job;
      return;
    }
    // A job without a name is a call of its own; by a name, another of that name would become this one.
    const QueryResult made =
        connection.query(fmt::format("SELECT cron.schedule({}{}, {})",
                                     job.name ? connection.quote_literal(*job.name) + ", " : "", schedule, command));
    if (wish != CronJobs::active || !job.is_active)
      connection.query(fmt::format("SELECT cron.alter_job({}, active := false)", made.integer(0, 0)));
  });
  return outcome;
}

}  // namespace pana
