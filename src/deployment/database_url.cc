#include "deployment/database_url.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fstream>

#include "base/environment.h"
#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "net/aws_service.h"
#include "pg/database_address.h"

namespace pana {
namespace {

constexpr const char* kUrl = "DATABASE_URL";
constexpr const char* kParameter = "PANA_DATABASE_URL_PARAMETER";
constexpr const char* kRootCertificate = "PANA_SSL_ROOT_CERT";

// The only place of a function's file system that can be written.
constexpr const char* kRootCertificateFile = "/tmp/pana-root-certificate.pem";

std::string read_parameter(const std::string& name, const std::stop_token& stop) {
  const Json request = {{"Name", name}, {"WithDecryption", true}};
  const std::string answer = AwsService("ssm").post(
      {.action = fmt::format("read the parameter {}", name),
       .permission = fmt::format("ssm:GetParameter on {}, and its key", name),
       .hint = "see whether supabase_db_url_parameter names an SSM parameter of this region",
       .headers = {{"content-type", "application/x-amz-json-1.1"}, {"x-amz-target", "AmazonSSM.GetParameter"}},
       .body = request.dump()},
      stop);
  const Json json = Json::parse(answer, nullptr, /*allow_exceptions=*/false);
  const std::string value = json.is_object() ? json.value("/Parameter/Value"_json_pointer, "") : "";
  if (!value.empty()) return std::string(trimmed(value));
  throw Error(ErrorKind::failed, fmt::format("the parameter {} holds no text", name));
}

// What comes later in a connection string wins.
std::string with_root_certificate(const std::string& url, const std::string& file) {
  if (!url.starts_with("postgres")) return fmt::format("{} sslmode=verify-full sslrootcert={}", url, file);
  const std::string_view separator = url.ends_with('?') || url.ends_with('&') ? ""
                                     : url.find('?') == std::string::npos     ? "?"
                                                                              : "&";
  return fmt::format("{}{}sslmode=verify-full&sslrootcert={}", url, separator, file);
}

void write_root_certificate(const std::string& certificates) {
  std::ofstream file(kRootCertificateFile, std::ios::binary);
  file << certificates;
  if (file.flush()) return;
  throw Error(ErrorKind::failed,
              fmt::format("{} cannot be written, and the root certificate must be a file", kRootCertificateFile),
              "the function needs its /tmp; or leave ssl_root_cert out");
}

void require_encryption(const std::string& url) {
  const DatabaseAddress address(url);
  constexpr std::array<std::string_view, 3> kAllowPlain = {"disable", "allow", "prefer"};
  if (address.is_local() || std::find(kAllowPlain.begin(), kAllowPlain.end(), address.sslmode()) == kAllowPlain.end())
    return;
  throw Error(ErrorKind::refused,
              fmt::format("the database's URL allows a connection without encryption (sslmode={})", address.sslmode()),
              "take sslmode out of the URL, or say sslmode=require");
}

}  // namespace

std::string database_url(const std::stop_token& stop) {
  std::string url = environment_value(kUrl);
  if (url.empty()) url = read_parameter(environment_value(kParameter), stop);
  if (const std::string certificates = environment_value(kRootCertificate); !certificates.empty()) {
    write_root_certificate(certificates);
    url = with_root_certificate(url, kRootCertificateFile);
  }
  require_encryption(url);
  return url;
}

void require_database_url() {
  if (!environment_value(kUrl).empty() || !environment_value(kParameter).empty()) return;
  throw Error(ErrorKind::usage, fmt::format("neither {} nor {} is set", kUrl, kParameter));
}

}  // namespace pana
