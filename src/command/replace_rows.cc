#include "command/replace_rows.h"

#include <fmt/format.h>

#include <string>

#include "command/restore_clean.h"
#include "command/restore_large_objects.h"
#include "command/restore_rows.h"
#include "command/sql_names.h"

namespace pana {
namespace {

void empty(Connection& control, const BackupReader& backup, const RestoreSelection& selection, Progress& progress) {
  progress.set_activity("emptying the tables");
  with_index_encoding(control, backup.index().header, [&] { empty_tables(control, backup, selection); });
  empty_large_objects(control, selection);
}

std::map<TableId, std::uint64_t> replace_over_several(std::span<Connection> connections, const BackupReader& backup, const RestoreSelection& selection,
                                                      RestoreErrors& errors, Progress& progress, const std::stop_token& stop) {
  Connection& control = connections.front();
  control.query("BEGIN");
  empty(control, backup, selection, progress);
  control.query("COMMIT");
  try {
    return load_rows(connections, LoadTransactions::of_frames, backup, selection, errors, progress, stop);
  } catch (const Error& error) {
    throw Error(error.kind(), fmt::format("{}; the tables were emptied before, and hold what was loaded until then", error.what()),
                error.hint().empty() ? "restore again; without --jobs all of it is one transaction" : error.hint());
  }
}

}  // namespace

std::map<TableId, std::uint64_t> replace_rows(std::span<Connection> connections, const RestoreRequest& request, const BackupReader& backup,
                                              const RestoreSelection& selection, RestoreErrors& errors, Progress& progress, const std::stop_token& stop) {
  if (!request.single_transaction && connections.size() > 1) {
    return replace_over_several(connections, backup, selection, errors, progress, stop);
  }
  Connection& control = connections.front();
  std::map<TableId, std::uint64_t> loaded;
  bool is_complete = false;
  try {
    control.query("BEGIN");
    empty(control, backup, selection, progress);
    loaded = load_rows(connections.first(1), LoadTransactions::of_all, backup, selection, errors, progress, stop);
    is_complete = true;
    control.query("COMMIT");
  } catch (const Error& error) {
    const std::string way_on = error.kind() == ErrorKind::damaged ? "restore another backup, or this one with --keep-going, without what is damaged" : "restore again";
    const char* const outcome = is_complete && !control.is_alive() ? "whether the tables hold the backup's rows or those that they held is not known" : "the tables hold the rows that they held";
    throw Error(error.kind(), fmt::format("{}; {}", error.what(), outcome),
                fmt::format("{}; with --keep-going the tables lose the rows that they hold, whatever is refused", error.hint().empty() ? way_on : error.hint()));
  }
  return loaded;
}

}  // namespace pana
