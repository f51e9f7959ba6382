// pana restore --globals: roles and the database's own properties, against what pg_dumpall and pg_dump --create would
// bring.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <regex>
#include <sstream>

#include "base/json.h"
#include "support/cluster.h"
#include "support/pana.h"

namespace pana::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsSupersetOf;
using testing::Not;

constexpr const char* kRoles = R"(
CREATE ROLE shop_owner CREATEDB CREATEROLE;
CREATE ROLE shop_app LOGIN NOINHERIT CONNECTION LIMIT 7 VALID UNTIL '2031-05-06 07:08:09+00' PASSWORD 'never to be seen';
CREATE ROLE staff;
CREATE ROLE alice LOGIN;
CREATE ROLE "Quoted ""Role""";
CREATE ROLE auditors BYPASSRLS REPLICATION;
CREATE ROLE somebody_else LOGIN; CREATE ROLE club; GRANT club TO alice;
COMMENT ON ROLE staff IS 'who''s who';
GRANT staff TO alice WITH ADMIN OPTION; GRANT auditors TO staff; GRANT staff TO "Quoted ""Role"""; GRANT pg_monitor TO shop_app;
ALTER ROLE shop_app SET statement_timeout = '5s'; ALTER ROLE shop_app SET search_path = "$user", sales, "odd, name";
ALTER ROLE shop_app IN DATABASE shop SET work_mem = '7MB'; ALTER ROLE alice IN DATABASE shop SET search_path = '';
ALTER DATABASE shop SET "app.settings.jwt_secret" = 'never shown'; ALTER DATABASE shop SET search_path = sales, public;
ALTER DATABASE shop SET DateStyle = 'ISO, DMY'; ALTER DATABASE shop CONNECTION LIMIT 55; COMMENT ON DATABASE shop IS 'the shop; all of it';
REVOKE ALL ON DATABASE shop FROM PUBLIC; GRANT CONNECT ON DATABASE shop TO staff WITH GRANT OPTION; GRANT CREATE, TEMPORARY ON DATABASE shop TO shop_app;
ALTER DATABASE shop OWNER TO shop_owner)";

class Globals : public EndToEnd {
 protected:
  void SetUp() override {
    EndToEnd::SetUp();
    if (IsSkipped()) return;
    source_.create_database("shop");
    source_.sql("postgres", kRoles);
    source_.sql("shop",
                "GRANT CREATE ON SCHEMA public TO shop_owner; CREATE TABLE orders (id int); ALTER TABLE orders OWNER "
                "TO shop_owner; GRANT SELECT ON orders TO staff; INSERT INTO orders VALUES (1)");
    ASSERT_TRUE(ends_with(kOk, pana({"backup", source_.url("shop"), "--to", backups_.path()})));
    backup_ = backups_in(backups_.path()).at(0);
    target_.create_database("shop");
  }

  Outcome restore(const std::vector<std::string>& options = {"--globals"}, const std::string& role = "postgres") const {
    std::vector<std::string> arguments = {"restore", backup_, "--into", target_.url("shop", role, target_.password())};
    arguments.insert(arguments.end(), options.begin(), options.end());
    return pana(arguments);
  }

  // The roles that belong to the backup, as pg_dumpall writes them; without the grantors, which are the restoring
  // role's.
  static std::vector<std::string> globals_of(const Cluster& cluster) {
    const Outcome dump = run(cluster.client("pg_dumpall", {"--globals-only", "--no-role-passwords"}, "postgres"));
    EXPECT_EQ(0, dump.exit_status) << dump.err;
    std::vector<std::string> lines;
    std::istringstream text(std::regex_replace(dump.out, std::regex(" GRANTED BY [^;]*"), ""));
    for (std::string line; std::getline(text, line);) {
      const bool is_sql = !line.empty() && !line.starts_with("--") && line.find("restrict") == std::string::npos;
      if (is_sql && line.find("somebody_else") == std::string::npos) lines.push_back(line);
    }
    std::ranges::sort(lines);
    return lines;
  }

  // The same for the database itself, as pg_dump --create writes it.
  static std::string database_of(const Cluster& cluster) {
    const Outcome dump = run(cluster.client("pg_dump", {"--create", "--schema-only", "--exclude-schema", "*"}, "shop"));
    std::vector<std::string> lines;
    std::istringstream text(dump.out);
    for (std::string line; std::getline(text, line);) {
      const bool is_of_database = line.find(" DATABASE ") != std::string::npos && !line.starts_with("--") &&
                                  !line.starts_with("CREATE DATABASE");
      if (is_of_database) lines.push_back(line);
    }
    std::ranges::sort(lines);  // of several grants and settings, the order is none
    return fmt::format("{}", fmt::join(lines, "\n"));
  }

  Cluster source_;
  Cluster target_;
  std::filesystem::path backup_;
};

TEST_F(Globals, ComeBackAsTheyWere) {
  const Outcome outcome = restore({"--globals", "--verify"});
  ASSERT_TRUE(ends_with(kOk, outcome));
  EXPECT_EQ(globals_of(source_), globals_of(target_));
  EXPECT_THAT(database_of(source_),
              AllOf(HasSubstr("OWNER TO shop_owner"), HasSubstr("jwt_secret"), HasSubstr("REVOKE CONNECT")));
  EXPECT_EQ(database_of(source_), database_of(target_));
  EXPECT_EQ("0", target_.sql("postgres", "SELECT count(*) FROM pg_roles WHERE rolname = 'somebody_else'"))
      << "it has nothing to do with the database";
  EXPECT_THAT(
      outcome.err,
      HasSubstr("a backup holds no passwords of roles: set one for alice, shop_app with ALTER ROLE ... PASSWORD"));
  const Outcome text = pana({"show", backup_, "--json"});
  EXPECT_THAT(text.out, Not(HasSubstr("never to be seen")));
}

TEST_F(Globals, AreRestoredAgainWithoutAnythingToSay) {
  ASSERT_TRUE(ends_with(kOk, restore()));
  const Outcome again = restore({"--globals", "--clean", "--json"});
  ASSERT_TRUE(ends_with(kOk, again));
  EXPECT_EQ(Json::array(), Json::parse(again.out).at("globals_not_restored"));
  EXPECT_EQ(globals_of(source_), globals_of(target_));
}

TEST_F(Globals, LeaveTheRolesThatAreThereAsTheyAreAndSaySo) {
  target_.sql("postgres",
              "CREATE ROLE shop_app NOLOGIN; ALTER ROLE shop_app SET statement_timeout = '1s'; GRANT CONNECT ON "
              "DATABASE shop TO shop_app");
  const Outcome outcome = restore({"--globals", "--json"});
  ASSERT_TRUE(ends_with(kOk, outcome));
  const Json report = Json::parse(outcome.out);
  EXPECT_THAT(report.at("globals_not_restored").get<std::vector<std::string>>(),
              IsSupersetOf({"role shop_app is there already and keeps its attributes, none; in the backup: NOINHERIT "
                            "LOGIN CONNECTION LIMIT 7 VALID UNTIL 2031-05-06 07:08:09+00",
                            "role shop_app is there already: statement_timeout is not set for it",
                            "role shop_app is there already: search_path is not set for it",
                            "shop_app does not become a member of pg_monitor: both roles exist already"}));
  EXPECT_EQ("f|{statement_timeout=1s}",
            target_.sql("postgres", "SELECT rolcanlogin, rolconfig FROM pg_roles WHERE rolname = 'shop_app'"));
  EXPECT_EQ(
      "{work_mem=7MB}",
      target_.sql("shop",
                  "SELECT setconfig FROM pg_db_role_setting WHERE setrole = 'shop_app'::regrole AND setdatabase <> 0"));
}

TEST_F(Globals, SayWhatARoleWithoutSuperuserMayNotBringBack) {
  target_.sql("postgres", "CREATE ROLE maker CREATEROLE; ALTER DATABASE shop OWNER TO maker");
  target_.sql("shop", "ALTER SCHEMA public OWNER TO maker");
  target_.allow_login("maker");
  const Outcome outcome = restore({"--globals", "--json"}, "maker");
  ASSERT_TRUE(ends_with(kOk, outcome));
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("role auditors is made without REPLICATION: "),
                                 HasSubstr("role auditors is made without BYPASSRLS: ")));
  EXPECT_EQ("t|f", target_.sql("postgres", "SELECT rolcanlogin, rolsuper FROM pg_roles WHERE rolname = 'alice'"));
  EXPECT_EQ("t", target_.sql("postgres", "SELECT pg_has_role('alice', 'staff', 'MEMBER')"));
  EXPECT_EQ(
      "f",
      target_.sql(
          "shop",
          "SELECT has_database_privilege('somebody_new', 'shop', 'CONNECT') FROM (SELECT) AS s WHERE false UNION ALL "
          "SELECT EXISTS (SELECT FROM pg_database, aclexplode(datacl) AS g WHERE datname = 'shop' AND g.grantee = 0)"));
}

TEST_F(Globals, GiveTheDatabaseAwayBeforeItsOwnerOwnsWhatIsInPublic) {
  if (target_.version() < 15) GTEST_SKIP() << "there everybody may create in public";
  source_.sql("shop", "REVOKE CREATE ON SCHEMA public FROM shop_owner");
  const std::vector<std::filesystem::path> before = backups_in(backups_.path());
  ASSERT_TRUE(ends_with(kOk, pana({"backup", source_.url("shop"), "--to", backups_.path()})));
  for (const std::filesystem::path& backup : backups_in(backups_.path())) {
    if (std::ranges::find(before, backup) == before.end()) backup_ = backup;
  }
  target_.sql("postgres", "CREATE ROLE maker CREATEROLE CREATEDB; ALTER DATABASE shop OWNER TO maker");
  target_.allow_login("maker");
  const Outcome refused = restore({"--create-missing-roles"}, "maker");
  EXPECT_TRUE(ends_with(kRefused, refused));
  EXPECT_THAT(refused.err,
              HasSubstr("cannot give TABLE public.orders to shop_owner (permission denied for schema public)"));
  ASSERT_TRUE(ends_with(kOk, restore({"--globals"}, "maker")));
  EXPECT_EQ("shop_owner",
            target_.sql("shop", "SELECT pg_get_userbyid(relowner) FROM pg_class WHERE relname = 'orders'"));
}

TEST_F(Globals, OfARefusedRestoreLeaveNothing) {
  target_.sql("shop", "CREATE TABLE in_the_way (x int)");
  const std::vector<std::string> before = globals_of(target_);
  ASSERT_TRUE(ends_with(kRefused, restore()));
  EXPECT_EQ(before, globals_of(target_));
}

TEST_F(Globals, GoToTheRolesOfTheMap) {
  target_.sql("postgres", "CREATE ROLE boss");
  ASSERT_TRUE(ends_with(kOk, restore({"--globals", "--role-map", "shop_owner=boss", "--role-map", "shop_app=app_2"})));
  EXPECT_EQ("boss", target_.sql("shop", "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'shop'"));
  EXPECT_EQ("0", target_.sql("shop", "SELECT count(*) FROM pg_roles WHERE rolname IN ('shop_owner', 'shop_app')"));
  EXPECT_EQ("f|f", target_.sql("shop", "SELECT rolcreatedb, rolcreaterole FROM pg_roles WHERE rolname = 'boss'"))
      << "it is as it was";
  EXPECT_EQ("t|f|7",
            target_.sql("shop", "SELECT rolcanlogin, rolinherit, rolconnlimit FROM pg_roles WHERE rolname = 'app_2'"))
      << "it is what the other one was";
}

TEST_F(Globals, AreShownWithoutWhatMayBeSecret) {
  const Outcome shown = pana({"show", backup_});
  ASSERT_TRUE(ends_with(kOk, shown));
  EXPECT_THAT(shown.out, AllOf(HasSubstr("role        shop_app: NOINHERIT LOGIN CONNECTION LIMIT 7; valid until "
                                         "2031-05-06 07:08:09+00; member of pg_monitor; "),
                               HasSubstr("work_mem = 7MB here"), HasSubstr("owner       shop_owner"),
                               HasSubstr("comment     the shop; all of it"), HasSubstr("app.settings.jwt_secret"),
                               HasSubstr("shop_app: CREATE, TEMPORARY; staff: CONNECT WITH GRANT OPTION")));
  EXPECT_THAT(shown.out, Not(HasSubstr("never shown")));
  const Outcome printed = pana({"show", backup_, "--json"});
  EXPECT_THAT(printed.out, Not(HasSubstr("never shown")));
  EXPECT_EQ("shop_owner", Json::parse(printed.out).at("globals").at("owner"));
}

TEST_F(Globals, OfAnOlderBackupAreMissed) {
  const Outcome outcome = pana({"restore", std::filesystem::path(PANA_SOURCE_DIR) / "tests" / "golden" / "format1.sql",
                                "--into", target_.url("shop"), "--globals"});
  EXPECT_TRUE(ends_with(kRefused, outcome));
  EXPECT_THAT(outcome.err, HasSubstr("the backup has no globals: an older pana made it"));
}

}  // namespace
}  // namespace pana::test
