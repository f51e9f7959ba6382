// A backup that was altered in any place is found out, and what is damaged is named.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <random>
#include <sstream>

#include "support/pana.h"

namespace pana::test {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

struct Span {
  std::size_t offset = 0;
  std::size_t length = 0;
};

// The frames of a plain backup, as its index says: their lengths, in the order of the file.
std::vector<Span> frames_of(const std::string& backup) {
  std::vector<Span> frames;
  std::size_t offset = 0;
  std::istringstream index(backup.substr(backup.rfind("-- pana:index ")));
  const std::string mark = "-- pana:frame ";
  for (std::string line; std::getline(index, line);) {
    if (!line.starts_with(mark)) continue;
    const std::size_t length = nlohmann::json::parse(line.substr(mark.size())).at("bytes");
    frames.push_back({offset, length});
    offset += length;
  }
  return frames;
}

class Damage : public EndToEnd {
 protected:
  void SetUp() override {
    EndToEnd::SetUp();
    if (IsSkipped()) return;
    fresh_database("precious");
    cluster().sql("precious",
                  "CREATE TABLE orders AS SELECT i AS id, md5(i::text) AS t FROM generate_series(1, 3000) AS i;"
                  "CREATE TABLE marked AS SELECT 'a mark to be found' AS t;"
                  "CREATE TABLE empty (); CREATE SEQUENCE numbers; SELECT lo_from_bytea(0, 'large object');"
                  "CREATE INDEX ON orders (t);");
  }

  std::string intact(const std::string& compression) const {
    return read_file(back_up("precious", {"--compression", compression}));
  }

  Outcome verify(const std::string& content, const std::string& compression) const {
    const fs::path file =
        damaged_.path() / (compression == "none" ? "backup_20000101_000000.sql" : "backup_20000101_000000.sql.zst");
    std::ofstream(file, std::ios::binary) << content;
    return pana({"verify", file});
  }

  TemporaryDirectory damaged_;
};

class DamageInBothForms : public Damage, public testing::WithParamInterface<const char*> {};
INSTANTIATE_TEST_SUITE_P(Forms, DamageInBothForms, testing::Values("none", "zstd"));

TEST_P(DamageInBothForms, OfASingleBitIsFound) {
  const std::string original = intact(GetParam());
  ASSERT_TRUE(ends_with(kOk, verify(original, GetParam())));
  const unsigned seed = std::random_device()();
  std::mt19937 random(seed);
  // The first and the last bytes are the ones with the most meaning each; the rest is sampled.
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < 40; ++i) places.push_back(i);
  for (std::size_t i = 1; i <= 120; ++i) places.push_back(original.size() - i);
  for (int i = 0; i < 100; ++i) places.push_back(random() % original.size());
  for (const std::size_t place : places) {
    const int bit = static_cast<int>(random() % 8);
    std::string altered = original;
    altered[place] = static_cast<char>(altered[place] ^ (1 << bit));
    const Outcome outcome = verify(altered, GetParam());
    EXPECT_TRUE(ends_with(kDamaged, outcome))
        << fmt::format("seed {}, bit {} of byte {} of {}", seed, bit, place, original.size());
    EXPECT_FALSE(outcome.err.empty());
  }
}

TEST_P(DamageInBothForms, ByTruncationOrDoublingIsFound) {
  const std::string original = intact(GetParam());
  std::mt19937 random(1);
  for (int i = 0; i < 30; ++i) {
    const std::size_t length = i == 0 ? original.size() - 1 : random() % original.size();
    EXPECT_TRUE(ends_with(kDamaged, verify(original.substr(0, length), GetParam())))
        << length << " of " << original.size();
  }
  for (int i = 0; i < 30; ++i) {
    const std::size_t begin = random() % original.size();
    const std::size_t length = 1 + random() % (original.size() - begin);
    std::string doubled = original;
    doubled.insert(begin + length, original.substr(begin, length));
    EXPECT_TRUE(ends_with(kDamaged, verify(doubled, GetParam())))
        << fmt::format("{} bytes at {} of {}", length, begin, original.size());
  }
  EXPECT_TRUE(ends_with(kDamaged, verify(original + "\n", GetParam())));
  EXPECT_TRUE(ends_with(kDamaged, verify(original + std::string(512, '\0'), GetParam())));
  EXPECT_TRUE(ends_with(kDamaged, verify(original + original, GetParam())));
}

TEST_F(Damage, ByALostDoubledOrMovedFrameIsFound) {
  const std::string original = intact("none");
  const std::vector<Span> frames = frames_of(original);
  ASSERT_GE(frames.size(), 4U);
  for (const Span& frame : frames) {
    std::string lost = original;
    lost.erase(frame.offset, frame.length);
    EXPECT_TRUE(ends_with(kDamaged, verify(lost, "none"))) << "lost: frame at " << frame.offset;
    std::string doubled = original;
    doubled.insert(frame.offset, original.substr(frame.offset, frame.length));
    EXPECT_TRUE(ends_with(kDamaged, verify(doubled, "none"))) << "doubled: frame at " << frame.offset;
  }
  for (std::size_t i = 0; i + 1 < frames.size(); ++i) {
    const Span& one = frames[i];
    const Span& two = frames[i + 1];
    const std::string moved = original.substr(0, one.offset) + original.substr(two.offset, two.length) +
                              original.substr(one.offset, one.length) + original.substr(two.offset + two.length);
    if (moved == original) continue;
    EXPECT_TRUE(ends_with(kDamaged, verify(moved, "none"))) << "swapped: frame " << i;
  }
}

TEST_F(Damage, OfARowNamesItsTable) {
  std::string altered = intact("none");
  const std::size_t place = altered.find("a mark to be found");
  ASSERT_NE(std::string::npos, place);
  altered[place] = 'A';
  const Outcome outcome = verify(altered, "none");
  EXPECT_TRUE(ends_with(kDamaged, outcome));
  EXPECT_THAT(outcome.out + outcome.err, HasSubstr("marked"));
}

TEST_F(Damage, NoBackupAtAllIsSaidToBeNone) {
  EXPECT_TRUE(ends_with(kDamaged, verify("", "none")));
  EXPECT_TRUE(ends_with(kDamaged, verify("", "zstd")));
  EXPECT_TRUE(ends_with(kDamaged, verify("SELECT 1;\n", "none")));
  EXPECT_TRUE(ends_with(kDamaged, verify(std::string(100000, 'x'), "zstd")));
  EXPECT_TRUE(ends_with(kDamaged, verify(cluster().pg_dump({}, "precious"), "none")));
  EXPECT_NE(kOk, pana({"verify", damaged_ / "absent.sql"}).exit_status);
}

TEST_F(Damage, IsFoundByARestoreBeforeItIsCalledASuccess) {
  const std::string original = intact("none");
  const fs::path file = damaged_ / "backup_20000101_000000.sql";
  std::ofstream(file, std::ios::binary) << original.substr(0, original.size() - 10);
  const std::string url = fresh_database("restored");
  EXPECT_TRUE(ends_with(kDamaged, pana({"restore", file, "--into", url})));
  EXPECT_EQ("0",
            cluster().sql("restored", "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"));

  std::string altered = original;
  altered[altered.find("a mark to be found")] = 'A';
  std::ofstream(file, std::ios::binary) << altered;
  EXPECT_TRUE(ends_with(kDamaged, pana({"restore", file, "--into", fresh_database("restored")})));
}

TEST_F(Damage, OfADefinitionIsFoundBeforeAnythingIsChanged) {
  std::string content = intact("none");
  content[content.find("CREATE TABLE public.orders")] = 'D';
  const fs::path file = damaged_ / "backup_20000101_000000.sql";
  std::ofstream(file, std::ios::binary) << content;
  const std::string url = fresh_database("restored");
  cluster().sql("restored", "CREATE TABLE orders AS SELECT 'of the target' AS t");
  for (const std::vector<std::string>& options :
       std::vector<std::vector<std::string>>{{}, {"--clean"}, {"--clean", "--keep-going"}}) {
    std::vector<std::string> arguments = {"restore", file, "--into", url};
    arguments.insert(arguments.end(), options.begin(), options.end());
    const Outcome outcome = pana(arguments);
    EXPECT_TRUE(ends_with(kDamaged, outcome));
    EXPECT_THAT(outcome.err, HasSubstr("the definitions are damaged, and nothing was changed: restore another backup"));
    EXPECT_EQ("of the target", cluster().sql("restored", "SELECT t FROM orders"));
  }
}

// The day for which --keep-going exists: of a frame that is damaged nothing is believed, all else comes back.
TEST_F(Damage, CostsARestoreThatKeepsGoingOneFrame) {
  cluster().sql(
      "precious",
      "CREATE TABLE large AS SELECT i AS id, repeat(md5(i::text), 20) AS t FROM generate_series(1, 20000) AS i;"
      "CREATE INDEX large_id ON large (id); SELECT setval('numbers', 77)");
  std::string content = intact("none");
  content[content.find(cluster().sql("precious", "SELECT repeat(md5('10000'), 20)"))] ^= 1;
  const fs::path file = damaged_.path() / "backup_20000101_000000.sql";
  std::ofstream(file, std::ios::binary) << content;
  const std::string target = fresh_database("rest");
  EXPECT_TRUE(ends_with(kDamaged, pana({"restore", file, "--into", target})));
  const Outcome outcome = pana({"restore", file, "--into", target, "--clean", "--keep-going"});
  EXPECT_TRUE(ends_with(kFailed, outcome));
  const std::string missing = cluster().sql("rest", "SELECT 20000 - count(*) FROM large");
  ASSERT_EQ(missing.size(), 4U) << "a frame is about 4 MiB: " << missing;
  EXPECT_THAT(outcome.err,
              HasSubstr("rows are missing, " + missing.substr(0, 1) + "," + missing.substr(1) + " of public.large: "));
  EXPECT_EQ("0|3000|77|1",
            cluster().sql(
                "rest",
                "SELECT (SELECT count(*) FROM large WHERE id = 10000), (SELECT count(*) FROM orders), "
                "(SELECT last_value FROM numbers), (SELECT count(*) FROM pg_indexes WHERE indexname = 'large_id')"));
}

// Rows go to the server while they are decompressed: the damage is found in the middle of a COPY.
TEST_F(Damage, OfACompressedFrameCostsItsRowsAlone) {
  cluster().sql(
      "precious",
      "CREATE TABLE large AS SELECT i AS id, repeat(md5(i::text), 4) AS t FROM generate_series(1, 200000) AS i;"
      "CREATE INDEX large_id ON large (id); SELECT setval('numbers', 77)");
  std::string content = intact("zstd");
  for (std::size_t i = 0; i < 4; ++i) content[content.size() / 2 + i] ^= 0x55;
  const fs::path file = damaged_.path() / "backup_20000101_000000.sql.zst";
  std::ofstream(file, std::ios::binary) << content;
  for (const std::string jobs : {"1", "4"}) {
    const Outcome outcome = pana({"restore", file, "--into", fresh_database("rest"), "--keep-going", "--jobs", jobs});
    EXPECT_TRUE(ends_with(kFailed, outcome));
    EXPECT_THAT(outcome.err, AllOf(HasSubstr("rows are missing, "), HasSubstr(" of public.large: "),
                                   Not(HasSubstr("already in progress"))));
    EXPECT_EQ("t|3000|1|77|1",
              cluster().sql(
                  "rest",
                  "SELECT (SELECT count(*) BETWEEN 100000 AND 199999 FROM large), (SELECT count(*) FROM orders), "
                  "(SELECT count(*) FROM marked), "
                  "(SELECT last_value FROM numbers), (SELECT count(*) FROM pg_indexes WHERE indexname = 'large_id')"));
  }
}

// Such rows come in one COPY, for they refer to each other: without a damaged frame's, the rest is tried frame by
// frame.
TEST_F(Damage, OfATableThatRefersToItselfCostsOnlyWhatRefersToIt) {
  cluster().sql(
      "precious",
      "CREATE TABLE tree (id int PRIMARY KEY, parent int REFERENCES tree, t text);"
      "INSERT INTO tree SELECT i, greatest(i / 100, 1), repeat(md5(i::text), 20) FROM generate_series(1, 40000) AS i");
  std::string content = intact("none");
  content[content.find(cluster().sql("precious", "SELECT repeat(md5('20000'), 20)"))] ^= 1;
  const fs::path file = damaged_.path() / "backup_20000101_000000.sql";
  std::ofstream(file, std::ios::binary) << content;
  const std::string target = fresh_database("rest");
  ASSERT_TRUE(ends_with(kOk, pana({"restore", file, "--into", target, "--schema-only"})));
  const Outcome outcome = pana({"restore", file, "--into", target, "--data-only", "--keep-going"});
  EXPECT_TRUE(ends_with(kFailed, outcome));
  const std::string missing = cluster().sql("rest", "SELECT to_char(40000 - count(*), 'FM999,999') FROM tree");
  EXPECT_EQ(missing.size(), 5U) << "a frame is about 4 MiB: " << missing;
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("rows are missing, " + missing + " of public.tree: "),
                                 HasSubstr("1 object could not be restored")));
}

}  // namespace
}  // namespace pana::test
