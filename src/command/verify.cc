#include "command/verify.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <numeric>

#include "base/error.h"
#include "base/guarded.h"
#include "base/parallel.h"
#include "base/work_list.h"
#include "format/row_frame_reader.h"

namespace pana {
namespace {

constexpr std::size_t kDamagesShown = 10;

// Counts and digests the rows of one frame, and checks that they are divided among tables as the index says.
TableDigests digest_frame(const BackupReader& backup, BackupReader::Memory& memory, std::size_t frame,
                          const std::stop_token& stop) {
  const FrameInfo& info = backup.index().frames[frame];
  TableDigests digests;
  std::vector<FrameRows> found;
  const auto count = [&](TableId table, std::string_view line) {
    digests[table].add(line.substr(0, line.size() - 1));
    ++found.back().rows;
  };
  const RowFrameHandler handler{.begin_copy =
                                    [&](std::string_view) {
                                      if (found.size() >= info.tables.size()) {
                                        throw Error(ErrorKind::damaged, "it holds more tables than the index says");
                                      }
                                      found.push_back({.table = info.tables[found.size()].table, .rows = 0});
                                    },
                                .row = [&](std::string_view row) { count(found.back().table, row); },
                                .end_copy = [] {},
                                .large_object_line =
                                    [&](std::string_view line) {
                                      if (found.empty()) found.push_back({.table = kLargeObjects, .rows = 0});
                                      count(kLargeObjects, line);
                                    }};
  RowFrameReader reader(handler);
  backup.read_frame(
      frame, [&reader](std::string_view text) { reader.feed(text); }, memory, stop);
  reader.finish();
  if (found != info.tables) {
    throw Error(ErrorKind::damaged, fmt::format("frame {} ({}): its rows are not those the index lists", frame + 1,
                                                backup.content_of(frame)));
  }
  return digests;
}

TableDigests verify_frame(const BackupReader& backup, BackupReader::Memory& memory, std::size_t frame,
                          const std::stop_token& stop) {
  if (backup.index().frames[frame].phase == Phase::rows) return digest_frame(backup, memory, frame, stop);
  backup.read_frame(
      frame, [](std::string_view) {}, memory, stop);
  return {};
}

[[noreturn]] void throw_damages(std::vector<std::string> damages) {
  const std::size_t count = damages.size();
  damages.resize(std::min(count, kDamagesShown));
  std::string message = fmt::format("{}", fmt::join(damages, "; "));
  if (count > kDamagesShown) message += fmt::format("; and {} more", count - kDamagesShown);
  throw Error(ErrorKind::damaged, message, "do not rely on this backup; frames that are not named are sound");
}

}  // namespace

void verify_backup(const BackupReader& backup, std::size_t jobs, Progress& progress, const std::stop_token& stop) {
  const Index& index = backup.index();
  progress.total = index.text_bytes();
  std::vector<std::size_t> frames(index.frames.size());
  std::iota(frames.begin(), frames.end(), std::size_t{0});
  WorkList<std::size_t> list(frames);
  Guarded<std::vector<std::string>> damages;
  Guarded<TableDigests> digests;
  run_parallel(
      jobs,
      [&](const std::stop_token& worker_stop) {
        BackupReader::Memory memory;
        while (const std::size_t* const frame = worker_stop.stop_requested() ? nullptr : list.next()) {
          try {
            const TableDigests found = verify_frame(backup, memory, *frame, worker_stop);
            digests.with([&found](TableDigests& all) { merge(all, found); });
          } catch (const Error& error) {
            if (error.kind() != ErrorKind::damaged) throw;
            damages.with([&error](std::vector<std::string>& all) { all.emplace_back(error.what()); });
          }
          progress.done += index.frames[*frame].bytes;
          progress.bytes += index.frames[*frame].bytes;
        }
      },
      stop);
  std::vector<std::string> all = damages.with([](auto& messages) { return messages; });
  if (!all.empty()) throw_damages(std::move(all));
  for (const TableInfo& table : index.tables) {
    const RowDigest found = digests.with([&table](TableDigests& sums) { return sums[table.id]; });
    if (!(found == table.content)) {
      all.push_back(fmt::format("the rows of {}.{} are not those the index describes", table.schema, table.name));
    }
  }
  if (!all.empty()) throw_damages(std::move(all));
}

}  // namespace pana
