#include "deployment/metrics.h"

#include <gtest/gtest.h>

namespace pana {
namespace {

TEST(Metrics, AreOneLineThatCloudWatchUnderstands) {
  const TimePoint time(std::chrono::milliseconds(1'700'000'000'123));
  const Json line = embedded_metrics("pana_db_backup", time, {{.name = "BackupBytes", .unit = "Bytes", .value = 12}});
  EXPECT_EQ(
      R"({"_aws":{"Timestamp":1700000000123,"CloudWatchMetrics":[{"Namespace":"Pana","Dimensions":[["FunctionName"]],)"
      R"("Metrics":[{"Name":"BackupBytes","Unit":"Bytes"}]}]},"FunctionName":"pana_db_backup","BackupBytes":12.0})",
      line.dump());
}

}  // namespace
}  // namespace pana
