#include "pg/database_address.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

#include "base/error.h"

namespace pana {
namespace {

// Without what this machine's user has set up for libpq.
class DatabaseAddressTest : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"PGHOST", "PGHOSTADDR", "PGPORT", "PGDATABASE", "PGUSER", "PGPASSWORD", "PGSERVICE",
                             "PGSSLMODE", "PGREQUIRESSL", "PGGSSENCMODE"}) {
      ::unsetenv(name);
    }
    ::setenv("PGSERVICEFILE", service_file_.c_str(), 1);
  }
  void TearDown() override {
    SetUp();
    ::unsetenv("PGSERVICEFILE");
    std::filesystem::remove(service_file_);
  }

  void write_service(const std::string& lines) const { std::ofstream(service_file_) << "[shop]\n" << lines; }

  static std::string parameter(const std::string& conninfo, const std::string& keyword) {
    std::map<std::string, std::string> values;
    const DatabaseAddress address(conninfo);
    for (const auto& [name, value] : address.parameters()) values[name] = value;
    return values[keyword];
  }
  static std::string sslmode(const std::string& conninfo) { return parameter(conninfo, "sslmode"); }

  const std::filesystem::path service_file_ = testing::TempDir() + "/pana_pg_service.conf";
};

// "host=" says the socket, but libpq would pass over it, and PGHOST would name another server.
TEST_F(DatabaseAddressTest, LeavesNothingThatIsGivenEmptyToTheEnvironment) {
  EXPECT_NO_THROW(DatabaseAddress("host='' dbname=d"));
  ::setenv("PGHOST", "production.example.com", 1);
  EXPECT_THROW(DatabaseAddress("host='' dbname=d"), Error);
  EXPECT_NO_THROW(DatabaseAddress("dbname=d"));
  EXPECT_NO_THROW(DatabaseAddress("postgresql:///d"));
}

TEST_F(DatabaseAddressTest, DemandsEncryptionTowardsEveryOtherMachine) {
  for (const char* conninfo :
       {"postgresql://db.example.com/d", "host=db.example.com", "host=127.0.0.1,db.example.com",
        "host=db.example.com,127.0.0.1", "postgresql://127.0.0.1:5432,db.example.com:5432/d", "host=127.example.com",
        "host=127.0.0.1.example.com", "host=127.0.0.1 hostaddr=192.0.2.1", "host=db.example.com hostaddr=127.0.0.1",
        "host=::2", "host=/tmp,db.example.com", "host=localhost.example.com"}) {
    EXPECT_EQ("require", sslmode(conninfo)) << conninfo;
    EXPECT_EQ("require", DatabaseAddress(conninfo).sslmode()) << conninfo;
    EXPECT_FALSE(DatabaseAddress(conninfo).is_local()) << conninfo;
  }
  for (const char* conninfo :
       {"", "host=/var/run/postgresql", "host=@pana", "host=localhost", "host=127.0.0.1", "host=127.8.9.1", "host=::1",
        "postgresql://[::1]/d", "host=127.0.0.1,::1,/tmp", "hostaddr=127.0.0.1"}) {
    EXPECT_EQ("", sslmode(conninfo)) << conninfo;
    EXPECT_TRUE(DatabaseAddress(conninfo).is_local()) << conninfo;
  }
}

TEST_F(DatabaseAddressTest, LeavesAnSslmodeAloneThatSomebodyGave) {
  EXPECT_EQ("disable", sslmode("host=db.example.com sslmode=disable"));
  EXPECT_EQ("prefer", sslmode("postgresql://db.example.com/d?sslmode=prefer"));
  EXPECT_EQ("require", sslmode("host=db.example.com sslmode=''")) << "an empty one is none for libpq";
  ::setenv("PGSSLMODE", "prefer", 1);
  EXPECT_EQ("", sslmode("host=db.example.com"));
  EXPECT_EQ("prefer", DatabaseAddress("host=db.example.com").sslmode());
}

TEST_F(DatabaseAddressTest, TakesTheHostOfTheEnvironment) {
  ::setenv("PGHOST", "db.example.com", 1);
  EXPECT_EQ("require", sslmode(""));
  EXPECT_EQ("db.example.com:5432/d", DatabaseAddress("dbname=d").description());
  ::setenv("PGHOST", "127.0.0.1", 1);
  EXPECT_EQ("", sslmode(""));
}

TEST_F(DatabaseAddressTest, KnowsWhatAServiceFileSays) {
  write_service("host=db.example.com\nport=6000\ndbname=orders\n");
  EXPECT_EQ("require", sslmode("service=shop"));
  EXPECT_EQ("db.example.com:6000/orders", DatabaseAddress("service=shop").description());
  ::setenv("PGSERVICE", "shop", 1);
  EXPECT_EQ("require", sslmode(""));
  ::unsetenv("PGSERVICE");
  write_service("host=db.example.com\nsslmode=verify-full\nkeepalives_idle=7\n");
  EXPECT_EQ("", sslmode("service=shop")) << "the service's own is libpq's to apply";
  EXPECT_EQ("verify-full", DatabaseAddress("service=shop").sslmode());
  EXPECT_EQ("", parameter("service=shop", "keepalives_idle"));
  write_service("host=db.example.com\nsslmode=disable\n");
  EXPECT_EQ("disable", DatabaseAddress("service=shop").sslmode());
  write_service("host=127.0.0.1\n");
  EXPECT_EQ("", sslmode("service=shop"));
  EXPECT_EQ("require", sslmode("service=shop host=db.example.com"));
}

TEST_F(DatabaseAddressTest, CompletesWhatNobodyHasSaid) {
  EXPECT_EQ("pana", parameter("host=h", "fallback_application_name"));
  EXPECT_EQ("30", parameter("host=h", "keepalives_idle"));
  EXPECT_EQ("5", parameter("host=h keepalives_idle=5", "keepalives_idle"));
  EXPECT_EQ("", parameter("host=h", "target_session_attrs"));
}

TEST_F(DatabaseAddressTest, DescribesItselfWithoutAPassword) {
  EXPECT_EQ("h:5432/d", DatabaseAddress("postgresql://u:s3cret@h/d").description());
  EXPECT_EQ("a,b:1,2/d", DatabaseAddress("host=a,b port=1,2 dbname=d password = s3cret").description());
  EXPECT_EQ("local socket:5432/d", DatabaseAddress("dbname=d").description());
  EXPECT_EQ(std::string::npos, DatabaseAddress("host=h,password=s3cret dbname=d").description().find("s3cret"));
  EXPECT_EQ(std::string::npos, DatabaseAddress("host=h dbname=postgresql://u:s3cret@h/d").description().find("s3cret"));
}

TEST_F(DatabaseAddressTest, RepeatsNothingOfWhatCannotBeParsed) {
  for (const char* conninfo :
       {"host=h password='s3cret", "s3cret", "postgresql://u:s3cret@[h/d", "postgresql://u:s3cret@h/d?x=y",
        "postgresql://u:s3/cret@h/d", "postgresql://u:s3@cret@h/d", "PASSWORD=s3cret"}) {
    try {
      const DatabaseAddress address(conninfo);
      ADD_FAILURE() << conninfo;
    } catch (const Error& error) {
      EXPECT_EQ(ErrorKind::usage, error.kind());
      EXPECT_EQ(std::string::npos, (error.what() + error.hint()).find("cret")) << error.what() << error.hint();
    }
  }
}

TEST_F(DatabaseAddressTest, SaysWhetherAnybodyNamesTheDatabase) {
  EXPECT_TRUE(DatabaseAddress("postgresql://h/d").names_database());
  EXPECT_TRUE(DatabaseAddress("dbname=d").names_database());
  EXPECT_FALSE(DatabaseAddress("postgresql://u@h").names_database());
  EXPECT_FALSE(DatabaseAddress("postgresql://u@h/").names_database());
  EXPECT_FALSE(DatabaseAddress("").names_database());
  ::setenv("PGDATABASE", "d", 1);
  EXPECT_TRUE(DatabaseAddress("postgresql://u@h").names_database());
  ::unsetenv("PGDATABASE");
}

}  // namespace
}  // namespace pana
