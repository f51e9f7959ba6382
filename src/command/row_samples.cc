#include "command/row_samples.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/human.h"
#include "format/row_frame_reader.h"
#include "sql/copy_columns.h"

namespace pana {

std::string ColumnContent::text() const {
  if (values == 0) return "empty in every row";
  return differ ? counted(values, "value") : fmt::format("the same value in {}", counted(values, "row"));
}

std::vector<ColumnContent> read_columns(const BackupReader& backup, const TableInfo& table,
                                        const std::vector<bool>& kept) {
  std::vector<ColumnContent> contents(kept.size());
  BackupReader::Memory memory;
  for (std::size_t i = 0; i < backup.index().frames.size(); ++i) {
    const std::vector<FrameRows>& parts = backup.index().frames[i].tables;
    if (std::ranges::find(parts, table.id, &FrameRows::table) == parts.end()) continue;
    std::size_t section = 0;
    const RowFrameHandler handler{.begin_copy = [](std::string_view) {},
                                  .row =
                                      [&](std::string_view row) {
                                        if (section >= parts.size() || parts[section].table != table.id) return;
                                        const std::vector<std::string_view> fields = fields_of(row);
                                        for (std::size_t column = 0; column < std::min(kept.size(), fields.size());
                                             ++column) {
                                          if (kept[column] || fields[column] == "\\N") continue;
                                          ColumnContent& content = contents[column];
                                          if (content.values++ == 0) content.first = fields[column];
                                          content.differ = content.differ || content.first != fields[column];
                                        }
                                      },
                                  .end_copy = [&section] { ++section; },
                                  .large_object_line = [](std::string_view) {}};
    RowFrameReader reader(handler);
    backup.read_frame(i, [&reader](std::string_view text) { reader.feed(text); }, memory, {});
    reader.finish();
  }
  return contents;
}

std::map<TableId, Sample> read_samples(const BackupReader& backup, const std::set<TableId>& tables) {
  std::map<TableId, Sample> samples;
  BackupReader::Memory memory;
  for (std::size_t i = 0; i < backup.index().frames.size() && samples.size() < tables.size(); ++i) {
    const std::vector<FrameRows>& parts = backup.index().frames[i].tables;
    const auto is_asked_for = [&](const FrameRows& part) {
      return tables.contains(part.table) && !samples.contains(part.table);
    };
    std::set<TableId> here;
    for (const FrameRows& part : parts) {
      if (is_asked_for(part)) here.insert(part.table);
    }
    if (here.empty()) continue;
    std::size_t section = 0;
    Sample* sample = nullptr;
    const RowFrameHandler handler{.begin_copy =
                                      [&](std::string_view statement) {
                                        const bool counts =
                                            section < parts.size() && here.contains(parts[section].table);
                                        sample = counts ? &samples[parts[section].table] : nullptr;
                                        if (sample != nullptr) sample->statement = statement;
                                      },
                                  .row =
                                      [&](std::string_view row) {
                                        if (sample == nullptr || sample->is_complete()) return;
                                        sample->rows.emplace_back(row);
                                        sample->bytes += row.size();
                                      },
                                  .end_copy = [&] { ++section; },
                                  .large_object_line = [](std::string_view) {}};
    RowFrameReader reader(handler);
    backup.read_frame(i, [&reader](std::string_view text) { reader.feed(text); }, memory, {});
    reader.finish();
  }
  return samples;
}

}  // namespace pana
