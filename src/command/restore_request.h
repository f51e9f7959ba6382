// What a restore is asked for.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "sql/table_filter.h"

namespace pana {

// What becomes of pg_cron's jobs where they are made again: they call the world, and often the old server.
enum class CronJobs { inactive, active, skip };

struct RestoreRequest {
  std::string url;  // as Connection takes it
  std::size_t jobs = 4;
  TableFilter filter;
  bool schema = true;  // the definitions
  bool rows = true;    // rows, sequences, large objects
  bool owners = true;
  bool privileges = true;
  bool tablespaces = true;
  bool comments = true;
  bool publications = true;
  bool subscriptions = true;
  bool security_labels = true;
  std::vector<std::string> exclude_extensions;  // with the rows, values and grants of their own tables
  bool skip_missing_extensions = false;         // those that the target's server does not have, likewise
  std::map<std::string, std::string> role_map;  // who stands for which of the backup's roles
  std::string search_path;  // of the restore's sessions; by default there is none, as in the preamble
  bool clean = false;       // drop what the backup makes before making it; without definitions: empty the tables
  bool single_transaction = false;     // with `clean` and without definitions: over one connection
  bool allow_non_empty = false;        // restore beside what is there
  bool reconcile = false;              // what is there is compared, what is missing made (command/reconcile.h)
  CronJobs cron = CronJobs::inactive;  // with `reconcile`
  bool dry_run = false;                // look, and change nothing
  bool create_missing_roles = false;
  bool globals = false;           // the backup's roles and the database's properties as well
  bool disable_triggers = false;  // while rows are loaded
  bool fire_triggers = false;     // of tables that are there; otherwise they are refused
  bool keep_going = false;        // collect errors instead of stopping at the first
  bool analyze = true;
  // The role that stands for this one of the backup's.
  const std::string& mapped(const std::string& role) const {
    const auto found = role_map.find(role);
    return found == role_map.end() ? role : found->second;
  }
  std::chrono::seconds longest_silence{0};  // of the server, which says nothing while it builds an index; 0: no limit
};

}  // namespace pana
