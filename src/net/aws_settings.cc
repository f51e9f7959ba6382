#include "net/aws_settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>

#include "base/environment.h"
#include "base/error.h"
#include "base/text.h"
#include "net/aws_profile.h"

namespace pana {
namespace {

std::string upper_case(std::string_view text) {
  std::string upper(text);
  std::transform(upper.begin(), upper.end(), upper.begin(), [](unsigned char c) { return std::toupper(c); });
  return upper;
}

}  // namespace

AwsEndpoint find_endpoint(std::string_view service, const AwsSettings& settings) {
  const Profile profile = read_profile(settings.profile.empty() ? profile_from_environment() : settings.profile);
  const auto setting = [&profile](const char* key) {
    const auto found = profile.find(key);
    return found == profile.end() ? std::string() : found->second;
  };
  AwsEndpoint endpoint;
  endpoint.region = first_of({settings.region, environment_value("AWS_REGION"), environment_value("AWS_DEFAULT_REGION"),
                              setting("region"), "us-east-1"});
  endpoint.origin =
      first_of({settings.endpoint_url, environment_value(("AWS_ENDPOINT_URL_" + upper_case(service)).c_str()),
                environment_value("AWS_ENDPOINT_URL"), setting("endpoint_url")});
  endpoint.is_aws = endpoint.origin.empty();
  if (endpoint.is_aws) {
    const bool in_china = endpoint.region.starts_with("cn-");
    endpoint.origin = fmt::format("https://{}.{}.amazonaws.com{}", service, endpoint.region, in_china ? ".cn" : "");
  }
  const std::string attempts = first_of({environment_value("AWS_MAX_ATTEMPTS"), setting("max_attempts")});
  std::from_chars(attempts.data(), attempts.data() + attempts.size(), endpoint.attempts_at_most);
  if (!endpoint.origin.starts_with("https://") && !endpoint.origin.starts_with("http://")) {
    throw Error(ErrorKind::usage, fmt::format("the endpoint {} is no URL", endpoint.origin),
                "give it as https://host:port");
  }
  const std::size_t slash = endpoint.origin.find('/', endpoint.origin.find("://") + 3);
  if (slash != std::string::npos) {
    endpoint.path = endpoint.origin.substr(slash);
    endpoint.origin.resize(slash);
    while (endpoint.path.ends_with('/')) endpoint.path.pop_back();
  }
  return endpoint;
}

}  // namespace pana
