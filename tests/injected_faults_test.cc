// One call fails, whichever it is: of the socket, the compressor, the heap, the store. Exit status 0 means that the
// backup is the database; any other that nothing is to be seen.
//
// PANA_INJECT_ALL=1 strikes at every call; without it, at some of each function, spread over all of its calls. With
// PANA_WRITE_DOCS=1 the figures of all calls go to docs/faults-injected.md.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <set>

#include "support/pana.h"
#include "support/s3_server.h"

namespace pana::test {
namespace {

namespace fs = std::filesystem;

struct InjectionTally {
  std::uint64_t calls = 0;
  int struck = 0;
  int stored = 0;
  std::map<int, int> statuses;
};

class InjectedFaults : public EndToEnd {
 protected:
  void SetUp() override {
    EndToEnd::SetUp();
    if (IsSkipped()) return;
    if (kSanitized) GTEST_SKIP() << "a sanitizer wants to be the first library";
    url_ = fresh_database("struck");
    cluster().sql("struck", R"(
      CREATE TABLE large AS SELECT i, repeat(md5(i::text), 12) AS t FROM generate_series(1, 15000) AS i;
      CREATE TABLE small AS SELECT i FROM generate_series(1, 100) AS i; CREATE INDEX ON small (i);
      CREATE SEQUENCE numbers; SELECT lo_from_bytea(4711, 'large'))");
  }

  Command with_fault(Command command, const std::string& function, std::uint64_t at, bool lasts) const {
    command.environment["LD_PRELOAD"] = PANA_FAULT_INJECTION;
    command.environment["PANA_FAULT"] = function;
    command.environment["PANA_FAULT_AT"] = std::to_string(at);
    command.environment["PANA_FAULT_CALLS"] = calls_file();
    if (lasts) command.environment["PANA_FAULT_LASTS"] = "1";
    command.timeout = std::chrono::seconds(90);
    return command;
  }

  std::string calls_file() const { return (scratch_.path() / "calls"); }

  std::uint64_t calls_made() const {
    std::uint64_t calls = 0;
    std::ifstream(calls_file(), std::ios::binary).read(reinterpret_cast<char*>(&calls), sizeof(calls));
    return calls;
  }

  // Which calls are struck: all, or some that are spread over them.
  static std::set<std::uint64_t> chosen(std::uint64_t calls, std::uint64_t at_most) {
    std::set<std::uint64_t> all;
    const bool every = std::getenv("PANA_INJECT_ALL") != nullptr && calls <= 2000;
    const std::uint64_t count =
        every ? calls : std::min(calls, std::getenv("PANA_INJECT_ALL") != nullptr ? 400 : at_most);
    for (std::uint64_t i = 1; i <= count; ++i) all.insert(1 + (calls - 1) * i / std::max<std::uint64_t>(count, 1));
    if (calls > 0) all.insert({1, calls});
    return all;
  }

  InjectionTally strike(const std::string& function, const std::vector<std::string>& options, std::uint64_t at_most,
                        bool lasts = false) {
    std::vector<std::string> arguments = {"backup", url_, "--to", backups_.path(), "--jobs", "2", "--lock-wait", "2"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    const Command backup = pana_command(arguments);
    InjectionTally tally;
    fs::remove(calls_file());
    EXPECT_TRUE(ends_with(kOk, pana(with_fault(backup, function, 0, false))));
    tally.calls = calls_made();
    EXPECT_GT(tally.calls, 0) << function << " is called: or nothing was tested";
    clear();
    for (const std::uint64_t at : chosen(tally.calls, at_most)) {
      SCOPED_TRACE(fmt::format("{} call {} of {}", function, at, tally.calls));
      fs::remove(calls_file());
      const Outcome outcome = pana(with_fault(backup, function, at, lasts));
      EXPECT_FALSE(outcome.timed_out);
      // Some functions of the libraries must not throw, and end the program when there is no memory.
      const bool is_crash = outcome.signal == SIGABRT && function == "new";
      EXPECT_TRUE(outcome.signal == 0 || is_crash) << outcome.description();
      if (calls_made() >= at) ++tally.struck;
      ++tally.statuses[outcome.exit_status];
      if (outcome.exit_status == kOk) {
        ++tally.stored;
        EXPECT_TRUE(ends_with(kOk, pana({"verify", backups_.path()})));
        EXPECT_TRUE(ends_with(kOk, pana({"verify", backups_.path(), "--against", url_})));
      } else {
        // What was stored and could not be read back is whole all the same, or it would not be there.
        for (const fs::path& file : backups_in(backups_.path()))
          EXPECT_TRUE(ends_with(kOk, pana({"verify", file, "--against", url_}))) << outcome.err;
        EXPECT_TRUE(is_crash || strangers_in(backups_.path()).empty()) << outcome.err;
      }
      clear();
      if (HasFailure()) break;
    }
    return tally;
  }

  void clear() const {
    for (const fs::directory_entry& entry : fs::directory_iterator(backups_.path())) fs::remove(entry.path());
  }

  std::string url_;
  TemporaryDirectory scratch_;
};

TEST_F(InjectedFaults, NeverGiveASuccessThatIsNone) {
  struct Case {
    const char* function;
    const char* fails;
    std::vector<std::string> options;
    std::uint64_t at_most;
    bool lasts;
  };
  const std::vector<Case> cases = {
      {"recv", "what comes from the server", {}, 12, false},
      {"recv", "the same, and all that would come later", {}, 5, true},
      {"send", "what goes to the server", {}, 12, false},
      {"ZSTD_compressStream2", "the compressor", {"--compression", "zstd"}, 12, false},
      {"pwrite", "a part's way into the file", {}, 12, false},
      {"pwrite", "the same, on a disk that stays full", {}, 5, true},
      {"fsync", "the file or its directory, to be made durable", {}, 5, false},
      {"renameat2", "the file's final name", {}, 2, false},
      {"pread", "the backup, when it is read back", {}, 10, false},
      {"new", "the heap", {"--compression", "zstd"}, 12, false},
  };
  std::string table;
  for (const Case& one : cases) {
    SCOPED_TRACE(one.function);
    const InjectionTally tally = strike(one.function, one.options, one.at_most, one.lasts);
    std::string statuses;
    for (const auto& [status, count] : tally.statuses) {
      statuses +=
          fmt::format("{}{}: {}", statuses.empty() ? "" : ", ", status < 0 ? "crash" : std::to_string(status), count);
    }
    table += fmt::format("| `{}` | {} | {} | {} | {} | {} |\n", one.function, one.fails, tally.calls, tally.struck,
                         tally.stored, statuses);
    if (HasFailure()) break;
  }
  fmt::print("{}", table);
  if (HasFailure() || std::getenv("PANA_WRITE_DOCS") == nullptr || std::getenv("PANA_INJECT_ALL") == nullptr) return;
  std::ofstream(fs::path(PANA_SOURCE_DIR) / "docs" / "faults-injected.md")
      << fmt::format(R"(# One call fails, whichever it is

Written by the test `InjectedFaults` (tests/injected_faults_test.cc) with PANA_INJECT_ALL=1: in a backup of a small database with
two jobs one call of a function fails, the first, the second, and so on to the last (of a function with over 2,000 calls 400 of
them, spread over all). *Stored* backups ended with status 0; each was verified and compared with the database. After all others
nothing was to be seen that is not equal to the database, and no temporary file but after a *crash*: without memory, some
functions of the libraries end the program (SIGABRT). False successes: 0.

| function | what fails | calls in a backup | struck | stored | exit statuses |
|---|---|---|---|---|---|
{})",
                     table);
}

}  // namespace
}  // namespace pana::test
