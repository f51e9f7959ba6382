#include "command/restore_large_objects.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <span>
#include <vector>

#include "command/restore_choice.h"

namespace pana {
namespace {

std::set<LargeObjectId> present_large_objects(Connection& connection) {
  const std::vector<LargeObjectId> ids = read_large_object_ids(connection);
  return {ids.begin(), ids.end()};
}

}  // namespace

std::size_t count_present_large_objects(Connection& connection, const RestoreSelection& selection) {
  if (selection.large_objects.empty()) return 0;
  const std::set<LargeObjectId> present = present_large_objects(connection);
  return static_cast<std::size_t>(
      std::ranges::count_if(selection.large_objects, [&present](LargeObjectId id) { return present.contains(id); }));
}

void make_large_objects(Connection& connection, const RestoreRequest& request, const BackupReader& backup,
                        const RestoreSelection& selection, RoleRewriter& roles, SchemaRunner& runner,
                        const std::stop_token& stop) {
  constexpr std::size_t kBatch = 300;
  if (selection.large_objects.empty()) return;
  std::set<LargeObjectId> present;
  if (!request.schema) present = present_large_objects(connection);
  std::vector<SchemaObject> batch;
  bool is_missing = true;  // the object whose comment and grants follow
  read_large_object_definitions(request, backup, stop, [&](SchemaObject object) {
    if (object.type == "BLOB") {
      is_missing = !present.contains(object.object_id);
      if (is_missing && batch.size() >= kBatch) {
        runner.run_together(connection, batch);
        batch.clear();
      }
    }
    if (!is_missing) return;
    roles.rewrite(object);
    batch.push_back(std::move(object));
  });
  runner.run_together(connection, batch);
}

void empty_large_objects(Connection& connection, const RestoreSelection& selection) {
  constexpr std::size_t kBatch = 1000;
  constexpr int kForWriting = 0x20000;  // INV_WRITE
  const std::span<const LargeObjectId> ids = selection.large_objects;
  for (std::size_t begin = 0; begin < ids.size(); begin += kBatch) {
    // Closed again, for the transaction may be that of all the others, and the server looks through the open ones for
    // each.
    connection.query(
        fmt::format("SELECT pg_catalog.lo_truncate64(object, 0), pg_catalog.lo_close(object) FROM (SELECT "
                    "pg_catalog.lo_open(oid, {}) AS object "
                    "FROM pg_catalog.pg_largeobject_metadata WHERE oid IN ({}) OFFSET 0) AS opened",
                    kForWriting, fmt::join(ids.subspan(begin, std::min(kBatch, ids.size() - begin)), ", ")));
  }
}

}  // namespace pana
