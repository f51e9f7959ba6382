// Memory is a small constant: what a database of any size costs.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>

#include "base/time.h"
#include "support/pana.h"
#include "support/s3_server.h"
#include "support/synthetic_backup.h"

namespace pana::test {
namespace {

// The highest resident size so far, in KiB; 0 when the process has ended.
long peak_kib(pid_t pid) {
  std::ifstream status(fmt::format("/proc/{}/status", pid));
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::atol(line.c_str() + 6);
  }
  return 0;
}

class Memory : public EndToEnd {
 protected:
  void SetUp() override {
    EndToEnd::SetUp();
    if (!IsSkipped() && kSanitized) GTEST_SKIP() << "a sanitizer's own memory would be measured";
  }

  static long peak_kib_of(const std::vector<std::string>& arguments) {
    Background program(pana_command(arguments));
    long peak = 0;
    do {
      peak = std::max(peak, peak_kib(program.pid()));
    } while (!program.ends_within(std::chrono::milliseconds(5)));
    EXPECT_TRUE(ends_with(kOk, program.wait()));
    return peak;
  }
};

TEST_F(Memory, StaysBelow80MiBWithFourJobs) {
  const std::string url = cluster().url(big().database);
  const std::vector<std::string> backup = {"backup", url, "--to", backups_.path(), "--jobs", "4", "--compression"};
  for (const char* compression : {"none", "zstd"}) {
    std::vector<std::string> arguments = backup;
    arguments.push_back(compression);
    EXPECT_LE(peak_kib_of(arguments), 80 * 1024) << compression;
  }
  EXPECT_LE(peak_kib_of({"restore", backups_.path(), "--into", fresh_database("restored")}), 80 * 1024);
  EXPECT_LE(peak_kib_of({"verify", backups_.path(), "--against", url}), 80 * 1024);
}

// A store at 20 MB/s holds the readers up; what waits for it must not pile up.
TEST_F(Memory, StaysBelow110MiBWhenASlowStoreIsUploadedTo) {
  if (const auto reason = S3Server::stand_in_missing()) GTEST_SKIP() << *reason;
  S3Server& server = S3Server::stand_in();
  const Environment environment(server.environment());
  server.set_faults(nlohmann::json::array());
  server.set_rate(20'000'000);
  EXPECT_LE(peak_kib_of({"backup", cluster().url(big().database), "--to", "s3://memory/slow", "--jobs", "4"}),
            110 * 1024);
  server.set_rate(0);
}

// A row is held once, however long it is: it comes from the socket in pieces, and the parts of the upload are views of
// it.
TEST_F(Memory, HoldsALongRowOnce) {
  constexpr long kRowKib = 100 * 1024;
  const std::string url = fresh_database("long_row");
  cluster().sql("long_row", fmt::format("CREATE TABLE t AS SELECT repeat('x', {}) AS body", kRowKib * 1024));
  const long plain = peak_kib_of({"backup", url, "--to", backups_.path(), "--jobs", "1"});
  EXPECT_LE(plain, kRowKib * 13 / 10 + 30 * 1024);
  RecordProperty("plain_kib", std::to_string(plain));
  EXPECT_LE(peak_kib_of({"backup", url, "--to", backups_.path(), "--jobs", "1", "--compression", "zstd"}),
            50 * 1024);  // 33 to 47 MiB: by how far the compression is behind
  EXPECT_LE(peak_kib_of({"verify", backups_.path(), "--against", url, "--jobs", "1"}), 40 * 1024);
  fmt::print("a row of {} KiB: {} KiB plain\n", kRowKib, plain);
}

// Sixteen times the rows: as much memory. What the smaller one may lack are the buffers it does not come to fill.
TEST_F(Memory, DoesNotGrowWithTheDatabase) {
  const auto peaks_of = [&](const std::string& name, int rows) {
    const std::string url = fresh_database(name);
    cluster().sql(name, fmt::format("CREATE TABLE t AS SELECT i AS id, repeat(md5(i::text), 12) AS payload "
                                    "FROM generate_series(1, {}) AS i",
                                    rows));
    const TemporaryDirectory backups;
    const std::vector<long> peaks = {peak_kib_of({"backup", url, "--to", backups.path(), "--compression", "zstd"}),
                                     peak_kib_of({"verify", backups.path(), "--against", url})};
    cluster().sql("postgres", fmt::format("DROP DATABASE {}", name));
    return peaks;
  };
  const std::vector<long> once = peaks_of("once", 120'000);  // some 48 MB
  const std::vector<long> sixteen_times = peaks_of("sixteen_times", 1'920'000);
  for (std::size_t i = 0; i < once.size(); ++i) EXPECT_LE(sixteen_times[i], once[i] + 16 * 1024) << "program " << i;
}

// Of a year of large backups, pana list keeps a line each.
TEST_F(Memory, StaysBelow60MiBWhenAYearOfLargeBackupsIsListed) {
  const std::string compressed = terabyte_backup();
  for (int day = 0; day < 365; ++day) {
    const std::string key = "backup_" + compact_time(TimePoint() + std::chrono::hours(24 * day)) + ".sql";
    if (day % 2 == 0) {
      write_plain_terabyte(backups_ / key);
    } else {
      std::ofstream(backups_ / (key + ".zst"), std::ios::binary) << compressed;
    }
  }
  EXPECT_LE(peak_kib_of({"list", backups_.path()}), 60 * 1024);
}

}  // namespace
}  // namespace pana::test
