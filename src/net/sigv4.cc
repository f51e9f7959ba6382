#include "net/sigv4.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "net/hash.h"

namespace pana {
namespace {

// Without the port that the scheme implies, as curl sends it.
std::string host_of(std::string_view origin) {
  const std::size_t scheme = origin.find("://");
  std::string_view host = origin.substr(scheme + 3);
  const std::string_view default_port = origin.starts_with("https://") ? ":443" : ":80";
  if (host.ends_with(default_port)) host.remove_suffix(default_port.size());
  return std::string(host);
}

// "20130524T000000Z"
std::string basic_time(TimePoint time) {
  std::string text = compact_time(time);
  text[text.find('_')] = 'T';
  return text + "Z";
}

}  // namespace

void sign(HttpRequest& request, const Credentials& credentials, const std::string& region, const std::string& service,
          TimePoint now) {
  const std::string time = basic_time(now);
  const std::string body_hash = hex(sha256(request.body));
  request.headers.emplace_back("host", host_of(request.origin));
  request.headers.emplace_back("x-amz-date", time);
  request.headers.emplace_back("x-amz-content-sha256", body_hash);
  if (!credentials.session_token.empty()) {
    request.headers.emplace_back("x-amz-security-token", credentials.session_token);
  }
  std::sort(request.headers.begin(), request.headers.end());

  std::string headers;
  std::string names;
  for (const auto& [name, value] : request.headers) {
    headers += fmt::format("{}:{}\n", name, value);
    names += (names.empty() ? "" : ";") + name;
  }
  const std::string canonical =
      fmt::format("{}\n{}\n{}\n{}\n{}\n{}", request.method, request.path, request.query, headers, names, body_hash);
  const std::string day = time.substr(0, 8);
  const std::string scope = fmt::format("{}/{}/{}/aws4_request", day, region, service);
  const std::string to_sign = fmt::format("AWS4-HMAC-SHA256\n{}\n{}\n{}", time, scope, hex(sha256(canonical)));
  std::string key = "AWS4" + credentials.secret_access_key;
  for (const std::string_view part :
       {std::string_view(day), std::string_view(region), std::string_view(service), std::string_view("aws4_request")}) {
    key = hmac_sha256(key, part);
  }
  request.headers.emplace_back("authorization",
                               fmt::format("AWS4-HMAC-SHA256 Credential={}/{},SignedHeaders={},Signature={}",
                                           credentials.access_key_id, scope, names, hex(hmac_sha256(key, to_sign))));
}

}  // namespace pana
