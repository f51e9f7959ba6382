// Figures for CloudWatch, which picks them out of the function's log: its Embedded Metric Format.
//
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "base/time.h"

namespace pana {

struct Metric {
  std::string name;  // "BackupBytes"
  std::string unit;  // CloudWatch's: "Bytes", "Seconds", "Count", "Percent"
  double value = 0;
};

// Namespace "Pana", dimension FunctionName.
Json embedded_metrics(const std::string& function, TimePoint time, const std::vector<Metric>& metrics);

// Writes them into the log, for now.
void emit(const std::string& function, const std::vector<Metric>& metrics);

}  // namespace pana
