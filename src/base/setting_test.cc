#include "base/setting.h"

#include <gtest/gtest.h>

namespace pana {
namespace {

class SettingNames : public testing::Test {
 protected:
  void TearDown() override { name_settings({}); }
};

TEST_F(SettingNames, AreThoseOfTheFace) {
  name_settings({{Setting::jobs, "--jobs"}});
  EXPECT_EQ("lower --jobs", advice("lower {}", Setting::jobs));
  name_settings({{Setting::jobs, "jobs"}});
  EXPECT_EQ("lower jobs", advice("lower {}", Setting::jobs));
  EXPECT_EQ("say jobs 3", advice("say {} {}", Setting::jobs, 3));
}

TEST_F(SettingNames, AreNotSpokenOfWhereNobodyCanSetThem) { EXPECT_EQ("", advice("lower {}", Setting::jobs)); }

TEST_F(SettingNames, AreListedAsFarAsTheyCanBeSet) {
  EXPECT_EQ("", setting_names({Setting::exclude_table}));
  name_settings({{Setting::exclude_table, "-T"}, {Setting::exclude_schema, "-N"}, {Setting::skip_unreadable, "-s"}});
  EXPECT_EQ("-T", setting_names({Setting::exclude_table, Setting::jobs}));
  EXPECT_EQ("-T or -N", setting_names({Setting::exclude_table, Setting::jobs, Setting::exclude_schema}));
  EXPECT_EQ("-T, -N or -s", setting_names({Setting::exclude_table, Setting::exclude_schema, Setting::skip_unreadable}));
}

}  // namespace
}  // namespace pana
