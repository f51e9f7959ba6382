// Requests to one bucket: addressed, signed, tried again when that can help, and answered or explained.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/. Safe to use from several threads.
#pragma once

#include <chrono>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "net/aws_settings.h"
#include "net/credentials.h"
#include "net/http.h"
#include "net/retry.h"
#include "net/uri.h"
#include "store/s3_options.h"

namespace pana {

// The store refused. Whether a retry helps is decided by the code, or where there is none (HEAD), by the status.
class S3Error : public Error {
 public:
  S3Error(ErrorKind kind, const std::string& message, std::string hint, int status, std::string code)
      : Error(kind, message, std::move(hint)), status_(status), code_(std::move(code)) {}
  int status() const { return status_; }
  const std::string& code() const { return code_; }  // "NoSuchKey", empty when the answer had none
  bool may_pass() const;                             // worth another try

 private:
  int status_;
  std::string code_;
};

struct S3Request {
  std::string action;      // what fails when this fails: "upload part 3 of"
  std::string permission;  // what it takes: "s3:PutObject"
  std::string method = "GET";
  std::string key;  // empty: the bucket itself
  Query query = {};
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::string_view body = {};
  int patience = 1;                    // how many read timeouts the store may think before it answers
  std::chrono::milliseconds total{0};  // the longest time for one attempt; 0: no limit
  std::function<void(const HttpResponse&, std::string_view)> sink = {};  // of a successful answer's body
  std::function<void(const HttpResponse&)> examine = {};  // throws S3Error when a good answer is not good enough
};

class S3Client {
 public:
  S3Client(std::string bucket, const S3Options& options);

  // The answer, whose status is 2xx. Throws S3Error, TransportError, or Error(interrupted) when stopped.
  HttpResponse send(const S3Request& request, const std::stop_token& stop);

  // One attempt; and what an attempt that failed leads to: a wait, or the end, when false is returned.
  HttpResponse send_once(const S3Request& request, const std::stop_token& stop);
  bool may_try_again(const Error& error, const S3Request& request, Retry& retry, const std::stop_token& stop);
  Retry new_retry() { return Retry(budget_, endpoint_.attempts_at_most); }
  void note_success() { budget_.refund(); }

  std::string url(const std::string& key) const { return "s3://" + bucket_ + "/" + key; }

 private:
  S3Error explain(const S3Request& request, const HttpResponse& response, bool has_token) const;
  std::string hint(const S3Request& request, const HttpResponse& response, const std::string& code,
                   const std::string& region, bool has_token) const;

  const std::string bucket_;
  const std::chrono::seconds read_timeout_;
  AwsEndpoint endpoint_;  // of the bucket
  HttpClient http_;
  CredentialChain credentials_;
  RetryBudget budget_;
};

}  // namespace pana
