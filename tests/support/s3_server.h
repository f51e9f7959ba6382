// S3 servers for tests, on loopback: Swift and Ceph's gateway, real ones; moto for IAM; and a stand-in of ours that is
// stricter than they are and fails when it is told to.
#pragma once

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "net/http.h"
#include "support/process.h"
#include "support/temporary_directory.h"

namespace pana::test {

class S3Server {
 public:
  ~S3Server();
  // Shared by all tests; started at first use, stopped with the test program. Tests use buckets of their own.
  static S3Server& stand_in();
  static S3Server& swift();
  static S3Server& radosgw();
  // One bucket and one user with the policy, a JSON document: moto checks what the user may do.
  static std::unique_ptr<S3Server> moto(const std::string& bucket, const std::string& policy);
  // All of AWS that moto knows, not only S3, and whoever asks may do everything.
  static std::unique_ptr<S3Server> aws();

  // The reasons why there can be none on this machine; nothing when there can.
  static std::optional<std::string> stand_in_missing();
  static std::optional<std::string> swift_missing();
  static std::optional<std::string> radosgw_missing();
  static std::optional<std::string> moto_missing();

  // AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL ... for a program; the secret begins like all passwords of the tests.
  const std::map<std::string, std::string>& environment() const { return environment_; }
  const std::string& endpoint() const { return environment_.at("AWS_ENDPOINT_URL"); }

  // Of radosgw alone: the same with the temporary credentials of a role that may do no more than a backup must.
  std::map<std::string, std::string> environment_of_backup_role();

  void create_bucket(const std::string& bucket) { request("PUT", "/" + bucket); }
  // A signed request, for instance request("PUT", "/bucket/key", "", "content"); throws when it is not granted.
  HttpResponse request(const std::string& method, const std::string& path, const std::string& query = "",
                       const std::string& body = "");

  // Of the stand-in alone. A fault: {"operation": "UploadPart", "fault": "500", "times": 1, "after": 0}.
  void set_faults(const nlohmann::json& faults) { control("/_faults", faults.dump()); }
  void set_rate(std::uint64_t bytes_per_second) { control("/_rate", std::to_string(bytes_per_second)); }
  void set_delay(double seconds) { control("/_delay", std::to_string(seconds)); }  // before each answer
  void set_page(std::uint64_t keys) { control("/_page", std::to_string(keys)); }   // of a list
  void age_uploads(std::uint64_t seconds) { control("/_age", std::to_string(seconds)); }
  void age_beginnings(std::uint64_t seconds) { control("/_age_begin", std::to_string(seconds)); }  // but not the parts
  void set_lifetime(std::uint64_t seconds) { control("/_lifetime", std::to_string(seconds)); }
  // The keys of the multipart uploads under way to a location, s3://bucket or s3://bucket/prefix.
  std::vector<std::string> uploads(const std::string& location);
  // The keys of a location's objects, as pana's own store lists them.
  std::vector<std::string> keys(const std::string& location) const;
  std::uint64_t requests(const std::string& operation);
  std::map<std::string, std::string> written_with() { return control("/_state", "").at("written_with"); }

 private:
  S3Server(const std::string& script, const std::string& key_id, bool wants_directory);
  explicit S3Server(const std::vector<std::string>& moto_arguments);
  nlohmann::json control(const std::string& path, const std::string& body);

  TemporaryDirectory directory_;
  std::unique_ptr<Background> server_;
  std::map<std::string, std::string> environment_;
};

// Sets the variables of this process while it lives.
class Environment {
 public:
  explicit Environment(const std::map<std::string, std::string>& variables);
  ~Environment();
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

 private:
  std::map<std::string, std::optional<std::string>> before_;
};

}  // namespace pana::test
