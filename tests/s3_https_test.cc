// The environment says how a store is reached: by which proxy, and whose certificates are trusted.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "base/error.h"
#include "store/s3_store.h"
#include "support/process.h"
#include "support/s3_server.h"
#include "support/temporary_directory.h"

namespace pana::test {
namespace {

using testing::HasSubstr;

// The stand-in behind TLS, at 127.0.0.1 or, through the proxy only, at store.example.
class S3Https : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto reason = S3Server::stand_in_missing()) GTEST_SKIP() << *reason;
    if (!find_program("openssl")) GTEST_SKIP() << "openssl is not installed (package openssl)";
    server().set_faults(nlohmann::json::array());
    run_successfully({.argv = {"openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
                               "/CN=store.example", "-addext", "subjectAltName=DNS:store.example,IP:127.0.0.1",
                               "-keyout", key(), "-out", certificate()}});
    const std::string endpoint = server().endpoint();
    front_ = std::make_unique<Background>(
        Command{.argv = {"/usr/bin/python3", std::string(PANA_SOURCE_DIR) + "/tests/support/tls_front.py",
                         certificate(), key(), endpoint.substr(endpoint.rfind(':') + 1)}});
    std::istringstream(first_line_of(*front_)) >> tls_port_ >> proxy_port_;
  }

  static S3Server& server() { return S3Server::stand_in(); }
  std::string certificate() const { return directory_ / "certificate.pem"; }
  std::string key() const { return directory_ / "key.pem"; }
  std::string here() const { return "https://127.0.0.1:" + tls_port_; }
  std::string proxy() const { return "http://127.0.0.1:" + proxy_port_; }

  // What goes wrong with a list, and the hint; nothing when the store has answered.
  static std::string list_with(const std::map<std::string, std::string>& variables) {
    std::map<std::string, std::string> all = server().environment();
    for (const char* name : {"AWS_CA_BUNDLE", "SSL_CERT_FILE", "HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy",
                             "ALL_PROXY", "all_proxy"})
      all[name] = "";
    for (const auto& [name, value] : variables) all[name] = value;
    const Environment environment(all);
    const std::uint64_t before = server().requests("ListObjectsV2");
    try {
      S3Store("s3://https", {}, {}).list();
    } catch (const Error& error) {
      return fmt::format("{} HINT: {}", error.what(), error.hint());
    }
    EXPECT_EQ(server().requests("ListObjectsV2"), before + 1);
    return {};
  }

  TemporaryDirectory directory_;
  std::unique_ptr<Background> front_;
  std::string tls_port_;
  std::string proxy_port_;
};

TEST_F(S3Https, TrustsTheAuthoritiesOfAwsCaBundleAlone) {
  EXPECT_EQ(list_with({{"AWS_ENDPOINT_URL", here()}, {"AWS_CA_BUNDLE", certificate()}}), "");
  EXPECT_EQ(list_with({{"AWS_ENDPOINT_URL", here()}, {"SSL_CERT_FILE", certificate()}}), "");
  EXPECT_THAT(list_with({{"AWS_ENDPOINT_URL", here()}}), HasSubstr("AWS_CA_BUNDLE"));
  EXPECT_THAT(list_with({{"AWS_ENDPOINT_URL", here()}, {"AWS_CA_BUNDLE", key()}}), HasSubstr("AWS_CA_BUNDLE"));
}

TEST_F(S3Https, GoesThroughHttpsProxy) {
  const std::map<std::string, std::string> far = {
      {"AWS_ENDPOINT_URL", "https://store.example"}, {"AWS_CA_BUNDLE", certificate()}, {"HTTPS_PROXY", proxy()}};
  EXPECT_EQ(list_with(far), "");
  std::map<std::string, std::string> untrusted = far;
  untrusted["AWS_CA_BUNDLE"] = "";
  EXPECT_THAT(list_with(untrusted), HasSubstr("AWS_CA_BUNDLE"));
}

TEST_F(S3Https, GoesPastTheProxyWhereNoProxySaysSo) {
  std::map<std::string, std::string> variables = {{"AWS_ENDPOINT_URL", here()},
                                                  {"AWS_CA_BUNDLE", certificate()},
                                                  {"HTTPS_PROXY", "http://127.0.0.1:1"}};  // nobody listens there
  EXPECT_THAT(list_with(variables), HasSubstr("no answer from"));
  variables["NO_PROXY"] = "example.com,127.0.0.1";
  EXPECT_EQ(list_with(variables), "");
}

}  // namespace
}  // namespace pana::test
