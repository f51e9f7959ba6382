#include "sql/schema_script.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace pana {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Input = SchemaScriptReader::Input;

constexpr std::string_view kPreamble =
    "--\n-- PostgreSQL database dump\n--\n\n"
    "\\restrict KEY\n\n"
    "-- Dumped from database version 15.8\n-- Dumped by pg_dump version 17.0\n\n"
    "-- Started on 2026-01-31 23:59:59 UTC\n\n"
    "SET statement_timeout = 0;\nSET client_encoding = 'UTF8';\n"
    "SELECT pg_catalog.set_config('search_path', '', false);\nSET row_security = off;\n\n";
constexpr std::string_view kTrailer =
    "-- Completed on 2026-01-31 23:59:59 UTC\n\n--\n-- PostgreSQL database dump complete\n--\n\n\\unrestrict KEY\n\n";

constexpr std::string_view kFunction =
    "--\n-- TOC entry 300 (class 1255 OID 16400)\n-- Name: f(); Type: FUNCTION; Schema: public; Owner: app\n--\n\n"
    "CREATE FUNCTION public.f() RETURNS void\n    LANGUAGE plpgsql\n    AS $_$\n"
    "--\n-- TOC entry 1 (class 1 OID 2)\n-- Name: x; Type: TABLE; Schema: public; Owner: app\n--\n"
    "-- Completed on\n--\n-- PostgreSQL database dump complete\n--\n\\unrestrict KEY\n$_$;\n\n\n"
    "ALTER FUNCTION public.f() OWNER TO app;\n\nSET default_tablespace = '';\n\n";
constexpr std::string_view kTable =
    "--\n-- TOC entry 215 (class 1259 OID 16386)\n-- Dependencies: 214 300\n"
    "-- Name: a; Type: TABLE; Schema: public; Owner: app; Tablespace: fast\n--\n\n"
    "CREATE TABLE public.a (\n    id integer\n);\n\n\nALTER TABLE public.a OWNER TO app;\n\n";
constexpr std::string_view kHeaderComment =
    "--\n-- TOC entry 3300 (class 0 OID 0)\n-- Dependencies: 215\n"
    "-- Name: TABLE a; Type: COMMENT; Schema: public; Owner: app\n--\n\n"
    "COMMENT ON TABLE public.a IS '\n--\n-- TOC entry 1 (class 1 OID 2)\n--\n';\n\n\n";
constexpr std::string_view kSchema =
    "--\n-- TOC entry 6 (class 2615 OID 2200)\n-- Name: public; Type: SCHEMA; Schema: -; Owner: "
    "pg_database_owner\n--\n\n"
    "-- *not* creating schema, since initdb creates it\n\n\n"
    "ALTER SCHEMA public OWNER TO pg_database_owner;\n\n";

std::string joined(std::initializer_list<std::string_view> texts) {
  std::string all;
  for (const std::string_view text : texts) all += text;
  return all;
}

struct Script {
  std::vector<SchemaEntry> entries;
  std::vector<std::string> drop_statements;
};

Script read_script(std::string_view text, Input input = Input::script, std::size_t piece_bytes = 4096) {
  SchemaScriptReader reader(input);
  Script script;
  const auto take = [&] {
    while (std::optional<SchemaEntry> entry = reader.next()) script.entries.push_back(std::move(*entry));
  };
  for (std::size_t at = 0; at < text.size(); at += piece_bytes) {
    reader.feed(text.substr(at, piece_bytes));
    take();
  }
  reader.finish();
  take();
  script.drop_statements = reader.drop_statements();
  return script;
}

std::vector<std::string> texts_of(const std::vector<SchemaEntry>& entries) {
  std::vector<std::string> texts;
  for (const SchemaEntry& entry : entries) texts.push_back(entry.text);
  return texts;
}

SchemaEntry entry_named(std::string_view name_comment) {
  const std::string text =
      joined({"--\n-- TOC entry 1 (class 2 OID 4294967295)\n-- ", name_comment, "\n--\n\nSELECT 1;\n"});
  const Script script = read_script(text, Input::fragment);
  EXPECT_EQ(script.entries.size(), 1u);
  return script.entries.at(0);
}

TEST(SchemaScript, CutsTheScriptIntoEntries) {
  const Script script = read_script(joined({kPreamble, kSchema, kFunction, kTable, kHeaderComment, kTrailer}));
  EXPECT_THAT(texts_of(script.entries), ElementsAre(kSchema, kFunction, kTable, kHeaderComment));
  EXPECT_THAT(script.drop_statements, IsEmpty());
  const SchemaEntry& table = script.entries[2];
  EXPECT_EQ(table.type, "TABLE");
  EXPECT_EQ(table.name, "a");
  EXPECT_EQ(table.schema, "public");
  EXPECT_EQ(table.owner, "app");
  EXPECT_EQ(table.object_id, 16386u);
  EXPECT_EQ(script.entries[0].schema, "-");
}

TEST(SchemaScript, DoesNotDependOnHowTheTextIsCut) {
  const std::string text = joined({kPreamble, "DROP TABLE a;\n", kSchema, kFunction, kTable, kHeaderComment, kTrailer});
  const Script whole = read_script(text);
  for (const std::size_t piece_bytes : {1u, 2u, 5u, 64u}) {
    const Script pieces = read_script(text, Input::script, piece_bytes);
    EXPECT_EQ(texts_of(pieces.entries), texts_of(whole.entries));
    EXPECT_EQ(pieces.drop_statements, whole.drop_statements);
  }
}

TEST(SchemaScript, GivesTheDropStatementsApart) {
  const std::string drops =
      "DROP INDEX IF EXISTS public.\"a;b\";\nCREATE OR REPLACE VIEW public.v AS\nSELECT\n    NULL::integer AS id;\n"
      "-- *not* dropping schema, since initdb creates it\nDROP TABLE IF EXISTS public.a;\n";
  const Script script = read_script(joined({kPreamble, drops, kTable, kTrailer}));
  EXPECT_THAT(script.drop_statements,
              ElementsAre("DROP INDEX IF EXISTS public.\"a;b\";",
                          "CREATE OR REPLACE VIEW public.v AS\nSELECT\n    NULL::integer AS id;",
                          "DROP TABLE IF EXISTS public.a;"));
  EXPECT_THAT(texts_of(script.entries), ElementsAre(kTable));
}

TEST(SchemaScript, PutsTheSettingsBeforeTheFirstEntryInFrontOfIt) {
  const std::string settings = "SET default_tablespace = '';\n\nSET default_table_access_method = heap;\n\n";
  const Script script = read_script(joined({kPreamble, settings, kTable, kTrailer}));
  EXPECT_THAT(texts_of(script.entries),
              ElementsAre(joined({"SET default_tablespace = '';\nSET default_table_access_method = heap;\n", kTable})));
}

TEST(SchemaScript, ReadsItsOwnEntriesBackAsAFragment) {
  const Script script =
      read_script(joined({kPreamble, "SET default_tablespace = '';\n", kTable, kFunction, kHeaderComment, kTrailer}));
  std::string fragment;
  for (const SchemaEntry& entry : script.entries) fragment += entry.text;
  const Script again = read_script(fragment, Input::fragment, 3);
  EXPECT_EQ(texts_of(again.entries), texts_of(script.entries));
  EXPECT_THAT(read_script("", Input::fragment).entries, IsEmpty());
}

TEST(SchemaScript, RefusesAScriptThatBreaksOff) {
  const std::string text = joined({kPreamble, kSchema, kFunction, kTable, kTrailer});
  const std::size_t end = text.find(" complete\n", text.size() - kTrailer.size());
  for (std::size_t bytes = 0; bytes < end + 10; ++bytes) {
    EXPECT_THROW(read_script(text.substr(0, bytes)), Error) << bytes;
  }
  EXPECT_NO_THROW(read_script(text.substr(0, end + 10)));
}

TEST(SchemaScript, RefusesAScriptThatGoesOnAfterItsEnd) {
  EXPECT_THROW(read_script(joined({kPreamble, kTable, kTrailer, "SELECT 1;"})), Error);
  EXPECT_THROW(read_script(joined({kPreamble, kTable, kTrailer, kTable})), Error);
}

TEST(SchemaScript, RefusesEntriesItCannotRead) {
  EXPECT_THROW(read_script("--\n-- TOC entry 1\n-- Name: a; Type: A; Schema: b; Owner: c\n--\n", Input::fragment),
               Error);
  EXPECT_THROW(read_script("--\n-- TOC entry 1 (class 2 OID 3)\nSELECT 1;", Input::fragment), Error);
  EXPECT_THROW(entry_named("Name: a; Schema: b; Owner: c"), Error);
  EXPECT_THROW(entry_named("Name: a; Type: TABLE; Owner: c"), Error);
}

TEST(SchemaScript, ReadsHostileNames) {
  const SchemaEntry plain = entry_named("Name: t\t%s\\'\"q \xC3\xA9 ;; Type: FK CONSTRAINT; Schema: s \"x; Owner: o;");
  EXPECT_EQ(plain.name, "t\t%s\\'\"q \xC3\xA9 ;");
  EXPECT_EQ(plain.type, "FK CONSTRAINT");
  EXPECT_EQ(plain.schema, "s \"x");
  EXPECT_EQ(plain.owner, "o;");
  EXPECT_EQ(plain.object_id, 4294967295u);

  const SchemaEntry look_alike =
      entry_named("Name: ; Type: ACL; Schema: x; Owner: y; Type: TABLE; Schema: public; Owner: app");
  EXPECT_EQ(look_alike.name, "; Type: ACL; Schema: x; Owner: y");
  EXPECT_EQ(look_alike.type, "TABLE");
  EXPECT_EQ(look_alike.schema, "public");
  EXPECT_EQ(look_alike.owner, "app");

  const SchemaEntry owner = entry_named("Name: a; Type: TABLE; Schema: public; Owner: ow;ner; Type: X; Tablespace: t");
  EXPECT_EQ(owner.type, "TABLE");
  EXPECT_EQ(owner.owner, "ow;ner; Type: X");

  EXPECT_EQ(entry_named("Data for Name: m; Type: MATERIALIZED VIEW DATA; Schema: s; Owner: o").name, "m");
}

TEST(SchemaScript, KnowsWhatComesAfterTheRows) {
  for (const char* type : {"INDEX", "CONSTRAINT", "FK CONSTRAINT", "TRIGGER", "ACL", "DEFAULT ACL", "EVENT TRIGGER",
                           "MATERIALIZED VIEW DATA", "PUBLICATION TABLES IN SCHEMA"}) {
    EXPECT_TRUE(is_post_data(type)) << type;
  }
  for (const char* type : {"TABLE", "TABLE ATTACH", "COMMENT", "SECURITY LABEL", "SEQUENCE OWNED BY", "DEFAULT", ""}) {
    EXPECT_FALSE(is_post_data(type)) << type;
  }
}

TEST(SchemaScript, TakesTheStatementsOutOfAnEntry) {
  EXPECT_THAT(statements_of(kTable),
              ElementsAre("CREATE TABLE public.a (\n    id integer\n);", "ALTER TABLE public.a OWNER TO app;"));
  EXPECT_THAT(statements_of(kSchema), ElementsAre("ALTER SCHEMA public OWNER TO pg_database_owner;"));
}

TEST(SchemaScript, KnowsTheSettingsThatLaterEntriesRelyOn) {
  EXPECT_TRUE(is_default_setting("SET default_tablespace = 'x';"));
  EXPECT_TRUE(is_default_setting("SET default_table_access_method = heap;"));
  EXPECT_TRUE(is_default_setting("SET default_with_oids = false;"));
  EXPECT_FALSE(is_default_setting("SET row_security = off;"));
}

TEST(SchemaScript, IsNotMisledByASchemaThatLooksLikeTheRestOfTheComment) {
  const std::string comment = "-- Name: t; Type: TABLE; Schema: s; Type: ACL; Schema: x; Owner: y; Owner: app\n--\n\n";
  SchemaScriptReader reader(SchemaScriptReader::Input::fragment);
  reader.feed("--\n-- TOC entry 1 (class 1259 OID 2)\n" + comment + "CREATE TABLE t (\n);\n");
  reader.feed("--\n-- TOC entry 2 (class 0 OID 0)\n" + comment + "GRANT SELECT ON TABLE t TO y;\n");
  reader.finish();
  EXPECT_EQ(reader.next()->type, "TABLE");
  EXPECT_EQ(reader.next()->type, "ACL");
}

}  // namespace
}  // namespace pana
