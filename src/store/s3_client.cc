#include "store/s3_client.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "base/setting.h"
#include "base/sleep.h"
#include "base/text.h"
#include "store/s3_xml.h"

namespace pana {
namespace {

// In a host name of its own, a certificate covers a bucket's name without dots only.
bool is_host_label(std::string_view bucket) {
  return std::all_of(bucket.begin(), bucket.end(),
                     [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
}

bool is_one_of(std::string_view code, std::initializer_list<std::string_view> codes) {
  return std::find(codes.begin(), codes.end(), code) != codes.end();
}

bool is_expiry(const S3Error& error) {
  return is_one_of(error.code(), {"ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"});
}

std::string code_for_status(int status) {
  switch (status) {
    case 301: return "PermanentRedirect";
    case 403: return "AccessDenied";
    case 404: return "NoSuchKey";
    case 412: return "PreconditionFailed";
    case 416: return "InvalidRange";
    case 501: return "NotImplemented";
    case 503: return "ServiceUnavailable";
    default: return {};
  }
}

}  // namespace

bool S3Error::may_pass() const {
  if (is_one_of(code_, {"SlowDown", "InternalError", "RequestTimeout", "BadDigest", "ServiceUnavailable"})) return true;
  return status_ == 429 || status_ == 500 || (status_ >= 502 && status_ <= 504);
}

S3Client::S3Client(std::string bucket, const S3Options& options)
    : bucket_(std::move(bucket)), read_timeout_(options.read_timeout_seconds),
      endpoint_(find_endpoint(
          "s3", {.region = options.region, .endpoint_url = options.endpoint_url, .profile = options.profile})),
      credentials_(http_, options.profile) {
  const bool in_host = options.addressing == S3Addressing::virtual_hosted ||
                       (options.addressing == S3Addressing::automatic && endpoint_.is_aws && is_host_label(bucket_));
  if (options.attempts_at_most > 0) endpoint_.attempts_at_most = options.attempts_at_most;
  if (in_host) {
    endpoint_.origin.insert(endpoint_.origin.find("://") + 3, bucket_ + ".");
  } else {
    endpoint_.path += "/" + percent_encode(bucket_);
  }
}

HttpResponse S3Client::send_once(const S3Request& request, const std::stop_token& stop) {
  const Credentials credentials = credentials_.get(stop);
  const bool is_of_bucket = request.key.empty() && !endpoint_.path.empty();
  HttpRequest http{.method = request.method,
                   .origin = endpoint_.origin,
                   .path = is_of_bucket ? endpoint_.path : endpoint_.path + "/" + percent_encode_path(request.key),
                   .query = query_string(request.query),
                   .headers = request.headers,
                   .body = request.body,
                   .silence = read_timeout_ * request.patience,
                   .total = request.total,
                   .sink = request.sink};
  sign(http, credentials, endpoint_.region, "s3", std::chrono::system_clock::now());
  HttpResponse response;
  try {
    response = http_.send(http, stop);
  } catch (const TransportError& error) {
    throw TransportError(fmt::format("cannot {} {}: {}", request.action, url(request.key), error.what()), error.hint(),
                         error.may_pass());
  }
  // Complete may answer 200 first and find out afterwards that it failed.
  const bool is_good = response.status / 100 == 2 && !parse_s3_error(response.body);
  if (!is_good) {
    const S3Error error = explain(request, response, !credentials.session_token.empty());
    // An answer without a body cannot say that the token has expired.
    if (is_expiry(error) || (error.status() == 400 && request.method == "HEAD")) credentials_.expire(credentials);
    throw error;
  }
  if (request.examine) request.examine(response);
  return response;
}

bool S3Client::may_try_again(const Error& error, const S3Request& request, Retry& retry, const std::stop_token& stop) {
  const auto* const refusal = dynamic_cast<const S3Error*>(&error);
  const auto* const silence = dynamic_cast<const TransportError*>(&error);
  const bool may_pass = (refusal != nullptr && refusal->may_pass()) || (silence != nullptr && silence->may_pass());
  // Credentials that have expired are loaded anew, once.
  const bool has_expired = refusal != nullptr && retry.attempts() == 1 &&
                           (is_expiry(*refusal) || (refusal->status() == 400 && request.method == "HEAD"));
  if (!(may_pass || has_expired) || !retry.may_go_on()) return false;
  log(LogLevel::warning, "s3_retry",
      fmt::format("attempt {} in {} ms: {}", retry.attempts(), retry.delay().count(), error.what()),
      {{"action", request.action}, {"key", request.key}, {"attempt", retry.attempts()}});
  sleep_for(retry.delay(), stop);
  if (stop.stop_requested()) throw Error(ErrorKind::interrupted, "stopped on request");
  return true;
}

HttpResponse S3Client::send(const S3Request& request, const std::stop_token& stop) {
  Retry retry = new_retry();
  while (true) {
    try {
      HttpResponse response = send_once(request, stop);
      note_success();
      return response;
    } catch (const Error& error) {
      if (!may_try_again(error, request, retry, stop)) throw;
    }
  }
}

S3Error S3Client::explain(const S3Request& request, const HttpResponse& response, bool has_token) const {
  S3ErrorBody body = parse_s3_error(response.body).value_or(S3ErrorBody());
  if (body.code.empty()) body.code = code_for_status(response.status);
  const std::string request_id = first_of({response.header("x-amz-request-id"), body.request_id});
  const std::string region = first_of({body.region, response.header("x-amz-bucket-region")});
  std::string message = fmt::format("cannot {} {}: {}", request.action, url(request.key), response.status);
  if (!body.code.empty()) message += " " + body.code;
  if (!body.message.empty()) message += ", " + body.message;
  if (!request_id.empty()) message += fmt::format(" (request id {})", request_id);
  return {ErrorKind::failed, message, hint(request, response, body.code, region, has_token), response.status,
          body.code};
}

std::string S3Client::hint(const S3Request& request, const HttpResponse& response, const std::string& code,
                           const std::string& region, bool has_token) const {
  if (!region.empty() && region != endpoint_.region && response.status < 500) {
    return fmt::format("the bucket is in region {}, not {}{}", region, endpoint_.region,
                       advice(": say {} {}", Setting::region, region));
  }
  if (is_one_of(code, {"InvalidAccessKeyId", "SignatureDoesNotMatch"})) {
    return "check the access key id, the secret access key, and the endpoint";
  }
  if (code == "RequestTimeTooSkewed") {
    return fmt::format("set this machine's clock: the store's says {}", response.header("date"));
  }
  if (is_one_of(code, {"ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired", "InvalidToken"})) {
    return "get new credentials: the session token is no longer valid";
  }
  // What Ceph's gateway calls a token that it did not make; and the answer to a HEAD has no code.
  if (response.status == 400 && has_token && (code.empty() || code == "InvalidArgument")) {
    return "get new credentials: the store may not accept the session token";
  }
  if (code == "NoSuchBucket") return "check the bucket's name and the endpoint, or create the bucket";
  if (code.starts_with("KMS."))
    return fmt::format("check the key{}, and that its policy lets these credentials use it",
                       advice(" of {}", Setting::kms_key));
  if (code == "InvalidObjectState")
    return "the object is in an archive: restore it to the bucket first (aws s3api restore-object)";
  if (response.status == 403) {
    return fmt::format("the credentials need {} on arn:aws:s3:::{}{}{}", request.permission, bucket_,
                       request.key.empty() ? "" : "/", request.key);
  }
  if (response.status == 429 || response.status >= 500)
    return "the store has a fault or too many requests; try again later";
  return {};
}

}  // namespace pana
