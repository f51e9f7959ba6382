// A service of AWS that takes everything as a POST to one address, and answers with one small document: SNS and SSM.
//
// https://docs.aws.amazon.com/general/latest/gr/aws-apis.html. Safe to use from several threads.
#pragma once

#include <chrono>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "net/aws_settings.h"
#include "net/credentials.h"
#include "net/http.h"

namespace pana {

class AwsService {
 public:
  explicit AwsService(std::string name);  // "sns", as in its endpoint and signatures

  struct Request {
    std::string action;                                        // what fails when this fails: "publish to the topic"
    std::string permission;                                    // what it takes: "sns:Publish on the topic"
    std::string hint = {};                                     // when it fails for another reason than rights
    std::vector<std::pair<std::string, std::string>> headers;  // content-type, x-amz-target
    std::string body;
    std::chrono::seconds patience{60};  // with all attempts
  };

  // The body of a good answer. Tried again when that can help. Throws Error(failed), or Error(interrupted).
  std::string post(const Request& request, const std::stop_token& stop);

 private:
  const std::string name_;
  const AwsEndpoint endpoint_;
  HttpClient http_;
  CredentialChain credentials_;
  RetryBudget budget_;
};

}  // namespace pana
