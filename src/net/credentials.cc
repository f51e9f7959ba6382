#include "net/credentials.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/environment.h"
#include "base/setting.h"
#include "net/aws_profile.h"

namespace pana {
namespace {

using std::chrono::system_clock;

// Renewed so long before their end: no request is signed with credentials that expire while it is under way.
constexpr std::chrono::minutes kRenewBefore{5};

// After a renewal that gave nothing newer, twice as long each time.
constexpr std::chrono::seconds kFirstPause{1};
constexpr std::chrono::seconds kLongestPause{60};

bool lasts_beyond(TimePoint moment, const TimedCredentials& credentials) {
  return !credentials.expires_at || *credentials.expires_at > moment;
}

// Services of the machine itself answer at once, or are not there.
constexpr std::chrono::seconds kMetadataConnectTimeout{2};
constexpr std::chrono::seconds kSilence{5};

std::optional<TimedCredentials> from_environment() {
  Credentials credentials{.access_key_id = environment_value("AWS_ACCESS_KEY_ID"),
                          .secret_access_key = environment_value("AWS_SECRET_ACCESS_KEY"),
                          .session_token = environment_value("AWS_SESSION_TOKEN")};
  if (credentials.access_key_id.empty() && credentials.secret_access_key.empty()) return std::nullopt;
  if (credentials.access_key_id.empty() || credentials.secret_access_key.empty()) {
    throw Error(ErrorKind::refused,
                fmt::format("{} is set, but {} is not",
                            credentials.access_key_id.empty() ? "AWS_SECRET_ACCESS_KEY" : "AWS_ACCESS_KEY_ID",
                            credentials.access_key_id.empty() ? "AWS_ACCESS_KEY_ID" : "AWS_SECRET_ACCESS_KEY"),
                "set both or neither");
  }
  return TimedCredentials{.credentials = std::move(credentials), .expires_at = std::nullopt};
}

std::string value_of(const Profile& profile, const char* key) {
  const auto found = profile.find(key);
  return found == profile.end() ? std::string() : found->second;
}

std::string sources() {
  return fmt::format(
      "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, name a profile with {}AWS_PROFILE, or run where a role is "
      "attached",
      advice("{} or ", Setting::profile));
}

struct Url {
  std::string origin;
  std::string path;
};

Url split_url(const std::string& url) {
  const std::size_t scheme = url.find("://");
  const std::size_t path = url.find('/', scheme == std::string::npos ? 0 : scheme + 3);
  return {.origin = url.substr(0, path), .path = path == std::string::npos ? "/" : url.substr(path)};
}

HttpRequest machine_request(const std::string& url) {
  const Url parts = split_url(url);
  return {.origin = parts.origin,
          .path = parts.path,
          .connect_timeout = kMetadataConnectTimeout,
          .silence = kSilence,
          .direct = true};
}

std::string ask(HttpClient& http, const HttpRequest& request, const std::stop_token& stop) {
  HttpResponse response = http.send(request, stop);
  if (response.status == 200) return std::move(response.body);
  throw Error(ErrorKind::failed,
              fmt::format("{}{} gave no credentials: status {}", request.origin, request.path, response.status),
              sources());
}

std::optional<TimedCredentials> from_profile(const std::string& asked_for) {
  const std::string name = asked_for.empty() ? profile_from_environment() : asked_for;
  const Profile profile = read_profile(name);
  Credentials credentials{.access_key_id = value_of(profile, "aws_access_key_id"),
                          .secret_access_key = value_of(profile, "aws_secret_access_key"),
                          .session_token = value_of(profile, "aws_session_token")};
  if (!credentials.access_key_id.empty() && !credentials.secret_access_key.empty()) {
    return TimedCredentials{.credentials = std::move(credentials), .expires_at = std::nullopt};
  }
  for (const char* const key : {"sso_session", "sso_start_url", "role_arn", "credential_process"}) {
    if (!profile.contains(key)) continue;
    throw Error(
        ErrorKind::refused, fmt::format("profile {} gets its credentials by {}, which pana does not do", name, key),
        fmt::format("eval \"$(aws configure export-credentials --profile {} --format env)\" and try again", name));
  }
  if (!asked_for.empty()) {
    throw Error(ErrorKind::refused, fmt::format("profile {} holds no credentials", name),
                "aws configure list-profiles shows what there is");
  }
  return std::nullopt;
}

std::optional<TimedCredentials> from_container(HttpClient& http, const std::stop_token& stop) {
  std::string url = environment_value("AWS_CONTAINER_CREDENTIALS_FULL_URI");
  const std::string relative = environment_value("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
  if (!relative.empty()) url = "http://169.254.170.2" + relative;
  if (url.empty()) return std::nullopt;
  HttpRequest request = machine_request(url);
  std::string token = environment_value("AWS_CONTAINER_AUTHORIZATION_TOKEN");
  if (const std::string file = environment_value("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"); !file.empty()) {
    std::getline(std::ifstream(file), token);
  }
  if (!token.empty()) request.headers.emplace_back("authorization", token);
  return parse_credentials(ask(http, request, stop));
}

std::optional<TimedCredentials> from_instance(HttpClient& http, const std::stop_token& stop) {
  if (environment_value("AWS_EC2_METADATA_DISABLED") == "true") return std::nullopt;
  std::string endpoint = environment_value("AWS_EC2_METADATA_SERVICE_ENDPOINT");
  if (endpoint.empty()) endpoint = "http://169.254.169.254";
  while (endpoint.ends_with('/')) endpoint.pop_back();
  HttpRequest token_request = machine_request(endpoint + "/latest/api/token");
  token_request.method = "PUT";
  token_request.headers.emplace_back("x-aws-ec2-metadata-token-ttl-seconds", "300");
  std::string token;
  try {
    token = ask(http, token_request, stop);
  } catch (const TransportError&) {
    return std::nullopt;  // no such service: this is no such machine
  }
  const auto get = [&](const std::string& path) {
    HttpRequest request = machine_request(endpoint + path);
    request.headers.emplace_back("x-aws-ec2-metadata-token", token);
    return ask(http, request, stop);
  };
  const std::string roles = "/latest/meta-data/iam/security-credentials/";
  std::string role = get(roles);
  role.erase(std::min(role.find('\n'), role.size()));
  return parse_credentials(get(roles + role));
}

TimedCredentials load_from_chain(HttpClient& http, const std::string& profile, const std::stop_token& stop) {
  if (profile.empty()) {
    if (std::optional<TimedCredentials> found = from_environment()) return *found;
  }
  if (std::optional<TimedCredentials> found = from_profile(profile)) return *found;
  if (std::optional<TimedCredentials> found = from_container(http, stop)) return *found;
  if (std::optional<TimedCredentials> found = from_instance(http, stop)) return *found;
  throw Error(ErrorKind::refused, "no AWS credentials were found", sources());
}

}  // namespace

TimedCredentials parse_credentials(const std::string& json) {
  const nlohmann::json answer = nlohmann::json::parse(json, nullptr, /*allow_exceptions=*/false);
  const auto text = [&answer](const char* key) {
    const auto found = answer.is_object() ? answer.find(key) : answer.end();
    return found != answer.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  TimedCredentials result{.credentials = {.access_key_id = text("AccessKeyId"),
                                          .secret_access_key = text("SecretAccessKey"),
                                          .session_token = text("Token")},
                          .expires_at = parse_rfc3339(text("Expiration"))};
  if (result.credentials.access_key_id.empty() || result.credentials.secret_access_key.empty()) {
    throw Error(ErrorKind::failed, "the answer of the credentials' endpoint holds no credentials");
  }
  return result;
}

namespace {

[[noreturn]] void rethrow(const std::exception_ptr& failure, bool have_expired) try {
  std::rethrow_exception(failure);
} catch (const Error& error) {
  if (!have_expired || error.kind() == ErrorKind::interrupted) throw;
  throw Error(error.kind(),
              fmt::format("the AWS credentials have expired, and there are no new ones: {}", error.what()),
              error.hint());
}

}  // namespace

CredentialChain::CredentialChain(HttpClient& http, std::string profile)
    : CredentialChain([&http, profile = std::move(profile)](
                          const std::stop_token& stop) { return load_from_chain(http, profile, stop); },
                      [] { return system_clock::now(); }) {}

Credentials CredentialChain::get(const std::stop_token& stop) {
  MutexLock lock(mutex_);
  while (true) {
    const TimePoint now = clock_();
    const bool is_valid = current_ && lasts_beyond(now, *current_);
    const bool is_due = !is_valid || (!lasts_beyond(now + kRenewBefore, *current_) && now >= next_load_);
    if (is_due && !is_loading_) {
      is_loading_ = true;
      lock.unlock();
      Loaded loaded = load(stop);
      lock.lock();
      take(std::move(loaded));
    } else if (!is_valid) {
      loaded_.wait(lock, stop, [this] {
        mutex_.assert_held();
        return !is_loading_;
      });
      if (stop.stop_requested()) throw Error(ErrorKind::interrupted, "stopped on request");
      continue;
    }
    return current_->credentials;
  }
}

CredentialChain::Loaded CredentialChain::load(const std::stop_token& stop) const {
  try {
    return {.found = source_(stop), .failure = {}};
  } catch (...) {
    return {.found = std::nullopt, .failure = std::current_exception()};
  }
}

// Throws only when no good credentials are left. Where there were some, their end is the news, whatever the source says
// now: one that does not answer looks like one that is not there.
void CredentialChain::take(Loaded loaded) {
  is_loading_ = false;
  loaded_.notify_all();
  const TimePoint now = clock_();
  if (loaded.found) current_ = std::move(loaded.found);
  if (loaded.failure && !(current_ && lasts_beyond(now, *current_))) rethrow(loaded.failure, current_.has_value());
  const bool is_fresh = lasts_beyond(now + kRenewBefore, *current_);
  pause_ = is_fresh ? std::chrono::seconds(0) : std::clamp(pause_ * 2, kFirstPause, kLongestPause);
  next_load_ = now + pause_;
}

void CredentialChain::expire(const Credentials& credentials) {
  const MutexLock lock(mutex_);
  if (current_ && current_->credentials.session_token == credentials.session_token) current_.reset();
}

}  // namespace pana
