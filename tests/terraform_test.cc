// terraform/ by itself, without AWS: its form, its validity, and its own tests.
#include "support/terraform.h"

#include <gtest/gtest.h>

namespace pana::test {
namespace {

class TerraformFiles : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto reason = Terraform::missing()) GTEST_SKIP() << *reason;
  }

  void expect_success(const std::vector<std::string>& arguments, const std::string& directory = "") {
    const Outcome outcome = terraform().run(arguments, directory);
    EXPECT_TRUE(outcome.succeeded()) << outcome.description();
  }

  // Nobody listens there: whoever talks to AWS fails.
  Terraform& terraform() {
    if (!terraform_) {
      terraform_.emplace(std::map<std::string, std::string>{{"AWS_ENDPOINT_URL", "http://127.0.0.1:1"},
                                                            {"AWS_PROFILE", ""},
                                                            {"AWS_CONFIG_FILE", "/dev/null"},
                                                            {"AWS_SHARED_CREDENTIALS_FILE", "/dev/null"},
                                                            {"AWS_EC2_METADATA_DISABLED", "true"}});
    }
    return *terraform_;
  }

 private:
  std::optional<Terraform> terraform_;
};

TEST_F(TerraformFiles, AreFormatted) { expect_success({"fmt", "-check", "-diff", "-recursive"}); }

TEST_F(TerraformFiles, AreValidAndHoldWhatTheirTestsSay) {
  // The lock file must know the provider that is installed here, and is not to be changed by that.
  for (const char* directory : {"", "bootstrap"}) {
    expect_success({"init", "-backend=false", "-lockfile=readonly"}, directory);
    expect_success({"validate"}, directory);
  }
  expect_success({"test"});
}

}  // namespace
}  // namespace pana::test
