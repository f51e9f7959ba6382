#include "command/backup_name.h"

#include <gtest/gtest.h>

namespace pana {
namespace {

TEST(BackupName, IsReadAsItIsWritten) {
  for (const char* const key : {"backup_20240101_000000.sql", "backup_20240229_235959.sql.zst"}) {
    const std::optional<BackupName> name = parse_backup_name(key);
    ASSERT_TRUE(name) << key;
    EXPECT_EQ(key, name->key());
  }
  EXPECT_FALSE(parse_backup_name("backup_20240101_000000.sql")->is_compressed);
  EXPECT_TRUE(parse_backup_name("backup_20240101_000000.sql.zst")->is_compressed);
}

TEST(BackupName, IsNoOtherName) {
  for (const char* const key :
       {"backup_20240101_000000.sql.gz", "backup_2024.sql", "old_backup_20240101_000000.sql", "backup_.sql",
        "backup_.sql.zst", "backup_20240101_000000x.sql", "backup_20241301_000000.sql",
        "backup_20240101_000000.sql.zst.sql", "backup_", ".sql", ""}) {
    EXPECT_FALSE(parse_backup_name(key)) << key;
  }
}

}  // namespace
}  // namespace pana
