#include "command/rows_alone.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string>
#include <vector>

#include "command/restore_clean.h"
#include "command/restore_large_objects.h"
#include "command/restore_rows.h"
#include "command/sql_names.h"
#include "pg/transaction.h"

namespace pana {
namespace {

void empty(Connection& control, const BackupReader& backup, const RestoreSelection& selection, Progress& progress) {
  progress.set_activity("emptying the tables");
  with_index_encoding(control, backup.index().header, [&] { empty_tables(control, backup, selection); });
  empty_large_objects(control, selection);
}

std::map<TableId, std::uint64_t> replace_over_several(std::span<Connection> connections, const BackupReader& backup,
                                                      const RestoreSelection& selection, const LoadOrder& order,
                                                      RestoreErrors& errors, Progress& progress,
                                                      const std::stop_token& stop) {
  Connection& control = connections.front();
  control.query("BEGIN");
  empty(control, backup, selection, progress);
  control.query("COMMIT");
  try {
    return load_rows(connections, LoadTransactions::of_frames, backup, selection, order, errors, progress, stop);
  } catch (const Error& error) {
    throw Error(error.kind(),
                fmt::format("{}; the tables were emptied before, and hold what was loaded until then", error.what()),
                error.hint().empty() ? "restore again; without --jobs all of it is one transaction" : error.hint());
  }
}

std::map<TableId, std::uint64_t> load_in_one_transaction(std::span<Connection> connections,
                                                         const RestoreRequest& request, const BackupReader& backup,
                                                         const RestoreSelection& selection, const LoadOrder& order,
                                                         const std::vector<std::string>& in_circles,
                                                         const std::function<void()>& finish, RestoreErrors& errors,
                                                         Progress& progress, const std::stop_token& stop) {
  Connection& control = connections.front();
  std::map<TableId, std::uint64_t> loaded;
  bool is_complete = false;
  try {
    control.query("BEGIN");
    if (request.clean) empty(control, backup, selection, progress);
    loaded =
        load_rows(connections.first(1), in_circles.empty() ? LoadTransactions::of_all : LoadTransactions::of_circles,
                  backup, selection, order, errors, progress, stop);
    control.query("SET CONSTRAINTS ALL IMMEDIATE");  // what is refused at the end is refused before sequences are set
    finish();
    is_complete = true;
    control.query("COMMIT");
  } catch (const Error& error) {
    const bool is_unknown = is_complete && !control.is_alive();
    const char* const outcome = is_unknown ? "the tables hold either the backup's rows or those that they held before"
                                           : "the tables hold the rows that they held";
    const auto* const refusal = dynamic_cast<const DatabaseError*>(&error);
    if (!in_circles.empty() && !is_unknown && refusal != nullptr && refusal->sqlstate() == kForeignKeyViolation) {
      throw Error(
          ErrorKind::refused,
          fmt::format(
              "the tables {} refer to each other by foreign keys, and these rows do not come in any order: {}; {}",
              fmt::join(in_circles, ", "), error.what(), outcome),
          kWayOutOfCircles);
    }
    const std::string way_on = error.kind() == ErrorKind::damaged
                                   ? "restore another backup, or this one with --keep-going, without what is damaged"
                                   : "restore again";
    std::string hint = error.hint().empty() ? way_on : error.hint();
    if (refusal != nullptr && control.is_alive())
      hint += "; with --keep-going pana empties the tables even if the server refuses rows of the backup";
    throw Error(error.kind(), fmt::format("{}; {}", error.what(), outcome), std::move(hint));
  }
  return loaded;
}

}  // namespace

std::map<TableId, std::uint64_t> load_rows_alone(std::span<Connection> connections, const RestoreRequest& request,
                                                 const BackupReader& backup, const RestoreSelection& selection,
                                                 const LoadOrder& order, const std::function<void()>& finish,
                                                 RestoreErrors& errors, Progress& progress,
                                                 const std::stop_token& stop) {
  const std::vector<std::string> in_circles =
      request.disable_triggers ? std::vector<std::string>() : tables_in_circles(order);
  if (!in_circles.empty() || (request.clean && (request.single_transaction || connections.size() == 1))) {
    return load_in_one_transaction(connections, request, backup, selection, order, in_circles, finish, errors, progress,
                                   stop);
  }
  const std::map<TableId, std::uint64_t> loaded =
      request.clean
          ? replace_over_several(connections, backup, selection, order, errors, progress, stop)
          : load_rows(connections, LoadTransactions::of_frames, backup, selection, order, errors, progress, stop);
  in_transaction(connections.front(), finish);
  return loaded;
}

}  // namespace pana
