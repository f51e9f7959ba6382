// terraform/ applied to moto, a stand-in for AWS, with its state in a bucket there: what a user gets who follows the
// guide.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "support/s3_server.h"
#include "support/terraform.h"

namespace pana::test {

class Deployment {
 public:
  // The password in supabase_db_url, which must show up nowhere. It begins like all passwords of the tests.
  static constexpr const char* kPassword = "secret-of-the-deployment";

  // Applied at first use, which takes a minute, and stopped with the test program. The last test of deployment_test.cc
  // destroys what is at moto; what the functions below return stays.
  static Deployment& shared();
  // Of a zip of one's own; without one, of some bytes that nobody runs. Takes a minute: the provider watches the
  // lifecycle rule for 55 s.
  explicit Deployment(const std::optional<std::filesystem::path>& zip = std::nullopt);

  // The reason why there can be none on this machine; nothing when there can.
  static std::optional<std::string> missing();

  // A plan made after everything was applied, as Terraform's JSON has it: the changes in it are what moto does not
  // keep.
  const nlohmann::json& plan() const { return plan_; }
  // The values of a resource in that plan, like "aws_iam_role_policy.backup", all of them known.
  nlohmann::json resource(const std::string& address) const;
  // All resources of a type, by address.
  std::map<std::string, nlohmann::json> resources(const std::string& type) const;
  std::string output(const std::string& name) const;

  // For more runs; what all of them printed is there as well.
  Terraform& terraform() { return terraform_; }
  // moto itself, for requests and for the environment of other programs.
  S3Server& aws() { return *aws_; }
  // moto ignores the conditions of a bucket's policy: with the one that wants TLS it refuses every request for data.
  void remove_bucket_policy(const std::string& bucket);

 private:
  std::unique_ptr<S3Server> aws_;
  TemporaryDirectory zip_directory_;
  Terraform terraform_;
  nlohmann::json plan_;
};

}  // namespace pana::test
