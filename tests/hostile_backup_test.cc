// Backups that somebody crafted, with checksums that are all right: pana refuses them, runs nothing that is not in
// their SQL, and does not take the machine's memory.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <xxhash.h>

#include <fstream>
#include <functional>

#include "format/backup_writer.h"
#include "format/frame_builder.h"
#include "support/pana.h"

namespace pana::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class FileUpload : public ObjectUpload {
 public:
  explicit FileUpload(const fs::path& path) : file_(path, std::ios::binary) {}
  std::uint64_t part_bytes() const override { return 8 << 20; }
  void put(const Part& part, const std::stop_token&) override { file_ << part.bytes; }
  void complete(const std::stop_token&) override { file_.close(); }

 private:
  std::ofstream file_;
};

// The text of a plain backup with what an attacker may choose.
struct Crafted {
  std::string clean = "-- pana:drop DROP TABLE IF EXISTS public.t;\n";
  std::string pre_data = "CREATE TABLE public.t (a text);\n";
  std::string copy = "COPY public.t (a) FROM stdin;\n";
  std::string rows = "one\n";
  std::string large_object_line = {};
  std::string schema = "public";
  std::string table = "t";
  std::string encoding = "UTF8";
  std::vector<ConstraintIndex> constraint_indexes = {};
};

class HostileBackup : public EndToEnd {
 protected:
  void SetUp() override {
    EndToEnd::SetUp();
    if (IsSkipped()) return;
    url_ = fresh_database("attacked");
    cluster().sql("attacked", "CREATE SCHEMA precious; CREATE TABLE precious.victim AS SELECT 1 AS id");
  }

  fs::path path(const char* suffix = "sql") const {
    return backups_ / (std::string("backup_20000101_000000.") + suffix);
  }

  static std::string entry(const std::string& type, const std::string& name, const std::string& sql) {
    return fmt::format(
        "--\n-- TOC entry 1 (class 1259 OID 16385)\n-- Name: {}; Type: {}; Schema: public; Owner: "
        "postgres\n--\n\n{}\n\n",
        name, type, sql);
  }

  fs::path write(const Crafted& crafted, const Compression& compression = {}) const {
    const fs::path file = path(compression.enabled() ? "sql.zst" : "sql");
    FileUpload upload(file);
    BackupWriter writer(upload, compression);
    FrameBuilder frame(compression);
    const auto text = [&](Phase phase, std::string_view sql) {
      writer.begin_phase(phase);
      frame.add(sql);
      writer.append(frame.finish(phase), {});
    };
    text(Phase::preamble, "SET client_encoding = 'UTF8';\n");
    text(Phase::clean, crafted.clean);
    text(Phase::pre_data, entry("TABLE", "t", crafted.pre_data));
    writer.begin_phase(Phase::rows);
    FrameBuilder::Section section(frame, 1, crafted.copy);
    if (!crafted.rows.empty()) section.add(crafted.rows);
    section.end();
    writer.append(frame.finish(Phase::rows), {});
    if (!crafted.large_object_line.empty()) {
      frame.add_large_object_line(crafted.large_object_line);
      writer.append(frame.finish(Phase::rows), {});
    }
    text(Phase::post_data,
         entry("CONSTRAINT", "t t_pkey", "ALTER TABLE ONLY public.t ADD CONSTRAINT t_pkey PRIMARY KEY (a);"));
    text(Phase::postamble, "\n");
    std::vector<TableInfo> tables(crafted.large_object_line.empty() ? 1 : 2);
    tables[0] = {.id = 1,
                 .oid = 16385,
                 .schema = crafted.schema,
                 .name = crafted.table,
                 .columns = {"a"},
                 .constraint_indexes = crafted.constraint_indexes};
    if (tables.size() == 2) tables[1] = {.id = kLargeObjects, .name = "large objects"};
    writer.finish({.header = {.pana = "0",
                              .database = "d",
                              .server = "15.0",
                              .server_version_num = 150000,
                              .pg_dump = "15.0",
                              .encoding = crafted.encoding,
                              .snapshot_time = "2000-01-01T00:00:00Z",
                              .compression = compression.text()},
                   .tables = std::move(tables)},
                  {});
    upload.complete({});
    return file;
  }

  // A plain backup whose index was changed, with the checksums to it.
  fs::path write_with_index(const std::function<void(Index&)>& change) const {
    const fs::path file = write({});
    std::ifstream in(file, std::ios::binary);
    std::string text(std::istreambuf_iterator<char>(in), {});
    const std::size_t offset = text.rfind("-- pana:index ");
    Index index = parse_index(std::string_view(text).substr(offset));
    change(index);
    std::ofstream(file, std::ios::binary) << text.substr(0, offset) << write_index(index);
    return file;
  }

  Outcome restore(const fs::path& file, std::vector<std::string> options = {}) const {
    options.insert(options.begin(), {"restore", file, "--into", url_, "--allow-non-empty"});
    return pana(options);
  }

  // As a crafted backup has to end, and what must still be there.
  void expect_refused(const Outcome& outcome, const std::string& words) const {
    EXPECT_TRUE(ends_with(kDamaged, outcome));
    EXPECT_THAT(outcome.err, HasSubstr(words));
    EXPECT_EQ("1", cluster().sql("attacked", "SELECT count(*) FROM pg_class WHERE relname = 'victim'"));
    EXPECT_EQ("0", cluster().sql("attacked", "SELECT count(*) FROM pg_class WHERE relname = 'planted'"));
  }

  std::string url_;
};

constexpr const char* kPlant = "CREATE TABLE precious.planted ()";

TEST_F(HostileBackup, IsWrittenByTheseTestsSoThatOnlyTheAttackIsWrong) {
  EXPECT_TRUE(ends_with(kOk, pana({"verify", write({})})));
  EXPECT_TRUE(ends_with(kOk, restore(path())));
  EXPECT_EQ("one", cluster().sql("attacked", "SELECT a FROM t"));
}

TEST_F(HostileBackup, CannotMakeACopyStatementDoMore) {
  for (const std::string& statement : {
           fmt::format("COPY public.t (a) FROM stdin; {}; COPY public.t (a) FROM stdin;\n", kPlant),
           std::string("COPY public.t (a) FROM PROGRAM 'touch /tmp/planted'; COPY public.t (a) FROM stdin;\n"),
           std::string("COPY (SELECT * FROM t) TO PROGRAM $$true$$; COPY t FROM stdin;\n"),
           std::string("COPY public.t /* \" */ (a) FROM stdin; -- \" FROM stdin;\n"),
       }) {
    SCOPED_TRACE(statement);
    expect_refused(restore(write({.copy = statement}), {"--clean"}), "its COPY statement is malformed");
    expect_refused(restore(write({.copy = statement}, {.zstd_level = 1}), {"--clean"}),
                   "its COPY statement is malformed");
  }
}

TEST_F(HostileBackup, CannotMakeALargeObjectsLineDoMore) {
  for (const std::string& line : {
           fmt::format("SELECT pg_catalog.lo_put(1, 0, '\\x00'); {};\n", kPlant),
           std::string("SELECT pg_catalog.lo_put(1, 0, pg_read_binary_file('/etc/passwd'));\n"),
           std::string("SELECT pg_catalog.lo_put(1, length(pg_ls_dir('.')), '\\x00');\n"),
           std::string("SELECT pg_catalog.lo_put(1, 0, '\\x00' || '');\n"),
       }) {
    SCOPED_TRACE(line);
    expect_refused(restore(write({.large_object_line = line}), {"--clean"}), "neither COPY nor a large object");
  }
}

TEST_F(HostileBackup, CannotHideStatementsInComments) {
  for (const std::string& statement :
       {std::string(kPlant) + ";", std::string("DROP TABLE IF EXISTS public.t; DROP TABLE precious.victim;"),
        std::string("ALTER ROLE postgres RENAME TO owned;"),
        std::string("SELECT pg_catalog.lo_unlink(1); DROP SCHEMA precious CASCADE;")}) {
    SCOPED_TRACE(statement);
    expect_refused(restore(write({.clean = "-- pana:drop " + statement + "\n"}), {"--clean"}), "drops nothing");
  }
  const std::string create = "CREATE UNIQUE INDEX t_pkey ON public.t USING btree (a)";
  const std::string add = "ALTER TABLE ONLY public.t ADD CONSTRAINT t_pkey PRIMARY KEY USING INDEX t_pkey";
  EXPECT_TRUE(ends_with(kOk, restore(write({.constraint_indexes = {{16385, create, add}}}), {"--clean"})));
  for (const auto& [first, second] : {std::pair(create + "; " + kPlant, add), std::pair(create, add + "; " + kPlant),
                                      std::pair(std::string(kPlant), add),
                                      std::pair(create, std::string("ALTER TABLE precious.victim ADD id2 int"))}) {
    SCOPED_TRACE(first + " | " + second);
    expect_refused(restore(write({.constraint_indexes = {{16385, first, second}}}), {"--clean"}),
                   "a constraint's statements");
  }
  for (const std::string& encoding :
       {std::string("UTF8'; CREATE TABLE precious.planted (); --"), std::string("UTF8\n")}) {
    expect_refused(restore(write({.encoding = encoding}), {"--clean"}), "its encoding");
    expect_refused(pana({"verify", path(), "--against", url_}), "its encoding");
  }
}

TEST_F(HostileBackup, CannotActByItsNames) {
  const std::string name = "t\"; CREATE TABLE precious.planted (); --\n\\! touch planted\n\\.\n";
  std::string quoted = name;
  quoted.insert(quoted.find('"'), "\"");
  const Crafted crafted{.clean = "",
                        .pre_data = fmt::format("CREATE TABLE public.\"{}\" (a text);\n", quoted),
                        .copy = fmt::format("COPY public.\"{}\" (a) FROM stdin;\n", quoted),
                        .schema = "public",
                        .table = name};
  const fs::path file = write_with_index([](Index&) {});
  ASSERT_TRUE(ends_with(kOk, pana({"verify", file})));
  const Outcome outcome = restore(write(crafted), {"--keep-going"});
  EXPECT_EQ("0", cluster().sql("attacked", "SELECT count(*) FROM pg_class WHERE relname = 'planted'"));
  EXPECT_EQ("one", cluster().sql("attacked", fmt::format("SELECT a FROM public.\"{}\"", quoted)))
      << outcome.description();
}

TEST_F(HostileBackup, CannotPromiseWhatItsFramesDoNotHold) {
  const auto more_rows = [](Index& index) {
    index.tables[0].content.rows = 2;
    for (FrameInfo& frame : index.frames) {
      if (frame.phase == Phase::rows) frame.tables[0].rows = 2;
    }
  };
  EXPECT_TRUE(ends_with(kDamaged, pana({"verify", write_with_index(more_rows)})));
  // The server is asked how many rows it stored, whatever the file says.
  EXPECT_FALSE(restore(path(), {"--clean"}).succeeded());
  EXPECT_EQ("0", cluster().sql("attacked", "SELECT count(*) FROM t"));
  const auto fewer_sections = [](Index& index) {
    for (FrameInfo& frame : index.frames) frame.tables.clear();
    index.tables[0].content = {};
  };
  expect_refused(pana({"verify", write_with_index(fewer_sections)}), "");
  const auto endless = [](Index& index) { index.frames[0].bytes = ~std::uint64_t{0} - 5; };
  expect_refused(pana({"verify", write_with_index(endless)}), "");
  const auto longer = [](Index& index) {
    index.frames[0].bytes += 10;  // it would reach into the next
    index.frames[1].bytes -= 10;
  };
  expect_refused(pana({"verify", write_with_index(longer)}), "checksum");
}

// 300 MiB of blanks in a file of some KB; the limit is on the address space, as a small machine has it.
TEST_F(HostileBackup, CannotTakeTheMemory) {
  if (kSanitized) GTEST_SKIP() << "a sanitizer's own memory would be limited";
  write({.pre_data = std::string(std::size_t{300} << 20, ' ')}, {.zstd_level = 1});
  EXPECT_LT(fs::file_size(path("sql.zst")), 100'000u);
  Command command = pana_command({"restore", path("sql.zst"), "--into", url_, "--allow-non-empty"});
  command.argv.insert(command.argv.begin(), {"prlimit", "--as=300000000"});
  expect_refused(pana(command), "in memory");
}

}  // namespace
}  // namespace pana::test
