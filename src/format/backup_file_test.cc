// The format end to end, in memory: what BackupWriter writes, BackupReader reads, and every altered bit is found.
#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <mutex>

#include "base/error.h"
#include "format/backup_reader.h"
#include "format/backup_writer.h"
#include "format/frame_builder.h"
#include "format/row_frame_reader.h"

namespace pana {
namespace {

class MemoryUpload : public ObjectUpload {
 public:
  explicit MemoryUpload(std::uint64_t part_bytes) : part_bytes_(part_bytes) {}
  std::uint64_t part_bytes() const override { return part_bytes_; }
  void put(const Part& part, const std::stop_token&) override {
    const std::lock_guard lock(mutex_);
    parts[part.number] = {.offset = part.offset, .bytes = std::string(part.bytes), .is_last = part.is_last};
  }
  void complete(const std::stop_token&) override {}

  std::string bytes() const {
    std::string all;
    for (const auto& [number, part] : parts) all += part.bytes;
    return all;
  }

  struct StoredPart {
    std::uint64_t offset = 0;
    std::string bytes;
    bool is_last = false;
  };
  std::map<std::uint32_t, StoredPart> parts;

 private:
  std::mutex mutex_;
  std::uint64_t part_bytes_;
};

class MemoryObject : public ObjectReader {
 public:
  explicit MemoryObject(std::string bytes) : bytes_(std::move(bytes)) {}
  std::uint64_t size() const override { return bytes_.size(); }
  void read(std::uint64_t offset, std::span<char> into, const std::stop_token&) const override {
    read_bytes += into.size();
    if (offset + into.size() > bytes_.size()) throw Error(ErrorKind::damaged, "the object ends too early");
    std::memcpy(into.data(), bytes_.data() + offset, into.size());
  }

  mutable std::uint64_t read_bytes = 0;

 private:
  std::string bytes_;
};

// A backup whose index is long: of so many frames that each hold one row.
std::string write_long_backup(Compression compression, std::size_t frames) {
  MemoryUpload upload(1 << 20);
  BackupWriter writer(upload, compression);
  FrameBuilder frame(compression);
  writer.begin_phase(Phase::rows);
  for (std::size_t i = 0; i < frames; ++i) {
    FrameBuilder::Section section(frame, 1, "COPY public.a (i) FROM stdin;\n");
    section.add(std::to_string(i) + "\n");
    section.end();
    writer.append(frame.finish(Phase::rows), {});
  }
  std::vector<TableInfo> tables(1);
  tables[0].id = 1;
  writer.finish({.header = {.database = "long", .encoding = "UTF8"}, .tables = std::move(tables)}, {});
  return upload.bytes();
}

// A small backup with every phase, two tables and a large object.
std::string write_backup(Compression compression, MemoryUpload& upload) {
  BackupWriter writer(upload, compression);
  FrameBuilder frame(compression);
  const auto text = [&](Phase phase, std::string_view sql) {
    writer.begin_phase(phase);
    frame.add(sql);
    writer.append(frame.finish(phase), {});
  };
  text(Phase::preamble, "SET client_encoding = 'UTF8';\n");
  text(Phase::clean, "-- pana:drop DROP TABLE public.a;\n");
  text(Phase::pre_data, "CREATE TABLE public.a (i int);\nCREATE TABLE public.\"b\nc\" (t text);\n");
  writer.begin_phase(Phase::rows);
  FrameBuilder::Section a(frame, 1, "COPY public.a (i) FROM stdin;\n");
  for (int i = 0; i < 1000; ++i) a.add(std::to_string(i) + "\n");
  a.end();
  FrameBuilder::Section b(frame, 2, "COPY public.\"b\nc\" (t) FROM stdin;\n");
  b.add("\\\\.\n");
  b.end();
  writer.append(frame.finish(Phase::rows), {});
  frame.add_large_object_line("SELECT pg_catalog.lo_put(1, 0, '\\x00');\n");
  writer.append(frame.finish(Phase::rows), {});
  text(Phase::sequences, "SELECT pg_catalog.setval('public.s', 1, true);\n");
  text(Phase::post_data, "CREATE INDEX i ON public.a (i);\n");
  text(Phase::postamble, "\\unrestrict key\n");
  std::vector<TableInfo> tables(3);
  tables[0].id = 1;
  tables[0].name = "a";
  tables[1].id = 2;
  tables[1].name = "b\nc";
  tables[2].id = kLargeObjects;
  writer.finish({.header = {.database = "d\u00e4tabase", .encoding = "UTF8"}, .tables = std::move(tables)}, {});
  return upload.bytes();
}

std::string write_backup(Compression compression) {
  MemoryUpload upload(1000);
  return write_backup(compression, upload);
}

// Reads everything there is; throws what a thorough reader throws.
void read_all(const std::string& bytes) {
  const MemoryObject object(bytes);
  const BackupReader reader(object, {});
  BackupReader::Memory memory;
  for (std::size_t i = 0; i < reader.index().frames.size(); ++i)
    reader.read_frame(i, [](std::string_view) {}, memory, {});
}

class BackupFile : public testing::TestWithParam<Compression> {};

INSTANTIATE_TEST_SUITE_P(Forms, BackupFile, testing::Values(Compression{}, Compression{.zstd_level = 1}),
                         [](const auto& form) { return form.param.enabled() ? "Compressed" : "Plain"; });

TEST_P(BackupFile, IsReadAsItWasWritten) {
  const MemoryObject object(write_backup(GetParam()));
  const BackupReader reader(object, {});
  EXPECT_EQ(reader.compressed(), GetParam().enabled());
  EXPECT_EQ(reader.index().header.database, "d\u00e4tabase");
  ASSERT_EQ(reader.index().frames.size(), 8U);
  EXPECT_EQ(reader.index().rows(), 1001U);
  EXPECT_EQ(reader.index().table(kLargeObjects)->content.rows, 1U);
  EXPECT_EQ(reader.read_phase(Phase::post_data), "CREATE INDEX i ON public.a (i);\n");
  RowDigest digest;
  digest.add("\\\\.");
  EXPECT_EQ(reader.index().table(2)->content, digest);
}

TEST_P(BackupFile, CutsEqualPartsWithNumbersFromOne) {
  MemoryUpload upload(1000);
  write_backup(GetParam(), upload);
  std::uint32_t number = 1;
  for (const auto& [key, part] : upload.parts) {
    EXPECT_EQ(key, number);
    EXPECT_EQ(part.is_last, number == upload.parts.size());
    EXPECT_EQ(part.offset, 1000U * (number - 1));
    EXPECT_TRUE(part.bytes.size() == 1000U || number == upload.parts.size());
    ++number;
  }
  EXPECT_GT(number, 2U);
}

TEST_P(BackupFile, EveryFlippedBitIsFound) {
  const std::string whole = write_backup(GetParam());
  for (std::size_t i = 0; i < whole.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string altered = whole;
      altered[i] = static_cast<char>(altered[i] ^ 1 << bit);
      EXPECT_THROW(read_all(altered), Error) << "byte " << i << " of " << whole.size() << " bit " << bit;
    }
  }
}

TEST_P(BackupFile, EveryTruncationIsFound) {
  const std::string whole = write_backup(GetParam());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_THROW(read_all(whole.substr(0, size)), Error) << size;
  }
  EXPECT_THROW(read_all(whole + "\n"), Error);
}

TEST_P(BackupFile, NamesTheDamagedFrame) {
  std::string bytes = write_backup(Compression{});
  bytes[bytes.find("500\n")] = '6';
  try {
    read_all(bytes);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::damaged);
    EXPECT_NE(std::string(error.what()).find("frame 4 of 8"), std::string::npos) << error.what();
  }
}

TEST_P(BackupFile, IsSummedUpAsItsIndexSays) {
  for (const std::string& bytes : {write_backup(GetParam()), write_long_backup(GetParam(), 20'000)}) {
    const MemoryObject object(bytes);
    const Index index = BackupReader(object, {}).index();
    const auto summary = read_summary(object, {});
    ASSERT_TRUE(summary.has_value());
    EXPECT_EQ(summary->header.database, index.header.database);
    EXPECT_EQ(summary->totals, index.totals());
  }
}

TEST_P(BackupFile, IsSummedUpWithoutReadingALongIndex) {
  const MemoryObject object(write_long_backup(GetParam(), 20'000));
  ASSERT_TRUE(read_summary(object, {}).has_value());
  EXPECT_LE(object.read_bytes, (64U << 10) + 100 + (GetParam().enabled() ? 20'002U * 12 + 17 : 0));
}

// What is cut off, missing in the middle or too much is no whole backup, however long the index.
TEST_P(BackupFile, IsNotSummedUpWhenItLacksBytes) {
  const std::string whole = write_long_backup(GetParam(), 5'000);
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, whole.size() / 2, whole.size() - 1}) {
    EXPECT_THROW(read_summary(MemoryObject(whole.substr(0, size)), {}), Error) << size;
  }
  EXPECT_THROW(read_summary(MemoryObject(whole + "\n"), {}), Error);
  for (const std::size_t hole : {std::size_t{0}, std::size_t{1'000}, whole.size() / 8}) {
    EXPECT_THROW(read_summary(MemoryObject(std::string(whole).erase(hole, 1)), {}), Error) << hole;
    EXPECT_THROW(read_summary(MemoryObject(std::string(whole).insert(hole, "x")), {}), Error) << hole;
  }
}

TEST(BackupFileForms, DecompressedIsByteForByteThePlainBackup) {
  const std::string compressed = write_backup(Compression{.zstd_level = 1});
  // Every zstd decodes concatenated frames and skips the seek table.
  std::string plain;
  std::string buffer(1 << 20, '\0');
  ZSTD_DCtx* const context = ZSTD_createDCtx();
  ZSTD_inBuffer in{compressed.data(), compressed.size(), 0};
  while (in.pos < in.size) {
    ZSTD_outBuffer out{buffer.data(), buffer.size(), 0};
    ASSERT_FALSE(ZSTD_isError(ZSTD_decompressStream(context, &out, &in)));
    plain.append(buffer, 0, out.pos);
  }
  ZSTD_freeDCtx(context);
  EXPECT_EQ(plain, write_backup(Compression{}));
}

TEST(BackupWriter, KeepsFramesBackUntilTheirPhaseIsOpen) {
  MemoryUpload upload(1000);
  BackupWriter writer(upload, {});
  FrameBuilder frame({});
  frame.add("too early");
  std::stop_source stop;
  stop.request_stop();
  EXPECT_THROW(writer.append(frame.finish(Phase::rows), stop.get_token()), Error);
  EXPECT_EQ(writer.stored_bytes(), 0U);
}

TEST(RowFrameReader, TakesApartWhatArrivesInPiecesOfAnySize) {
  const std::string text = "COPY public.\"a\nb\"\"c\" (i) FROM stdin;\n1\n\\N\n\\.\n\nCOPY t FROM stdin;\n\n\\.\n\n";
  for (std::size_t piece = 1; piece <= text.size(); ++piece) {
    std::string seen;
    const RowFrameHandler handler{.begin_copy = [&](std::string_view s) { seen += "<" + std::string(s) + ">"; },
                                  .row = [&](std::string_view r) { seen += "[" + std::string(r) + "]"; },
                                  .end_copy = [&] { seen += "."; },
                                  .large_object_line = [](std::string_view) {}};
    RowFrameReader reader(handler);
    for (std::size_t i = 0; i < text.size(); i += piece) reader.feed(std::string_view(text).substr(i, piece));
    reader.finish();
    EXPECT_EQ(seen, "<COPY public.\"a\nb\"\"c\" (i) FROM stdin;>[1\n][\\N\n].<COPY t FROM stdin;>[\n].");
  }
}

TEST(RowFrameReader, RefusesALineThatPostgresCannotHaveSent) {
  const RowFrameHandler handler{.begin_copy = [](std::string_view) {},
                                .row = [](std::string_view) {},
                                .end_copy = [] {},
                                .large_object_line = [](std::string_view) {}};
  RowFrameReader reader(handler);
  reader.feed("COPY t FROM stdin;\n");
  const std::string piece(std::size_t{64} << 20, ' ');
  for (int mebibytes = 0; mebibytes < 1024; mebibytes += 64) reader.feed(piece);
  EXPECT_THROW(reader.feed(piece), Error);
}

TEST(RowFrameReader, RefusesWhatIsNoRowFrame) {
  const RowFrameHandler handler{.begin_copy = [](std::string_view) {},
                                .row = [](std::string_view) {},
                                .end_copy = [] {},
                                .large_object_line = [](std::string_view) {}};
  EXPECT_THROW(RowFrameReader(handler).feed("DROP TABLE a;\n"), Error);
  EXPECT_THROW(RowFrameReader(handler).feed("COPY t FROM '/etc/passwd';\n"), Error);
  EXPECT_THROW(RowFrameReader(handler).feed("COPY t (a) FROM stdin; DROP TABLE t; COPY t (a) FROM stdin;\n"), Error);
  EXPECT_THROW(RowFrameReader(handler).feed("COPY FROM stdin;\n"), Error);
  EXPECT_THROW(RowFrameReader(handler).feed("SELECT pg_catalog.lo_put(1, 0, '\\x00'); DROP TABLE t;\n"), Error);
  RowFrameReader unfinished(handler);
  unfinished.feed("COPY t FROM stdin;\n1\n");
  EXPECT_THROW(unfinished.finish(), Error);
}

}  // namespace
}  // namespace pana
