#include "pg/conninfo.h"

#include <gtest/gtest.h>

namespace pana {
namespace {

TEST(Conninfo, ShowsWhatIsNoSecret) {
  for (const char* text :
       {"", "host=h port=5432 dbname='a b' sslmode=require", "postgresql://user@h:5432/db?sslmode=require",
        "s3://bucket/prefix", "backups/backup_20260101_020304.sql", "host=h passfile=pgpass",
        "postgresql://passenger@h/db?application_name=x", "--lock-wait=5", "5432 = 5432"}) {
    EXPECT_EQ(text, redacted(text));
  }
}

// As conninfo_parse() of fe-connect.c reads it.
TEST(Conninfo, FindsPasswordsAsLibpqDoes) {
  EXPECT_EQ("host=h password=***", redacted("host=h password=s3cret"));
  EXPECT_EQ("host=h password = *** port=1", redacted("host=h password = s3cret port=1"));
  EXPECT_EQ("password\t=\n*** port=1", redacted("password\t=\ns3cret port=1"));
  EXPECT_EQ("password = *** port=1", redacted(R"(password = 'a b\'c' port=1)"));
  EXPECT_EQ("password=***port=1", redacted(R"(password='a\\'port=1)"));
  EXPECT_EQ("password=*** port=1", redacted(R"(password=a\ b port=1)"));
  EXPECT_EQ("password= ***", redacted("password= port=1")) << "libpq takes port=1 for the password";
  EXPECT_EQ("sslpassword=*** password=*** password=***", redacted("sslpassword=a password=b password=c"));
  EXPECT_EQ("user='password=*** password=***", redacted("user='password=' password='x'"));
  EXPECT_EQ(std::string::npos, redacted("host='password=' password='s3cret'").find("s3cret"));
  EXPECT_EQ(std::string::npos, redacted("options=host='b password=s3cret").find("s3cret"));
}

TEST(Conninfo, FindsPasswordsOfUrls) {
  EXPECT_EQ("postgresql://u:***@h/d", redacted("postgresql://u:s3cret@h/d"));
  EXPECT_EQ("postgres://u:***@h/d", redacted("postgres://u:s3/cr@t@h/d")) << "not encoded: its rest is no host";
  EXPECT_EQ("postgresql://:***@/d", redacted("postgresql://:my pass word@/d"));
  EXPECT_EQ("postgresql://h/d?password=***&sslmode=require",
            redacted("postgresql://h/d?password=s3cret&sslmode=require"));
  EXPECT_EQ("postgresql://h/d?user=u&sslpassword=***", redacted("postgresql://h/d?user=u&sslpassword=a b"));
  EXPECT_EQ("postgresql://h/d?p%61ssword=***", redacted("postgresql://h/d?p%61ssword=s3cret"));
  EXPECT_EQ("dbname=postgresql://u:***@h/d", redacted("dbname=postgresql://u:s3cret@h/d"));
}

TEST(Conninfo, HidesRatherTooMuchOfWhatLibpqWouldNotTake) {
  EXPECT_EQ("host=h password = ***", redacted("host=h password = 's3cret"));
  EXPECT_EQ("no such thing password = ***", redacted("no such thing password = s3cret"));
  EXPECT_EQ("PASSWORD=*** passwd=*** oauth_client_secret=***", redacted("PASSWORD=a passwd=b oauth_client_secret=c"));
  EXPECT_EQ("Host=h;Password=***", redacted("Host=h;Password=s3cret;Database=d"));
  EXPECT_EQ("host=h,password=***", redacted("host=h,password=s3cret"));
  EXPECT_EQ("--into=password = ***", redacted("--into=password = s3cret"));
  EXPECT_EQ("--into=host=h password=***", redacted("--into=host=h password='a b'"));
  EXPECT_EQ("not expected: host=h password=*** --jobs", redacted("not expected: host=h password=x --jobs"));
  EXPECT_EQ("s3://key:***@bucket", redacted("s3://key:s3cret@bucket"));
}

TEST(Conninfo, KnowsWhatIsMeantForADatabase) {
  for (const char* text : {"postgresql://", "postgres://h/d", "host=h password = x"})
    EXPECT_TRUE(is_connection_string(text)) << text;
  for (const char* text : {"", "backups", "s3://key:secret@bucket", "a=b"})
    EXPECT_FALSE(is_connection_string(text)) << text;
}

}  // namespace
}  // namespace pana
