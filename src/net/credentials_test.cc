#include "net/credentials.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>

#include "base/error.h"

namespace pana {
namespace {

TEST(Credentials, AreReadFromTheAnswerOfAnEndpoint) {
  const TimedCredentials read = parse_credentials(
      R"({"Code":"Success","AccessKeyId":"id","SecretAccessKey":"key","Token":"token","Expiration":"2026-01-31T23:59:59Z"})");
  EXPECT_EQ(read.credentials.access_key_id, "id");
  EXPECT_EQ(read.credentials.secret_access_key, "key");
  EXPECT_EQ(read.credentials.session_token, "token");
  ASSERT_TRUE(read.expires_at.has_value());
  EXPECT_EQ(rfc3339(*read.expires_at), "2026-01-31T23:59:59.000Z");
}

TEST(Credentials, AreNotReadFromAnythingElse) {
  for (const char* text :
       {"", "null", "[]", "{}", "{\"AccessKeyId\":1}", "{\"AccessKeyId\":\"a\"}", "<html>", "{\"Code\":"}) {
    EXPECT_THROW(parse_credentials(text), Error) << text;
  }
}

// A service that hands out credentials, at a time that the test sets.
class Renewal : public testing::Test {
 protected:
  TimedCredentials hand_out() {
    ++loads_;
    if (is_down_) throw Error(ErrorKind::refused, "no AWS credentials were found");
    return {.credentials = {.access_key_id = "id", .secret_access_key = "key", .session_token = std::to_string(loads_)},
            .expires_at = now_ + lifetime_};
  }

  std::string token() { return chain_.get({}).session_token; }

  TimePoint now_ = *parse_rfc3339("2026-01-31T12:00:00Z");
  std::chrono::seconds lifetime_ = std::chrono::hours(1);
  bool is_down_ = false;
  int loads_ = 0;
  CredentialChain chain_{[this](const std::stop_token&) { return hand_out(); }, [this] { return now_; }};
};

TEST_F(Renewal, ComesBeforeTheEnd) {
  EXPECT_EQ(token(), "1");
  now_ += std::chrono::minutes(54);
  EXPECT_EQ(token(), "1");
  now_ += std::chrono::minutes(2);
  EXPECT_EQ(token(), "2");
}

TEST_F(Renewal, KeepsTheOldOnesWhileTheyAreValid) {
  EXPECT_EQ(token(), "1");
  is_down_ = true;
  now_ += std::chrono::minutes(56);
  EXPECT_EQ(token(), "1");
  now_ += std::chrono::minutes(3);
  EXPECT_EQ(token(), "1");
  is_down_ = false;
  now_ += std::chrono::seconds(59);
  EXPECT_EQ(token(), "4");
}

TEST_F(Renewal, FailsWhenTheOldOnesHaveExpired) {
  EXPECT_EQ(token(), "1");
  is_down_ = true;
  now_ += std::chrono::hours(1);
  try {
    token();
    FAIL() << "they have expired";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(),
                 "the AWS credentials have expired, and there are no new ones: no AWS credentials were found");
  }
  is_down_ = false;
  EXPECT_EQ(token(), "3");
}

TEST_F(Renewal, IsNotAskedForBeforeEveryRequest) {
  for (const bool is_down : {false, true}) {  // a service that hands out short ones, and one that hands out none
    is_down_ = false;
    for (const int minutes : {60, 4}) {
      lifetime_ = std::chrono::minutes(minutes);
      chain_.expire(chain_.get({}));
      chain_.get({});
    }
    is_down_ = is_down;
    loads_ = 0;
    for (int i = 0; i < 1000; ++i) chain_.get({});
    EXPECT_EQ(loads_, 0);
    for (int second = 0; second < 180; ++second) {
      now_ += std::chrono::seconds(1);
      for (int i = 0; i < 10; ++i) chain_.get({});
    }
    EXPECT_GE(loads_, 5) << is_down;
    EXPECT_LE(loads_, 10) << is_down;
  }
}

TEST_F(Renewal, LoadsNewOnesWhenTheStoreCallsThemExpired) {
  const Credentials first = chain_.get({});
  chain_.expire(first);
  EXPECT_EQ(token(), "2");
  chain_.expire(first);  // another request with the old ones
  EXPECT_EQ(token(), "2");
}

TEST(Credentials, OfOthersNeedNotWaitForARenewal) {
  const TimePoint now = std::chrono::system_clock::now();
  std::promise<void> asked;
  std::promise<void> answer;
  std::atomic<int> loads = 0;
  std::atomic<int> seconds = 0;
  CredentialChain chain(
      [&](const std::stop_token&) -> TimedCredentials {
        if (++loads == 1)
          return {.credentials = {.access_key_id = "a", .secret_access_key = "b", .session_token = "old"},
                  .expires_at = now + std::chrono::seconds(200)};
        asked.set_value();
        answer.get_future().wait();
        return {.credentials = {.access_key_id = "a", .secret_access_key = "b", .session_token = "new"},
                .expires_at = now + std::chrono::hours(1)};
      },
      [&] { return now + std::chrono::seconds(seconds); });
  EXPECT_EQ(chain.get({}).session_token, "old");
  seconds = 100;
  std::future<Credentials> renewed = std::async(std::launch::async, [&chain] { return chain.get({}); });
  asked.get_future().wait();
  std::future<Credentials> other = std::async(std::launch::async, [&chain] { return chain.get({}); });
  const bool waits = other.wait_for(std::chrono::seconds(10)) != std::future_status::ready;
  answer.set_value();
  EXPECT_FALSE(waits);
  EXPECT_EQ(other.get().session_token, "old");
  EXPECT_EQ(renewed.get().session_token, "new");
  EXPECT_EQ(chain.get({}).session_token, "new");
}

}  // namespace
}  // namespace pana
