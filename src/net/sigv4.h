// AWS Signature Version 4, in headers, with the body's hash signed as well.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
#pragma once

#include <string>

#include "base/time.h"
#include "net/http.h"

namespace pana {

struct Credentials {
  std::string access_key_id;
  std::string secret_access_key;
  std::string session_token;  // empty for a key that does not expire
};

// Adds host, x-amz-date, x-amz-content-sha256, x-amz-security-token and authorization. The request's path and query
// must be in the form of uri.h, and all its headers are signed.
void sign(HttpRequest& request, const Credentials& credentials, const std::string& region, const std::string& service,
          TimePoint now);

}  // namespace pana
