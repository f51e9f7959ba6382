#include "pg/connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pana {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

TEST(RefuseOldServer, TakesThoseThatPanaKnows) {
  for (const int version : {130000, 130023, 150008, 170000, 190000}) EXPECT_NO_THROW(refuse_old_server(version)) << version;
}

TEST(RefuseOldServer, NamesTheVersionOfTheOthers) {
  EXPECT_THAT([] { refuse_old_server(120003); }, ThrowsMessage<Error>("pana needs PostgreSQL 13 or later, the server is 12.3"));
  EXPECT_THAT([] { refuse_old_server(90624); }, ThrowsMessage<Error>(HasSubstr("the server is 9.6.24")));
  try {
    refuse_old_server(100000);
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(ErrorKind::refused, error.kind());
  }
}

TEST(ErrorOf, HasMessageDetailAndPlaceWithoutTheRow) {
  const DatabaseError error = error_of([](int kind) -> std::string_view {
    if (kind == PG_DIAG_MESSAGE_PRIMARY) return "wrong\nvalue";
    if (kind == PG_DIAG_MESSAGE_DETAIL) return "too long";
    if (kind == PG_DIAG_CONTEXT) return "COPY orders, line 1, column id: \"secret row\"";
    return kind == PG_DIAG_SQLSTATE ? "22001" : "";
  });
  EXPECT_STREQ("wrong; value (too long) [COPY orders, line 1, column id]", error.what());
  EXPECT_EQ("22001", error.sqlstate());
}

}  // namespace
}  // namespace pana
