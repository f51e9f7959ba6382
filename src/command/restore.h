// pana restore: a backup, or some tables of it, into a database.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "base/progress.h"
#include "format/backup_reader.h"
#include "sql/table_filter.h"

namespace pana {

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
  bool single_transaction = false;  // with `clean` and without definitions: over one connection
  bool allow_non_empty = false;     // restore beside what is there
  bool create_missing_roles = false;
  bool globals = false;           // the backup's roles and the database's properties as well
  bool disable_triggers = false;  // while rows are loaded
  bool keep_going = false;        // collect errors instead of stopping at the first
  bool analyze = true;
  std::chrono::seconds longest_silence{0};  // of the server, which says nothing while it builds an index; 0: no limit
};

// What lies outside of the database. The target's rights and its own roles limit what `globals` brings back, which is
// no error.
struct RestoredGlobals {
  std::vector<std::string> roles;         // that were made
  std::vector<std::string> not_restored;  // each a sentence
};

struct RestoreReport {
  std::string target;  // "host:port/database"
  std::uint64_t rows = 0;
  std::uint64_t tables = 0;
  std::uint64_t bytes_read = 0;  // of the backup
  double seconds = 0;
  RestoredGlobals globals;
  std::set<TableId> left_out_tables;             // with their extensions
  std::set<std::string> left_out_sequences;      // the statements that set them
  std::vector<std::string> rights_not_restored;  // those that the server only warned of, each a sentence
  std::vector<std::string> errors;               // with keep_going: what could not be restored
};

// Looks first and changes nothing when the target lacks something: Error(refused) then names all of it. Throws at the
// first error otherwise, unless told to keep going.
RestoreReport restore(const RestoreRequest& request, const BackupReader& backup, Progress& progress,
                      const std::stop_token& stop);

}  // namespace pana
