#include "sql/identity_sequence.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sql/schema_script.h"

namespace pana {
namespace {

using testing::ElementsAre;

constexpr std::string_view kComment =
    "--\n-- TOC entry 200 (class 1259 OID 16384)\n-- Dependencies: 201\n-- Name: u_id_seq; Type: SEQUENCE; Schema: "
    "public; Owner: me\n--\n\n";

std::string identity(std::string_view generated, std::string_view sequence, std::string_view persistence) {
  return std::string(kComment)
      .append("ALTER TABLE public.u ALTER COLUMN id ADD GENERATED ")
      .append(generated)
      .append(" AS IDENTITY (\n    SEQUENCE NAME ")
      .append(sequence)
      .append(persistence)
      .append("\n    START WITH 1\n    CACHE 1\n);\n\n\n");
}

TEST(IdentitySequence, IsLoggedByAStatementOfItsOwn) {
  for (const std::string_view generated : {"ALWAYS", "BY DEFAULT"}) {
    const std::string plain = identity(generated, "public.u_id_seq", "");
    const std::string apart = with_persistence_apart(identity(generated, "public.u_id_seq", "\n    LOGGED"));
    const std::string before = plain.substr(0, plain.size() - 2);
    ASSERT_TRUE(apart.starts_with(before)) << apart;
    EXPECT_EQ(apart.substr(before.size()),
              "\nDO 'BEGIN\n"
              "  IF pg_catalog.current_setting(''server_version_num'')::pg_catalog.int4 >= 150000 THEN\n"
              "    EXECUTE ''ALTER SEQUENCE public.u_id_seq SET LOGGED'';\n"
              "  END IF;\n"
              "END';\n\n\n");
  }
}

TEST(IdentitySequence, OfAHostileNameStaysWithinTheBlock) {
  const std::string name = "\"s'\".\"u'; DROP\n    LOGGED $$ \"\"x\"";
  const std::vector<std::string> statements =
      statements_of(with_persistence_apart(identity("ALWAYS", name, "\n    LOGGED")));
  ASSERT_EQ(statements.size(), 2);
  EXPECT_THAT(
      statements,
      ElementsAre(statements_of(identity("ALWAYS", name, ""))[0],
                  testing::HasSubstr("ALTER SEQUENCE \"s''''\".\"u''''; DROP\n    LOGGED $$ \"\"x\" SET LOGGED''")));
}

TEST(IdentitySequence, IsLeftAloneWhereNothingIsSaidOfIt) {
  for (const std::string& text :
       {identity("ALWAYS", "public.u_id_seq", ""), identity("ALWAYS", "public.u_id_seq", "\n    UNLOGGED"),
        identity("ALWAYS", "public.logged", ""), identity("ALWAYS", "public.\"x\n    LOGGED\"", ""),
        std::string("CREATE SEQUENCE public.logged\n    START WITH 1;\n\n\n"),
        std::string("CREATE UNLOGGED SEQUENCE public.s;\n\n\n"), std::string()}) {
    EXPECT_EQ(with_persistence_apart(text), text);
  }
}

}  // namespace
}  // namespace pana
