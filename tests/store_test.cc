// What every store promises, tried on each of them.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <thread>

#include "base/error.h"
#include "store/directory_store.h"
#include "store/s3_store.h"
#include "support/s3_server.h"
#include "support/temporary_directory.h"

namespace pana::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::uint64_t kPartBytes = 5 << 20;

enum class Kind { directory, stand_in, swift, radosgw };

std::string name_of(const testing::TestParamInfo<Kind>& info) {
  switch (info.param) {
    case Kind::directory: return "Directory";
    case Kind::stand_in: return "StandIn";
    case Kind::swift: return "Swift";
    case Kind::radosgw: return "Radosgw";
  }
  return "";
}

std::optional<std::string> missing(Kind kind) {
  switch (kind) {
    case Kind::directory: return std::nullopt;
    case Kind::stand_in: return S3Server::stand_in_missing();
    case Kind::swift: return S3Server::swift_missing();
    case Kind::radosgw: return S3Server::radosgw_missing();
  }
  return std::nullopt;
}

std::string bytes_of(std::size_t count) {
  std::string bytes(count, '\0');
  std::uint32_t state = 1;
  for (char& byte : bytes) byte = static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
  return bytes;
}

std::vector<Part> parts_of(const std::string& bytes, std::uint64_t part_bytes) {
  std::vector<Part> parts;
  for (std::uint64_t offset = 0; offset < bytes.size(); offset += part_bytes) {
    parts.push_back({.number = static_cast<std::uint32_t>(parts.size() + 1),
                     .offset = offset,
                     .bytes = std::string_view(bytes).substr(offset, part_bytes),
                     .is_last = bytes.size() - offset <= part_bytes});
  }
  return parts;
}

S3Server& server_of(Kind kind) {
  switch (kind) {
    case Kind::swift: return S3Server::swift();
    case Kind::radosgw: return S3Server::radosgw();
    default: return S3Server::stand_in();
  }
}

class Store : public testing::TestWithParam<Kind> {
 protected:
  void SetUp() override {
    if (const auto reason = missing(GetParam())) GTEST_SKIP() << *reason;
    if (GetParam() == Kind::directory) {
      store_ = std::make_unique<DirectoryStore>(directory_ / "backups");
      return;
    }
    S3Server& server = server_of(GetParam());
    environment_ = std::make_unique<Environment>(server.environment());
    static int count = 0;
    bucket_ = fmt::format("store-{}", ++count);
    if (GetParam() == Kind::stand_in) {
      server.set_faults(nlohmann::json::array());
    } else {
      server.create_bucket(bucket_);
    }
    store_ = std::make_unique<S3Store>("s3://" + bucket_ + "/a prefix/+ü%&='", S3Options{.part_bytes = kPartBytes},
                                       std::stop_token());
    neighbour_ = std::make_unique<S3Store>("s3://" + bucket_ + "/a prefix/+ü%&='2", S3Options{}, std::stop_token());
  }

  void upload(ObjectStore& store, const std::string& key, const std::string& bytes) {
    const std::unique_ptr<ObjectUpload> upload = store.begin_upload(key, bytes.size());
    for (const Part& part : parts_of(bytes, upload->part_bytes())) upload->put(part, {});
    upload->complete({});
  }

  std::string download(const std::string& key) {
    const std::unique_ptr<ObjectReader> reader = store_->open(key);
    std::string bytes(reader->size(), '\0');
    reader->read(0, bytes, {});
    return bytes;
  }

  std::vector<std::string> keys() {
    std::vector<std::string> keys;
    for (const ObjectInfo& object : store_->list()) keys.push_back(object.key);
    return keys;
  }

  ErrorKind kind_of_failure(const std::function<void()>& action) {
    try {
      action();
    } catch (const Error& error) {
      return error.kind();
    }
    ADD_FAILURE() << "nothing was thrown";
    return ErrorKind::failed;
  }

  TemporaryDirectory directory_;
  std::unique_ptr<Environment> environment_;
  std::string bucket_;
  std::unique_ptr<ObjectStore> store_;
  std::unique_ptr<ObjectStore> neighbour_;
};

TEST_P(Store, KeepsSmallAndLargeObjects) {
  const std::string small = "one line\n";
  const std::string exact = bytes_of(kPartBytes);
  const std::string large = bytes_of(2 * kPartBytes + 12'345);
  upload(*store_, "small", small);
  upload(*store_, "exact", exact);
  upload(*store_, "large", large);
  EXPECT_EQ(download("small"), small);
  EXPECT_TRUE(download("exact") == exact);
  EXPECT_TRUE(download("large") == large);
  EXPECT_THAT(keys(), ElementsAre("exact", "large", "small"));
  EXPECT_EQ(store_->list().at(1).bytes, large.size());
  EXPECT_THAT(store_->describe("small"), HasSubstr("small"));
}

TEST_P(Store, TakesPartsInAnyOrderFromSeveralThreads) {
  const std::string bytes = bytes_of(4 * kPartBytes + 1);
  const std::unique_ptr<ObjectUpload> upload = store_->begin_upload("threads", bytes.size());
  const std::vector<Part> parts = parts_of(bytes, upload->part_bytes());
  std::vector<std::thread> threads;
  for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
    threads.emplace_back([&upload, part] { upload->put(*part, {}); });
  }
  for (std::thread& thread : threads) thread.join();
  upload->complete({});
  EXPECT_TRUE(download("threads") == bytes);
}

TEST_P(Store, ShowsNothingBeforeAnUploadIsComplete) {
  {
    const std::string bytes = bytes_of(kPartBytes + 1);
    const std::unique_ptr<ObjectUpload> upload = store_->begin_upload("abandoned", bytes.size());
    for (const Part& part : parts_of(bytes, upload->part_bytes())) upload->put(part, {});
    EXPECT_THAT(keys(), IsEmpty());
  }
  EXPECT_THAT(keys(), IsEmpty());
  upload(*store_, "abandoned", "the key is free");
  EXPECT_EQ(download("abandoned"), "the key is free");
}

TEST_P(Store, NeverOverwrites) {
  upload(*store_, "taken", "first");
  EXPECT_EQ(kind_of_failure([&] { store_->begin_upload("taken", 0); }), ErrorKind::refused);
  EXPECT_EQ(download("taken"), "first");
}

TEST_P(Store, ReadsRangesAndNothingBehindTheEnd) {
  const std::string bytes = bytes_of(100'000);
  upload(*store_, "ranges", bytes);
  const std::unique_ptr<ObjectReader> reader = store_->open("ranges");
  EXPECT_EQ(reader->size(), bytes.size());
  for (const auto& [offset, length] :
       {std::pair<std::size_t, std::size_t>{0, 1}, {99'999, 1}, {12'345, 54'321}, {50, 0}}) {
    std::string piece(length, '\0');
    reader->read(offset, piece, {});
    EXPECT_TRUE(piece == bytes.substr(offset, length)) << offset;
  }
  std::string beyond(2, '\0');
  EXPECT_EQ(kind_of_failure([&] { reader->read(99'999, beyond, {}); }), ErrorKind::damaged);
}

TEST_P(Store, SaysThatAnObjectIsNotThere) {
  upload(*store_, "another", "x");
  EXPECT_EQ(kind_of_failure([&] { store_->open("missing"); }), ErrorKind::failed);
}

TEST_P(Store, RemovesWhatItIsTold) {
  upload(*store_, "one", "1");
  upload(*store_, "two", "2");
  store_->remove("one");
  EXPECT_THAT(keys(), ElementsAre("two"));
}

TEST_P(Store, TakesKeysOfAnyCharacters) {
  const std::vector<std::string> odd = {"a b", "a%20b", "a+b", "a&b=c;d", "ü€", "quote\"'", "~!@$^*(){}[]|"};
  for (const std::string& key : odd) upload(*store_, key, key);
  for (const std::string& key : odd) EXPECT_EQ(download(key), key);
  EXPECT_EQ(keys().size(), odd.size());
}

TEST_P(Store, ListsManyAndOnlyItsOwn) {
  for (int i = 0; i < 8; ++i) upload(*store_, fmt::format("key {}", i), "x");
  if (neighbour_) upload(*neighbour_, "of a neighbour", "x");
  EXPECT_EQ(keys().size(), 8u);
}

INSTANTIATE_TEST_SUITE_P(All, Store, testing::Values(Kind::directory, Kind::stand_in, Kind::swift, Kind::radosgw),
                         name_of);

// What goes between the listing of a name and the look at it was never there.
TEST(DirectoryStore, ListsBesideSomebodyWhoRemoves) {
  const TemporaryDirectory directory;
  DirectoryStore store(directory.path());
  std::ofstream(directory / "that stays") << "x";
  std::jthread remover([&directory](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      for (int i = 0; i < 50; ++i) std::ofstream(directory / fmt::format("that goes {}", i)) << "x";
      for (int i = 0; i < 50; ++i) std::filesystem::remove(directory / fmt::format("that goes {}", i));
    }
  });
  for (int i = 0; i < 2'000; ++i) {
    const std::vector<ObjectInfo> objects = store.list();
    EXPECT_EQ(1, std::ranges::count(objects, "that stays", &ObjectInfo::key));
  }
}

// Two uploads of one key, both begun when it was free: what two backups do that begin in the same second.
class Race : public Store {
 protected:
  // The first to complete has the key.
  void expect_first_wins(
      std::size_t size, const std::function<void()>& before_second_completes = [] {}) {
    const std::string key = fmt::format("{} bytes", size);
    const std::vector<std::string> contents = {std::string(size, 'a'), std::string(size, 'b')};
    std::vector<std::unique_ptr<ObjectUpload>> uploads;
    for (const std::string& bytes : contents) {
      uploads.push_back(store_->begin_upload(key, size));
      for (const Part& part : parts_of(bytes, kPartBytes)) uploads.back()->put(part, {});
    }
    uploads[0]->complete({});
    before_second_completes();
    EXPECT_THROW(uploads[1]->complete({}), KeyTaken) << key;
    uploads.clear();
    EXPECT_TRUE(download(key) == contents[0]) << key;
    EXPECT_EQ(std::string::npos, uploads_under_way().find("<Upload>")) << uploads_under_way();
  }

  std::string uploads_under_way() { return server_of(GetParam()).request("GET", "/" + bucket_, "uploads=").body; }
};

constexpr std::size_t kOnePiece = 10;
constexpr std::size_t kTwoParts = (8 << 20) + 10;

TEST_P(Race, IsWonByTheFirstOfTwoUploadsInOnePiece) { expect_first_wins(kOnePiece); }

TEST_P(Race, IsWonByTheFirstOfTwoUploadsInParts) { expect_first_wins(kTwoParts); }

// Whoever may not look at the key has the store's own word.
class BlindRace : public Race {};

TEST_P(BlindRace, IsWonByTheFirstOfTwoUploads) {
  const auto forbid_looks = [] {
    S3Server::stand_in().set_faults({{{"operation", "HeadObject"}, {"fault", "403"}, {"times", -1}}});
  };
  for (const std::size_t size : {kOnePiece, kTwoParts}) {
    S3Server::stand_in().set_faults(nlohmann::json::array());
    expect_first_wins(size, forbid_looks);
  }
}

INSTANTIATE_TEST_SUITE_P(S3, BlindRace, testing::Values(Kind::stand_in), name_of);
INSTANTIATE_TEST_SUITE_P(S3, Race, testing::Values(Kind::stand_in, Kind::swift, Kind::radosgw), name_of);

}  // namespace
}  // namespace pana::test
