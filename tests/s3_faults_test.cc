// Every fault at every kind of request: no false success, no incomplete backup that can be seen. The table that comes
// out is docs/s3-faults.md; PANA_WRITE_DOCS=1 writes it anew.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "support/pana.h"
#include "support/s3_server.h"

namespace pana::test {
namespace {

namespace fs = std::filesystem;

constexpr const char* kIntroductionOfStores = R"(# What faults of a store lead to

Written by the test `S3Faults` (tests/s3_faults_test.cc), which compares it with what happens: pana works with a store
that fails at one kind of request, once or every time, with three attempts for each request.

* `500`, `503` (SlowDown), `403`, `expired-token`: the store refuses the request and does nothing.
* `reset-before`, `reset-after`: the connection is cut before the store has done what was asked, or after it.
* `hang-before`, `hang-after`: instead, no answer comes, until pana gives up waiting.
* `200-error`: status 200, and an error inside. `wrong-checksum`: the store says it has stored something else.
* `truncate`: half of the answer, then a cut.

A backup is *stored* when the command said so, and then it is whole: each was verified. When the command failed, nothing
can be seen of it, unless the table says *whole*: then all of it was stored before the fault. *Parts stay* of an upload
whose id never arrived, and of one that could not be aborted, until a lifecycle rule or a backup a day later removes them.

)";

struct Case {
  std::string command;  // "backup", "backup of little", "verify", "prune"
  std::string operation;
  std::string fault;
};

class S3Faults : public EndToEnd {
 protected:
  void SetUp() override {
    EndToEnd::SetUp();
    if (IsSkipped()) return;
    if (const auto reason = S3Server::stand_in_missing()) GTEST_SKIP() << *reason;
    server().set_faults(nlohmann::json::array());
    cluster().create_database("faulty");
    cluster().sql(
        "faulty",
        "CREATE TABLE t AS SELECT i AS id, repeat(md5(i::text), 12) AS payload FROM generate_series(1, 30000) AS i");
    cluster().create_database("little");
    cluster().sql("little", "CREATE TABLE t AS SELECT i AS id FROM generate_series(1, 100) AS i");
  }

  static S3Server& server() { return S3Server::stand_in(); }

  static Outcome run_pana(const std::vector<std::string>& arguments) {
    Command command = pana_command(arguments);
    command.environment = server().environment();
    command.environment["AWS_MAX_ATTEMPTS"] = "3";
    command.timeout = std::chrono::minutes(3);
    return pana(command);
  }

  static Outcome back_up_to(const std::string& database, const std::string& location) {
    return run_pana({"backup", cluster().url(database), "--to", location, "--compression", "none", "--part-size",
                     "5MiB", "--read-timeout", "1", "--jobs", "2"});
  }

  static std::string backup_outcome(const Case& fault, const std::string& location) {
    const Outcome outcome = back_up_to(fault.command == "backup" ? "faulty" : "little", location);
    EXPECT_FALSE(outcome.timed_out) << outcome.description();
    const bool parts_stay = !server().uploads(location).empty();
    server().set_faults(nlohmann::json::array());
    const std::vector<std::string> visible = server().keys(location);
    for (const std::string& key : visible) EXPECT_TRUE(ends_with(kOk, run_pana({"verify", location + "/" + key})));
    if (outcome.exit_status == kOk) {
      EXPECT_EQ(1u, visible.size()) << outcome.description();
      return std::string("stored") + (parts_stay ? ", parts stay" : "");
    }
    EXPECT_NE(std::string::npos, outcome.err.find("s3://")) << outcome.description();
    return std::string("fails") + (visible.empty() ? "" : ", whole") + (parts_stay ? ", parts stay" : "");
  }

  static std::string verify_outcome(const std::string& location) {
    const Outcome outcome = run_pana({"verify", location, "--read-timeout", "1"});
    if (outcome.exit_status != kOk) return "fails";
    EXPECT_NE(std::string::npos, outcome.out.find("is whole")) << outcome.description();
    return "verified";
  }

  static std::string prune_outcome(const std::string& location) {
    const Outcome outcome = run_pana({"prune", location, "--keep-last", "1", "--read-timeout", "1"});
    server().set_faults(nlohmann::json::array());
    const std::size_t left = server().keys(location).size();
    EXPECT_GE(left, 1u);
    if (outcome.exit_status != kOk) return left == 1 ? "fails, pruned" : "fails";
    EXPECT_EQ(left, 1u);
    return "pruned";
  }

  static std::string outcome_of(const Case& fault, int times) {
    static int count = 0;
    const std::string location = fmt::format("s3://faults/{}", ++count);
    server().set_faults(nlohmann::json::array());
    const bool reads = fault.command == "verify" || fault.command == "prune";
    for (int i = 0; reads && i < (fault.command == "prune" ? 2 : 1); ++i) {
      EXPECT_TRUE(ends_with(kOk, back_up_to("little", location)));
    }
    server().set_faults({{{"operation", fault.operation}, {"fault", fault.fault}, {"times", times}}});
    if (fault.command == "verify") return verify_outcome(location);
    if (fault.command == "prune") return prune_outcome(location);
    return backup_outcome(fault, location);
  }
};

std::vector<Case> cases() {
  std::vector<Case> cases;
  const auto add = [&cases](const std::string& command, const std::string& operation, std::vector<std::string> more) {
    std::vector<std::string> faults = {"500",          "503",         "403",         "expired-token",
                                       "reset-before", "reset-after", "hang-before", "hang-after"};
    faults.insert(faults.end(), more.begin(), more.end());
    for (const std::string& fault : faults) cases.push_back({command, operation, fault});
  };
  add("backup", "HeadObject", {});
  add("backup", "CreateMultipartUpload", {});
  add("backup", "UploadPart", {"wrong-checksum"});
  add("backup", "CompleteMultipartUpload", {"200-error"});
  add("backup", "GetObject", {"truncate"});
  add("backup of little", "PutObject", {});
  add("verify", "ListObjectsV2", {"truncate"});
  add("verify", "GetObject", {"truncate"});
  add("prune", "DeleteObject", {});
  return cases;
}

TEST_F(S3Faults, NeverLeadToAFalseSuccessNorToHalfABackup) {
  std::string table = kIntroductionOfStores;
  table += "| command | request | fault | once | every time |\n|---|---|---|---|---|\n";
  for (const Case& fault : cases()) {
    SCOPED_TRACE(fault.command + " " + fault.operation + " " + fault.fault);
    const std::string once = outcome_of(fault, 1);
    table += fmt::format("| {} | {} | {} | {} | {} |\n", fault.command, fault.operation, fault.fault, once,
                         outcome_of(fault, -1));
  }
  const std::string path = std::string(PANA_SOURCE_DIR) + "/docs/s3-faults.md";
  if (std::getenv("PANA_WRITE_DOCS") != nullptr) std::ofstream(path) << table;
  std::stringstream committed;
  committed << std::ifstream(path).rdbuf();
  EXPECT_EQ(committed.str(), table);
}

}  // namespace
}  // namespace pana::test
