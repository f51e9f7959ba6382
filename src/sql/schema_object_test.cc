#include "sql/schema_object.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pana {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

SchemaObject understood(const std::string& type, const std::string& sql) {
  return SchemaObjectReader().understand(
      {.type = type, .name = "n", .schema = "s", .owner = "o", .text = "-- Name: n\n" + sql});
}

std::vector<StatementRole> roles_of(const std::string& type, const std::string& sql) {
  std::vector<StatementRole> roles;
  for (const SchemaStatement& statement : understood(type, sql).statements) roles.push_back(statement.role);
  return roles;
}

std::vector<std::string> settings_of(const SchemaObject& object) {
  std::vector<std::string> settings;
  for (const DefaultSetting& setting : object.settings) settings.push_back(setting.sql);
  return settings;
}

std::string relation_of(const std::string& type, const std::string& sql) {
  const SchemaObject object = understood(type, sql);
  return object.relation ? object.relation->schema + "|" + object.relation->name : "";
}

TEST(SchemaObject, KnowsWhatEachStatementDoes) {
  EXPECT_THAT(roles_of("TABLE",
                       "CREATE TABLE s.a (id int);\nALTER TABLE ONLY s.a ALTER COLUMN id SET STATISTICS 5;\n"
                       "ALTER TABLE s.a OWNER TO \"ow;ner\";"),
              ElementsAre(StatementRole::definition, StatementRole::property, StatementRole::owner));
  EXPECT_THAT(roles_of("OPERATOR", "ALTER OPERATOR app.=-= (integer, integer) OWNER TO \"ow;ner\";"),
              ElementsAre(StatementRole::owner));
  EXPECT_THAT(roles_of("TABLE", "ALTER TABLE owner RENAME TO b;"), ElementsAre(StatementRole::definition));
  EXPECT_THAT(roles_of("COMMENT", "COMMENT ON TABLE a IS 'OWNER TO b';"), ElementsAre(StatementRole::definition));
  for (const char* privilege : {"GRANT SELECT ON TABLE public.a TO b;", "REVOKE USAGE ON SCHEMA public FROM PUBLIC;",
                                "ALTER DEFAULT PRIVILEGES FOR ROLE a GRANT SELECT ON TABLES TO b;",
                                "SET SESSION AUTHORIZATION a;", "RESET SESSION AUTHORIZATION;"}) {
    EXPECT_THAT(roles_of("ACL", privilege), ElementsAre(StatementRole::privilege)) << privilege;
  }
}

TEST(SchemaObject, OfAPartitionedTableHasNoAccessMethodOfAnothers) {
  SchemaObjectReader reader;
  reader.understand({.type = "TABLE", .text = "SET default_table_access_method = odd;\nCREATE TABLE s.a (x int);\n"});
  const auto settings = [&reader](const std::string& text) {
    return reader.understand({.type = "TABLE", .text = text}).settings.size();
  };
  EXPECT_EQ(0u, settings("CREATE TABLE s.b (x int) PARTITION BY LIST (x);\n"));
  EXPECT_EQ(1u, settings("CREATE TABLE s.c (\"PARTITION\" int, by int DEFAULT f(partition by));\n"));
}

TEST(SchemaObject, CarriesTheSettingsThatStandBeforeItAndNoneBehindIt) {
  SchemaObjectReader reader;
  const SchemaObject first =
      reader.understand({.type = "TABLE",
                         .text = "SET default_tablespace = '';\nSET default_table_access_method = heap;\nCREATE TABLE "
                                 "s.a ();\nSET default_tablespace = fast;\n"});
  const SchemaObject function = reader.understand({.type = "FUNCTION", .text = "CREATE FUNCTION s.f() RETURNS int;\n"});
  const SchemaObject second = reader.understand({.type = "TABLE", .text = "CREATE UNLOGGED TABLE s.b ();\n"});
  EXPECT_THAT(settings_of(first),
              ElementsAre("SET default_tablespace = '';", "SET default_table_access_method = heap;"));
  EXPECT_THAT(settings_of(function), IsEmpty());
  EXPECT_THAT(settings_of(second),
              ElementsAre("SET default_table_access_method = heap;", "SET default_tablespace = fast;"));
  EXPECT_EQ(first.statements.size(), 1u);
  for (const char* stored : {"CREATE INDEX i ON s.a (x);", "CREATE UNIQUE INDEX i ON s.a (x);",
                             "CREATE MATERIALIZED VIEW s.m AS SELECT 1;"}) {
    EXPECT_EQ(reader.understand({.type = "X", .text = stored}).settings.size(), 2u) << stored;
  }
  EXPECT_EQ(reader.understand({.type = "CONSTRAINT", .text = "ALTER TABLE ONLY s.a ADD CONSTRAINT k UNIQUE (x);"})
                .settings.size(),
            2u);
  for (const char* other :
       {"CREATE VIEW s.v AS SELECT 1;", "CREATE SEQUENCE s.q;", "CREATE FOREIGN TABLE s.f (x int) SERVER r;"}) {
    EXPECT_THAT(settings_of(reader.understand({.type = "X", .text = other})), IsEmpty()) << other;
  }
}

TEST(SchemaObject, NamesTheRelationItIsAbout) {
  EXPECT_EQ(relation_of("TABLE", "CREATE UNLOGGED TABLE \"s.\"\"x\".\"a\nb\" (id int);"), "s.\"x|a\nb");
  EXPECT_EQ(relation_of("TABLE ATTACH", "ALTER TABLE ONLY s.parent ATTACH PARTITION s.child DEFAULT;"), "s|child");
  EXPECT_EQ(relation_of("INDEX", "CREATE INDEX \"ON\" ON ONLY s.a USING btree (x);"), "s|a");
  EXPECT_EQ(relation_of("COMMENT", "COMMENT ON COLUMN s.a.x IS 'ON t.b';"), "s|a");
  EXPECT_EQ(relation_of("COMMENT", "COMMENT ON CONSTRAINT k ON s.a IS '';"), "s|a");
  EXPECT_EQ(relation_of("COMMENT", "COMMENT ON FUNCTION s.f() IS '';"), "");
  EXPECT_EQ(relation_of("ACL", "GRANT SELECT ON TABLE s.a TO b;"), "s|a");
  EXPECT_EQ(relation_of("ACL", "GRANT SELECT(x),UPDATE(y) ON TABLE s.a TO b;"), "s|a");
  EXPECT_EQ(relation_of("ACL", "GRANT USAGE ON SEQUENCE s.a TO b;"), "s|a");
  EXPECT_EQ(relation_of("ACL", "GRANT USAGE ON SCHEMA s TO b;"), "");
  EXPECT_EQ(relation_of("ACL", "REVOKE ALL ON FUNCTION public.f(sequence o.ty) FROM PUBLIC;"), "")
      << "an argument's name";
  EXPECT_EQ(relation_of("ROW SECURITY", "ALTER TABLE s.a ENABLE ROW LEVEL SECURITY;"), "s|a");
  EXPECT_EQ(
      relation_of("ACL", "SET SESSION AUTHORIZATION b;\nGRANT SELECT ON TABLE s.a TO c;\nRESET SESSION AUTHORIZATION;"),
      "s|a");
  EXPECT_EQ(relation_of("VIEW", "CREATE VIEW s.v AS SELECT 1;"), "s|v");
  EXPECT_EQ(relation_of("RULE", "CREATE OR REPLACE VIEW s.v AS SELECT 1;"), "s|v");
  EXPECT_EQ(relation_of("MATERIALIZED VIEW", "CREATE MATERIALIZED VIEW s.m AS SELECT 1 WITH NO DATA;"), "s|m");
  EXPECT_EQ(relation_of("MATERIALIZED VIEW DATA", "REFRESH MATERIALIZED VIEW s.m;"), "s|m");
  EXPECT_EQ(relation_of("FOREIGN TABLE", "CREATE FOREIGN TABLE s.f (a int) SERVER x;"), "s|f");
  EXPECT_EQ(relation_of("TRIGGER", "ALTER TABLE s.part DISABLE TRIGGER t;"), "s|part");
  EXPECT_EQ(relation_of("TRIGGER", "CREATE TRIGGER t AFTER UPDATE OF a ON s.a FOR EACH ROW EXECUTE FUNCTION s.f();"),
            "s|a");
  EXPECT_EQ(relation_of("PUBLICATION TABLE", "ALTER PUBLICATION p ADD TABLE ONLY s.a (id) WHERE (id > 1);"), "s|a");
  EXPECT_EQ(relation_of("COMMENT", "COMMENT ON MATERIALIZED VIEW s.m IS '';"), "s|m");
  EXPECT_EQ(relation_of("COMMENT", "COMMENT ON CONSTRAINT k ON DOMAIN s.d IS '';"), "");
  EXPECT_EQ(relation_of("SECURITY LABEL", "SECURITY LABEL FOR \"a b\" ON COLUMN s.a.c IS 'x';"), "s|a");
  EXPECT_EQ(relation_of("TABLE", ""), "");
}

TEST(SchemaObject, NamesTheTablesOfIndexesAndStatistics) {
  SchemaObjectReader reader;
  const auto understood = [&reader](const std::string& type, const std::string& sql) {
    return reader.understand({.type = type, .text = sql});
  };
  understood("INDEX", "CREATE UNIQUE INDEX \"Odd i\" ON ONLY s.parent USING btree (k);");
  understood("CONSTRAINT", "ALTER TABLE ONLY s.part\n    ADD CONSTRAINT part_pkey PRIMARY KEY (k);");
  understood("STATISTICS", "CREATE STATISTICS t.many ON a, b FROM s.part;");
  const SchemaObject attach = understood("INDEX ATTACH", "ALTER INDEX s.\"Odd i\" ATTACH PARTITION s.part_pkey;");
  EXPECT_EQ(attach.relation, (RelationName{"s", "part"}));
  EXPECT_EQ(attach.refers_to, (RelationName{"s", "parent"}));
  EXPECT_EQ(understood("COMMENT", "COMMENT ON INDEX s.\"Odd i\" IS '';").relation, (RelationName{"s", "parent"}));
  EXPECT_EQ(understood("COMMENT", "COMMENT ON STATISTICS t.many IS '';").relation, (RelationName{"s", "part"}));
  EXPECT_FALSE(understood("COMMENT", "COMMENT ON INDEX s.unknown IS '';").relation);
  EXPECT_EQ(understood("PUBLICATION TABLE", "ALTER PUBLICATION \"P p\" ADD TABLE ONLY s.a;").publication, "P p");
  EXPECT_EQ(understood("PUBLICATION TABLES IN SCHEMA", "ALTER PUBLICATION \"P p\" ADD TABLES IN SCHEMA s;").publication,
            "P p");
}

TEST(SchemaObject, NamesTheTableItRefersTo) {
  const SchemaObject key = understood(
      "FK CONSTRAINT",
      "ALTER TABLE ONLY app.\"we\nird\"\n    ADD CONSTRAINT \"REFERENCES\" FOREIGN KEY (\"references\", b) REFERENCES "
      "\"Odd \"\"s\".\"t\"(id) ON DELETE CASCADE NOT VALID;");
  EXPECT_EQ(key.relation, (RelationName{"app", "we\nird"}));
  EXPECT_EQ(key.refers_to, (RelationName{"Odd \"s", "t"}));
  EXPECT_FALSE(
      understood("CONSTRAINT", "ALTER TABLE ONLY app.a\n    ADD CONSTRAINT a_pkey PRIMARY KEY (id);").refers_to);
  const SchemaObject owned = understood("SEQUENCE OWNED BY", "ALTER SEQUENCE s.q OWNED BY s.a.id;");
  EXPECT_EQ(owned.relation, (RelationName{"s", "q"}));
  EXPECT_EQ(owned.refers_to, (RelationName{"s", "a"}));
  const SchemaObject identity =
      understood("SEQUENCE",
                 "ALTER TABLE s.a ALTER COLUMN \"NAME\" ADD GENERATED BY DEFAULT AS IDENTITY (\n"
                 "    SEQUENCE NAME s.\"a_id_seq\"\n    START WITH 1\n);");
  EXPECT_EQ(identity.relation, (RelationName{"s", "a"}));
  EXPECT_EQ(identity.refers_to, (RelationName{"s", "a_id_seq"}));
}

TEST(SchemaObject, NamesTheSchemaItMakes) {
  EXPECT_EQ(understood("SCHEMA", "CREATE SCHEMA \"Odd \"\"s\";\nALTER SCHEMA \"Odd \"\"s\" OWNER TO a;").makes_schema,
            "Odd \"s");
  EXPECT_FALSE(understood("SCHEMA", "ALTER SCHEMA public OWNER TO pg_database_owner;").makes_schema);
}

TEST(SequenceOf, ReadsTheNameThatIsSet) {
  EXPECT_EQ(sequence_of("SELECT pg_catalog.setval('public.orders_id_seq', 1, true);"),
            (RelationName{"public", "orders_id_seq"}));
  EXPECT_EQ(sequence_of("SELECT pg_catalog.setval('s.\"it''s\"', 1, true);"), (RelationName{"s", "it's"}));
  EXPECT_EQ(sequence_of("SELECT pg_catalog.setval(E's.\"back\\\\slash''\"', 1, true);"),
            (RelationName{"s", "back\\slash'"}));
  // From somebody's hands: a literal at the very front, none, one that does not end, two.
  for (const char* crafted : {"'\\\\s.a'", "'", "", "SELECT pg_catalog.setval(", "SELECT pg_catalog.setval('s.a",
                              "SELECT pg_catalog.setval(E'", "SELECT pg_catalog.setval('s', 's.a');",
                              "SELECT pg_catalog.setval(E's\\056a', 1);", "SELECT f('s.a');"}) {
    EXPECT_FALSE(sequence_of(crafted)) << crafted;
  }
}

}  // namespace
}  // namespace pana
