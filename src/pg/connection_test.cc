#include "pg/connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pana {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

TEST(RefuseOldServer, TakesThoseThatPanaKnows) {
  for (const int version : {130000, 130023, 150008, 170000, 190000})
    EXPECT_NO_THROW(refuse_old_server(version)) << version;
}

TEST(RefuseOldServer, NamesTheVersionOfTheOthers) {
  EXPECT_THAT([] { refuse_old_server(120003); },
              ThrowsMessage<Error>("pana needs PostgreSQL 13 or later, the server is 12.3"));
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
  EXPECT_STREQ("wrong; value [COPY orders, line 1, column id: \"...\"]", error.what());
  EXPECT_EQ("22001", error.sqlstate());
}

// What the server says in the language of its lc_messages.
struct Said {
  const char* sqlstate;
  const char* message;
  const char* detail;
  const char* context;
  const char* expected;
};

TEST(ErrorOf, KeepsNoValueOfARowInAnyLanguage) {
  for (const Said& said :
       {Said{"22003", "value \"99988877766655\" is out of range for type integer", "",
             "COPY a, line 1, column i: \"99988877766655\"",
             "value \"...\" is out of range for type integer (table s.t, column c, constraint k) [COPY a, line 1, "
             "column i: \"...\"]"},
        Said{"22P02", "ungültige Eingabesyntax für Typ integer: »geheim«", "Token »geheim« ist ungültig.",
             "COPY a, Zeile 1, Spalte i: »geheim«",
             "ungültige Eingabesyntax für Typ integer: \"...\" (table s.t, column c, constraint k) [COPY a, Zeile 1, "
             "Spalte i: \"...\"]"},
        Said{"23P01", "conflicting key value violates exclusion constraint \"k\"",
             "Key (r)=([1,2)) conflicts with existing key (r)=([1111,2222)).", "",
             "conflicting key value violates exclusion constraint \"k\" (table s.t, column c, constraint k)"},
        Said{"23514", "no partition of relation \"t\" found for row",
             "Partition key of the failing row contains (i) = (777666).", "",
             "no partition of relation \"t\" found for row (table s.t, column c, constraint k)"}}) {
    const DatabaseError error = error_of([&said](int kind) -> std::string_view {
      switch (kind) {
        case PG_DIAG_SQLSTATE: return said.sqlstate;
        case PG_DIAG_MESSAGE_PRIMARY: return said.message;
        case PG_DIAG_MESSAGE_DETAIL: return said.detail;
        case PG_DIAG_CONTEXT: return said.context;
        case PG_DIAG_SCHEMA_NAME: return "s";
        case PG_DIAG_TABLE_NAME: return "t";
        case PG_DIAG_COLUMN_NAME: return "c";
        case PG_DIAG_CONSTRAINT_NAME: return "k";
        default: return "";
      }
    });
    EXPECT_STREQ(said.expected, error.what());
  }
}

}  // namespace
}  // namespace pana
