// Where AWS credentials come from, and how they are kept fresh.
//
// In this order: environment (AWS_ACCESS_KEY_ID ...), unless a profile was asked for; profile files; the container's
// endpoint (AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or _FULL_URI); the instance's metadata service (IMDSv2).
// https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>

#include "base/mutex.h"
#include "base/time.h"
#include "net/http.h"
#include "net/sigv4.h"

namespace pana {

struct TimedCredentials {
  Credentials credentials;
  std::optional<TimePoint> expires_at;  // nothing: not known, or never
};

// The answer of a container's or instance's endpoint. Throws Error(failed) when it is not one.
TimedCredentials parse_credentials(const std::string& json);

// Safe to use from several threads.
class CredentialChain {
 public:
  using Source = std::function<TimedCredentials(const std::stop_token& stop)>;
  using Clock = std::function<TimePoint()>;

  // `profile`: as given on the command line, empty for the one of the environment. `http` must outlive the chain.
  CredentialChain(HttpClient& http, std::string profile);
  CredentialChain(Source source, Clock clock) : source_(std::move(source)), clock_(std::move(clock)) {}

  // Credentials that are good, for some minutes where possible: loads new ones in time, and keeps the old ones while
  // they are valid and no new ones can be had. Throws Error(refused) when there are none.
  Credentials get(const std::stop_token& stop);

  // The store called these expired: the next get() loads new ones.
  void expire(const Credentials& credentials);

 private:
  // Either credentials or why there are none.
  struct Loaded {
    std::optional<TimedCredentials> found;
    std::exception_ptr failure;
  };
  Loaded load(const std::stop_token& stop) const PANA_EXCLUDES(mutex_);
  void take(Loaded loaded) PANA_REQUIRES(mutex_);

  const Source source_;
  const Clock clock_;
  Mutex mutex_;  // not held while loading: whose credentials are still good needs not wait
  std::condition_variable_any loaded_;
  bool is_loading_ PANA_GUARDED_BY(mutex_) = false;
  std::optional<TimedCredentials> current_ PANA_GUARDED_BY(mutex_);
  TimePoint next_load_ PANA_GUARDED_BY(mutex_);  // the next look for newer ones, while the current ones are valid
  std::chrono::seconds pause_ PANA_GUARDED_BY(mutex_){0};
};

}  // namespace pana
