#include "base/log.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/file_descriptor.h"

namespace pana {
namespace {

using testing::HasSubstr;
using testing::Not;

// Standard error is a pipe for as long as this lives.
class CapturedLog : public testing::Test {
 protected:
  void SetUp() override {
    std::array<int, 2> ends{};
    ASSERT_EQ(0, ::pipe2(ends.data(), O_CLOEXEC));
    reader_ = FileDescriptor(ends[0]);
    ASSERT_EQ(0, ::fcntl(reader_.get(), F_SETFL, O_NONBLOCK));
    saved_ = FileDescriptor(::dup(STDERR_FILENO));
    ::dup2(ends[1], STDERR_FILENO);
    ::close(ends[1]);
  }
  void TearDown() override { ::dup2(saved_.get(), STDERR_FILENO); }

  void fill() const {
    const FileDescriptor again(::open("/dev/stderr", O_WRONLY | O_NONBLOCK));  // of its own, as O_NONBLOCK is not
    const std::string page(4096, '\n');
    while (::write(again.get(), page.data(), page.size()) > 0) {
    }
  }

  std::string drain() const {
    std::string text;
    std::array<char, 4096> buffer{};
    for (ssize_t got = 0; (got = ::read(reader_.get(), buffer.data(), buffer.size())) > 0;)
      text.append(buffer.data(), static_cast<std::size_t>(got));
    return text;
  }

 private:
  FileDescriptor reader_;
  FileDescriptor saved_;
};

TEST_F(CapturedLog, WritesOneObjectALine) {
  log(LogLevel::warning, "first", "one\ntwo", {{"hint", "three"}});
  const Json line = Json::parse(drain());
  EXPECT_EQ("warning", line.at("level").get<std::string>());
  EXPECT_EQ("one\ntwo", line.at("message").get<std::string>());
  EXPECT_EQ("three", line.at("hint").get<std::string>());
}

TEST_F(CapturedLog, KeepsItsLinesUntilThereIsRoomForThem) {
  fill();
  log(LogLevel::info, "first", "kept");
  log(LogLevel::info, "second", std::string(10'000, 'x'));
  EXPECT_THAT(drain(), Not(HasSubstr("kept")));
  log(LogLevel::info, "third", "written at once");
  const std::string text = drain();
  EXPECT_LT(text.find("kept"), text.find("second"));
  EXPECT_LT(text.find("second"), text.find("written at once"));
  EXPECT_EQ(3, std::count(text.begin(), text.end(), '\n'));
  EXPECT_TRUE(text.ends_with("\n"));
}

TEST_F(CapturedLog, DoesNotGrowForAReaderThatHasStopped) {
  fill();
  for (int i = 0; i < 100; ++i) log(LogLevel::info, "many", std::string(100'000, 'x'));
  std::size_t kept = 0;
  for (std::string text = drain(); !text.ends_with("last\"}\n"); text = drain()) {
    kept += text.size();
    log(LogLevel::info, "more", "last");
  }
  EXPECT_GT(kept, 1u << 19);
  EXPECT_LT(kept, 2u << 20);
}

}  // namespace
}  // namespace pana
