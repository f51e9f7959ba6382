// Jobs of pg_cron, which its own function must make again: nobody may write its table, and a job runs in the database
// and as the role that made it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "command/restore_request.h"
#include "format/backup_reader.h"
#include "pg/connection.h"

namespace pana {

// A row of cron.job, in the backup's encoding.
struct CronJob {
  std::int64_t id = 0;
  std::optional<std::string> name;
  std::string schedule;
  std::string command;
  std::string database;
  std::string role;
  bool is_active = true;

  std::string text() const;  // nightly (0 3 * * *)
};

bool is_cron_table(const TableInfo& table);

// Those that number jobs and their runs, which only pg_cron counts on.
bool is_cron_sequence(const RelationName& sequence);

// By their numbers. Throws as BackupReader::read_frame() does.
std::vector<CronJob> read_cron_jobs(const BackupReader& backup, const TableInfo& table);

enum class CronOutcome { made, there, other_job, other_role, other_database };

// Makes the job in one transaction, unless there is one of its name, or without names one that does the same; active if
// it was, and the request wants that. `role` stands for the job's. Throws DatabaseError.
CronOutcome make_cron_job(Connection& connection, const CronJob& job, const std::string& role,
                          const std::string& database, CronJobs wish);

}  // namespace pana
