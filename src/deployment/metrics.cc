#include "deployment/metrics.h"

#include <cstdio>

namespace pana {

Json embedded_metrics(const std::string& function, TimePoint time, const std::vector<Metric>& metrics) {
  const auto since_epoch = std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch());
  Json definitions = Json::array();
  for (const Metric& metric : metrics) definitions.push_back({{"Name", metric.name}, {"Unit", metric.unit}});
  Json directive = {{"Namespace", "Pana"}, {"Dimensions", Json::array({Json::array({"FunctionName"})})}};
  directive["Metrics"] = definitions;
  Json line;
  line["_aws"]["Timestamp"] = since_epoch.count();
  line["_aws"]["CloudWatchMetrics"] = Json::array({directive});
  line["FunctionName"] = function;
  for (const Metric& metric : metrics) line[metric.name] = metric.value;
  return line;
}

void emit(const std::string& function, const std::vector<Metric>& metrics) {
  const std::string text = embedded_metrics(function, std::chrono::system_clock::now(), metrics).dump() + "\n";
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

}  // namespace pana
