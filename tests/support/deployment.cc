#include "support/deployment.h"

#include <fmt/format.h>

#include <fstream>
#include <stdexcept>

namespace pana::test {
namespace fs = std::filesystem;
namespace {

// The environment reaches everything: the provider, the S3 backend and the variables. Nothing is written into the copy.
std::map<std::string, std::string> environment_with(const S3Server& aws, const fs::path& zip) {
  std::map<std::string, std::string> environment = {
      {"AWS_PROFILE", ""},
      {"TF_VAR_aws_region", aws.environment().at("AWS_REGION")},
      {"TF_VAR_alert_email", "ops@example.com"},
      {"TF_VAR_supabase_db_url",
       fmt::format("postgresql://postgres.abcdefghijklmnopqrst:{}@aws-0-eu-central-1.pooler.supabase.com:5432/"
                   "postgres?sslmode=require",
                   Deployment::kPassword)},
      {"TF_VAR_lambda_zip", zip}};
  environment.insert(aws.environment().begin(), aws.environment().end());
  return environment;
}

fs::path some_zip(const fs::path& directory) {
  std::ofstream(directory / "pana.zip") << "nobody runs this";
  return directory / "pana.zip";
}

}  // namespace

std::optional<std::string> Deployment::missing() {
  static const std::optional<std::string> terraform = Terraform::missing();  // asked once: it takes a moment
  static const std::optional<std::string> moto = S3Server::moto_missing();
  return terraform ? terraform : moto;
}

Deployment& Deployment::shared() {
  static Deployment deployment;
  return deployment;
}

Deployment::Deployment(const std::optional<fs::path>& zip)
    : aws_(S3Server::aws()), terraform_(environment_with(*aws_, zip ? *zip : some_zip(zip_directory_.path()))) {
  terraform_.run_successfully({"init", "-lockfile=readonly"}, "bootstrap");
  terraform_.run_successfully({"apply", "-auto-approve"}, "bootstrap");
  remove_bucket_policy("pana-terraform-state");
  terraform_.run_successfully({"init", "-lockfile=readonly", "-backend-config=backend.hcl.example"});
  terraform_.run_successfully({"plan", "-out=first.tfplan"});
  terraform_.run_successfully({"apply", "first.tfplan"});
  terraform_.run_successfully({"plan", "-out=second.tfplan"});
  plan_ = terraform_.show("second.tfplan");
}

nlohmann::json Deployment::resource(const std::string& address) const {
  for (const nlohmann::json& resource : plan_.at("planned_values").at("root_module").at("resources")) {
    if (resource.at("address") == address) return resource.at("values");
  }
  throw std::runtime_error("Terraform made no " + address);
}

std::map<std::string, nlohmann::json> Deployment::resources(const std::string& type) const {
  std::map<std::string, nlohmann::json> found;
  for (const nlohmann::json& resource : plan_.at("planned_values").at("root_module").at("resources")) {
    if (resource.at("type") == type) found[resource.at("address")] = resource.at("values");
  }
  return found;
}

std::string Deployment::output(const std::string& name) const {
  return plan_.at("planned_values").at("outputs").at(name).at("value");
}

void Deployment::remove_bucket_policy(const std::string& bucket) { aws_->request("DELETE", "/" + bucket, "policy="); }

}  // namespace pana::test
