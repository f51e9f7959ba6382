#include "sql/access_rights.h"

#include <gtest/gtest.h>

namespace pana {
namespace {

TEST(AccessRights, AreReadAsPostgresqlWritesThem) {
  const std::optional<AccessItem> item = parse_access_item("anon=r*w/postgres");
  ASSERT_TRUE(item);
  EXPECT_EQ(item->grantor, "postgres");
  EXPECT_EQ(item->rights, (std::set<AccessRight>{{"anon", 'r', true}, {"anon", 'w', false}}));
}

TEST(AccessRights, NamesMayHoldAnything) {
  const std::optional<AccessItem> item = parse_access_item("\"a=b/\"\"c\"\"\"=X/\"d \"\"=\"\"\"");
  ASSERT_TRUE(item);
  EXPECT_EQ(item->rights, (std::set<AccessRight>{{"a=b/\"c\"", 'X', false}}));
  EXPECT_EQ(item->grantor, "d \"=\"");
}

TEST(AccessRights, NobodyInParticularIsPublic) {
  const std::optional<AccessItem> item = parse_access_item("=U/owner");
  ASSERT_TRUE(item);
  EXPECT_EQ(item->rights, (std::set<AccessRight>{{"", 'U', false}}));
}

TEST(AccessRights, OtherTextsAreNone) {
  for (const char* const text : {"", "anon", "anon=r", "anon=r/", "\"anon=r/a", "anon=r/\"a", "anon=r/\"a\"b"})
    EXPECT_FALSE(parse_access_item(text)) << text;
}

TEST(AccessRights, LettersHaveTheirKeywords) {
  EXPECT_EQ(privilege_name('D'), "TRUNCATE");
  EXPECT_EQ(privilege_name('?'), "");
}

}  // namespace
}  // namespace pana
