// Where a service of AWS is found: what was asked for, then the environment, then the profile files.
//
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
#pragma once

#include <string>
#include <string_view>

#include "net/retry.h"

namespace pana {

struct AwsSettings {
  std::string region;        // empty: AWS_REGION, AWS_DEFAULT_REGION, the profile's, us-east-1
  std::string endpoint_url;  // empty: AWS_ENDPOINT_URL_<SERVICE>, AWS_ENDPOINT_URL, the profile's, AWS itself
  std::string profile;       // empty: AWS_PROFILE
};

struct AwsEndpoint {
  std::string region;
  std::string origin;                       // "https://host:port"
  std::string path;                         // behind it, without a slash at its end
  bool is_aws = true;                       // AWS's own: nothing said otherwise
  int attempts_at_most = Retry::kAttempts;  // of one request; AWS_MAX_ATTEMPTS, or the profile's max_attempts
};

// `service` is the service's name in an endpoint: "s3". Throws Error(usage) for an endpoint that is no URL.
AwsEndpoint find_endpoint(std::string_view service, const AwsSettings& settings);

}  // namespace pana
