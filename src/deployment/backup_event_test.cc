#include "deployment/backup_event.h"

#include <gtest/gtest.h>

namespace pana {
namespace {

BackupRequest parse(const std::string& event) {
  return parse_backup_event(event, "request-1", {.jobs = 4, .filter = TableFilter({.exclude_schemas = {"auth"}})});
}

TEST(BackupEvent, WithoutMembersIsWhatTheDeploymentSays) {
  const BackupRequest request = parse("{}");
  EXPECT_EQ(4u, request.jobs);
  EXPECT_EQ("none", request.compression.text());
  EXPECT_EQ("request-1", request.run);
  EXPECT_EQ(std::vector<std::string>{"--exclude-schema=auth"}, request.filter.arguments());
}

TEST(BackupEvent, ChangesTheRunByItsMembers) {
  const BackupRequest request = parse(
      R"({"jobs": 8, "compression": "zstd:3", "lock_wait_seconds": 60, "max_rate": "20MiB", "no_split": true, "exclude_schemas": ["a", "b"], "exclude_table_data": ["x"]})");
  EXPECT_EQ(8u, request.jobs);
  EXPECT_EQ("zstd:3", request.compression.text());
  EXPECT_EQ(std::chrono::seconds(60), request.locks.give_up_after);
  EXPECT_EQ(20U << 20, request.max_bytes_per_second);
  EXPECT_FALSE(request.split_tables);
  EXPECT_EQ((std::vector<std::string>{"--exclude-schema=a", "--exclude-schema=b", "--exclude-table-data=x"}),
            request.filter.arguments());
}

TEST(BackupEvent, OfEventBridgeIsNamedByItAndHasItsMembersInTheDetail) {
  const BackupRequest request =
      parse(R"({"id": "event-1", "detail-type": "Scheduled Event", "source": "aws.events", "detail": {"jobs": 2}})");
  EXPECT_EQ("event-1", request.run);
  EXPECT_EQ(2u, request.jobs);
}

TEST(BackupEvent, IsRefusedWithoutRepeatingIt) {
  for (const char* event :
       {"[]", "\"s3cret\"", R"({"jobs": -1})", R"({"jobs": 65})", R"({"jobs": 1.5})", R"({"tables": [1]})",
        R"({"s3cret": 1})", R"({"tables": ["a\u0000b"]})", R"({"compression": 3})", R"({"compression": "s3cret"})",
        R"({"lock_wait_seconds": 86401})", R"({"no_split": "s3cret"})", R"({"max_rate": 5})",
        R"({"skip_unreadable": true})", R"({"": 1})"}) {
    try {
      parse(event);
      ADD_FAILURE() << event;
    } catch (const Error& error) {
      EXPECT_EQ(ErrorKind::usage, error.kind());
      EXPECT_EQ(std::string::npos, std::string(error.what()).find("s3cret"));
    }
  }
}

TEST(BackupEvent, IsToldWhatItsMembersTake) {
  const auto refusal = [](const std::string& event) {
    try {
      parse(event);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_EQ("the event must give true or false as no_split", refusal(R"({"no_split": "true"})"));
  EXPECT_EQ("the event must give a number or text as lock_wait_seconds", refusal(R"({"lock_wait_seconds": -1})"));
  EXPECT_EQ("the event gives as jobs what is neither auto nor a number from 1 to 64", refusal(R"({"jobs": 65})"));
  EXPECT_EQ("the event must give an array of patterns as tables", refusal(R"({"tables": null})"));
}

}  // namespace
}  // namespace pana
