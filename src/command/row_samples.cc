#include "command/row_samples.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "base/human.h"
#include "format/row_frame_reader.h"
#include "sql/copy_columns.h"

namespace pana {
namespace {

// Reads a frame of rows with what each section is of.
void read_sections(const BackupReader& backup, std::size_t frame, BackupReader::Memory& memory,
                   const std::function<void(TableId table, std::string_view statement)>& begin,
                   const std::function<void(TableId table, std::string_view row)>& take) {
  const std::vector<FrameRows>& parts = backup.index().frames[frame].tables;
  std::size_t section = 0;
  const auto table = [&] {
    if (section >= parts.size()) throw Error(ErrorKind::damaged, "a frame holds more tables than the index says");
    return parts[section].table;
  };
  const RowFrameHandler handler{.begin_copy = [&](std::string_view statement) { begin(table(), statement); },
                                .row = [&](std::string_view row) { take(table(), row); },
                                .end_copy = [&section] { ++section; },
                                .large_object_line = [](std::string_view) {}};
  RowFrameReader reader(handler);
  backup.read_frame(frame, [&reader](std::string_view text) { reader.feed(text); }, memory, {});
  reader.finish();
}

}  // namespace

std::string ColumnContent::text() const {
  if (values == 0) return "empty in every row";
  return differ ? counted(values, "value") : fmt::format("the same value in {}", counted(values, "row"));
}

std::vector<ColumnContent> read_columns(const BackupReader& backup, const TableInfo& table,
                                        const std::vector<bool>& kept) {
  std::vector<ColumnContent> contents(kept.size());
  read_rows(backup, table, [&](const std::vector<std::string_view>& fields) {
    for (std::size_t column = 0; column < std::min(kept.size(), fields.size()); ++column) {
      if (kept[column] || fields[column] == "\\N") continue;
      ColumnContent& content = contents[column];
      if (content.values++ == 0) content.first = fields[column];
      content.differ = content.differ || content.first != fields[column];
    }
  });
  return contents;
}

void read_rows(const BackupReader& backup, const TableInfo& table,
               const std::function<void(const std::vector<std::string_view>& fields)>& take) {
  const auto take_row = [&](TableId id, std::string_view row) {
    if (id == table.id) take(fields_of(row));
  };
  BackupReader::Memory memory;
  for (std::size_t i = 0; i < backup.index().frames.size(); ++i) {
    const std::vector<FrameRows>& parts = backup.index().frames[i].tables;
    if (std::ranges::find(parts, table.id, &FrameRows::table) != parts.end())
      read_sections(
          backup, i, memory, [](TableId, std::string_view) {}, take_row);
  }
}

std::map<TableId, Sample> read_samples(const BackupReader& backup, const std::set<TableId>& tables) {
  std::map<TableId, Sample> samples;
  std::set<TableId> here;  // that the frame is the first to hold
  const auto begin = [&](TableId table, std::string_view statement) {
    if (here.contains(table)) samples[table].statement = statement;
  };
  const auto take = [&](TableId table, std::string_view row) {
    if (!here.contains(table) || samples[table].is_complete()) return;
    samples[table].rows.emplace_back(row);
    samples[table].bytes += row.size();
  };
  BackupReader::Memory memory;
  for (std::size_t i = 0; i < backup.index().frames.size() && samples.size() < tables.size(); ++i) {
    here.clear();
    for (const FrameRows& part : backup.index().frames[i].tables) {
      if (tables.contains(part.table) && !samples.contains(part.table)) here.insert(part.table);
    }
    if (!here.empty()) read_sections(backup, i, memory, begin, take);
  }
  return samples;
}

}  // namespace pana
