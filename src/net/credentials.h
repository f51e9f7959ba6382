// Where AWS credentials come from, and how they are kept fresh.
//
// In this order: environment (AWS_ACCESS_KEY_ID ...), unless a profile was asked for; profile files; the container's
// endpoint (AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or _FULL_URI); the instance's metadata service (IMDSv2).
// https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html
#pragma once

#include <mutex>
#include <optional>
#include <stop_token>
#include <string>

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
  // `profile`: as given on the command line, empty for the one of the environment. `http` must outlive the chain.
  CredentialChain(HttpClient& http, std::string profile) : http_(http), profile_(std::move(profile)) {}

  // Credentials that are good for some minutes; loads new ones in time. Throws Error(refused) when there are none.
  Credentials get(const std::stop_token& stop);

  // The store called these expired: the next get() loads new ones.
  void expire(const Credentials& credentials);

 private:
  TimedCredentials load(const std::stop_token& stop);
  std::optional<TimedCredentials> from_profile() const;
  std::optional<TimedCredentials> from_container(const std::stop_token& stop);
  std::optional<TimedCredentials> from_instance(const std::stop_token& stop);

  HttpClient& http_;
  const std::string profile_;
  std::mutex mutex_;  // held while loading, too: the others need the result anyway
  std::optional<TimedCredentials> current_;
};

}  // namespace pana
