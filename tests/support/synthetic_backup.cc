#include "support/synthetic_backup.h"

#include <fmt/format.h>

#include <fstream>
#include <map>

#include "command/plan.h"
#include "format/backup_writer.h"
#include "format/frame_builder.h"

namespace pana::test {
namespace {

constexpr std::uint64_t kTerabyte = 1'000'000'000'000;
constexpr TableId kSyntheticTables = 500;
constexpr std::uint64_t kRowsOfAFrame = 61'200;

class MemoryUpload : public ObjectUpload {
 public:
  std::uint64_t part_bytes() const override { return 1 << 20; }
  void put(const Part& part, const std::stop_token&) override {
    bytes += part.bytes;
  }  // the writer of these backups has one thread
  void complete(const std::stop_token&) override {}

  std::string bytes;
};

std::uint64_t frame_count() { return kTerabyte / frame_bytes_for(kTerabyte); }

// Checksums and lengths look as random as real ones: they are most of what an index weighs when it is compressed.
FrameInfo frame(std::uint64_t number) {
  const std::uint64_t random = (number + 1) * 0x9E3779B97F4A7C15;
  const auto table = static_cast<TableId>(1 + number % kSyntheticTables);
  return {.phase = Phase::rows,
          .bytes = frame_bytes_for(kTerabyte) + random % 65'536,
          .xxh64 = random,
          .tables = {{.table = table, .rows = kRowsOfAFrame + random % 1'000}}};
}

std::vector<TableInfo> tables() {
  std::vector<TableInfo> tables(kSyntheticTables);
  for (TableId id = 1; TableInfo & table : tables) {
    table.id = id++;
    table.oid = 16'384 + table.id;
    table.schema = "public";
    table.name = fmt::format("table_number_{}", table.id);
    for (int column = 0; column < 12; ++column) table.columns.push_back(fmt::format("column_{}", column));
  }
  return tables;
}

Index terabyte_index() {
  Index index{.header = {.database = "small", .encoding = "UTF8"}, .tables = tables()};
  for (std::uint64_t i = 0; i < frame_count(); ++i) {
    index.frames.push_back(frame(i));
    const FrameRows& rows = index.frames.back().tables.front();
    index.tables.at(rows.table - 1).content.rows += rows.rows;
  }
  return index;
}

}  // namespace

std::string tiny_backup(IndexHeader header) {
  if (header.database.empty()) header.database = "small";
  MemoryUpload upload;
  BackupWriter writer(upload, {});
  FrameBuilder builder({});
  writer.begin_phase(Phase::rows);
  FrameBuilder::Section section(builder, 1, "COPY public.t (i) FROM stdin;\n");
  section.add("1\n");
  section.end();
  writer.append(builder.finish(Phase::rows), {});
  std::vector<TableInfo> tables(1);
  tables[0].id = 1;
  tables[0].schema = "public";
  tables[0].name = "t";
  tables[0].columns = {"i"};
  header.encoding = "UTF8";
  writer.finish({.header = std::move(header), .tables = std::move(tables)}, {});
  return upload.bytes;
}

IndexTotals terabyte_totals() {
  static const IndexTotals totals = terabyte_index().totals();
  return totals;
}

std::string terabyte_backup() {
  MemoryUpload upload;
  BackupWriter writer(upload, {.zstd_level = 1});
  writer.begin_phase(Phase::rows);
  for (std::uint64_t i = 0; i < frame_count(); ++i) {
    const FrameInfo info = frame(i);
    writer.append({.info = info, .encoded = "x", .digests = {{info.tables[0].table, {.rows = info.tables[0].rows}}}},
                  {});
  }
  writer.finish({.header = {.database = "small", .encoding = "UTF8"}, .tables = tables()}, {});
  return upload.bytes;
}

void write_plain_terabyte(const std::filesystem::path& path) {
  static const std::string index = write_index(terabyte_index());
  std::ofstream(path, std::ios::binary).close();
  std::filesystem::resize_file(path, terabyte_totals().text_bytes);
  std::ofstream(path, std::ios::binary | std::ios::app) << index;
}

}  // namespace pana::test
