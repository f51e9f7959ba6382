// Settings that a role or a database has change what text means. Each is set to its odd value where a backup is made
// and where it is restored; what comes out must be the same. docs/settings.md is made from this table.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <memory>

#include "support/pana.h"
#include "support/s3_server.h"

namespace pana::test {
namespace {

namespace fs = std::filesystem;

struct Setting {
  const char* name;
  const char* odd;
  const char* danger;   // what would change
  const char* verdict;  // what is done about it
  int since = 0;        // major version
};

constexpr const char* kBoth = "set while rows are read, loaded and compared, and in the preamble for psql";
constexpr const char* kReading = "set while rows are read and compared";
constexpr const char* kLoading = "set while rows are loaded, and in the preamble";
constexpr const char* kNothing = "left as it is: changes no content";

constexpr Setting kSettings[] = {
    {"client_encoding", "LATIN1", "bytes of all text", kBoth},
    {"DateStyle", "German, DMY", "dates and times", kBoth},
    {"IntervalStyle", "sql_standard", "signs of intervals", kBoth},
    {"TimeZone", "Asia/Kolkata", "text of points in time, and so the digests", kReading},
    {"timezone_abbreviations", "India", "names of time zones on input: the backup has numbers", kNothing},
    {"extra_float_digits", "-15", "digits of floating point numbers", kReading},
    {"bytea_output", "escape", "text of bytea, and so the digests", kReading},
    {"lc_monetary", "es_AR.utf8", "amounts of money: a hundred times as much", kBoth},
    {"lc_numeric", "es_AR.utf8", "to_char() alone", kNothing},
    {"lc_time", "es_AR.utf8", "to_char() alone", kNothing},
    {"array_nulls", "off", "NULL in arrays of text becomes the word", kLoading},
    {"xmloption", "document", "fragments of XML are refused", kLoading},
    {"xmlbinary", "hex", "functions that make XML alone", kNothing},
    {"backslash_quote", "off", "quotes written with a backslash: the backup has none", kNothing},
    {"escape_string_warning", "off", "warnings", kNothing},
    {"standard_conforming_strings", "off", "backslashes in literals", kBoth},
    {"transform_null_equals", "on", "what an expression with = NULL means", kBoth},
    {"quote_all_identifiers", "on", "text of regclass and its like, and so the digests", kReading},
    {"search_path", "odd, public", "which object a name means", kBoth},
    {"row_security", "on", "rows that policies hide would be missing in silence", kBoth},
    {"check_function_bodies", "on", "functions that need what is not there yet are refused", kLoading},
    {"default_toast_compression", "lz4", "how values are stored", kNothing, 14},
    {"default_tablespace", "pg_default", "where tables are stored", "the script of pg_dump sets it"},
    {"default_transaction_isolation", "serializable", "transactions side by side that are refused", kBoth},
    {"default_transaction_deferrable", "on", "waiting", kNothing},
    {"synchronize_seqscans", "on", "order of rows", kReading},
    {"statement_timeout", "5s", "breaking off", kBoth},
    {"lock_timeout", "5s", "breaking off", kBoth},
    {"idle_in_transaction_session_timeout", "5s", "breaking off", kBoth},
    {"idle_session_timeout", "5s", "breaking off", kBoth, 14},
    {"transaction_timeout", "5s", "breaking off", kBoth, 17},
    {"restrict_nonsystem_relation_kind", "view, foreign-table", "materialized views cannot be filled", kLoading, 17},
    {"default_text_search_config", "pg_catalog.german",
     "to_tsvector() with one argument, which no index and no generated column may use", kNothing},
    {"client_min_messages", "error", "warnings", kBoth},
    {"zero_damaged_pages", "on", "damaged pages would be read as empty",
     "switched off while rows are read; a role that may not do that is refused"},
    {"ignore_checksum_failure", "on", "damaged pages would be believed",
     "switched off while rows are read; a role that may not do that is refused"},
    {"enable_tidscan", "off", "speed", kNothing},
    {"enable_seqscan", "off", "speed", kNothing},
    {"jit_above_cost", "0", "speed", kNothing},
};

constexpr const char* kContent = R"(
CREATE SCHEMA odd; CREATE TABLE odd.watched (x int);
CREATE TABLE values_of_all (id int PRIMARY KEY, at timestamptz, local timestamp, day date, clock timetz, span interval, f8 float8, f4 float4, bytes bytea,
  amount money, words text[], doc xml, what regclass, how regprocedure, n numeric, net inet, span_of tstzrange, found tsvector, js jsonb, back text);
INSERT INTO values_of_all VALUES
 (1, '2024-03-04 05:06:07.123456+03', '2024-03-04 05:06:07', '2024-03-04', '05:06:07+05:30', '-1 year -2 mons +3 days -04:05:06.789', 0.1, 0.1, '\x00ff5c27',
  '12.30', ARRAY['x', NULL, 'NULL', 'a,b', '"q"'], '<a>1</a> and more', 'values_of_all', 'pg_catalog.now()', 1234.5678, '10.0.0.1/8', '[2024-01-01 00:00+02,)',
  'a:1 b:2', '{"a": null}', E'back\\slash ''quote'''),
 (2, '-infinity', 'infinity', '0044-03-15 BC', '00:00+00', '1 day -1 hour', 1.7976931348623157e308, 3.4028235e38, '', '-999.99', '{}', '', 'odd.watched', 'pg_catalog.lower(text)',
  'NaN', '::1', 'empty', '', '[]', E'\\N'),
 (3, NULL, NULL, NULL, NULL, NULL, 'NaN', '-0', NULL, '0.07', NULL, NULL, 'pg_class', NULL, NULL, NULL, NULL, NULL, NULL, NULL);
CREATE TABLE defaults (m money DEFAULT '1234.56', t timestamptz DEFAULT '2024-01-02 03:04+00', i interval DEFAULT '-1 day', b bytea DEFAULT '\x5c00', s text DEFAULT E'a\\b');
INSERT INTO defaults DEFAULT VALUES;
CREATE FUNCTION is_null(x int) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT x = NULL';
SET check_function_bodies = off; CREATE FUNCTION later() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM public.made_later';
CREATE VIEW unknown AS SELECT id, (id = NULL) AS never, id::text LIKE E'\\%' AS like_it FROM values_of_all; CREATE TABLE made_later (x int);
CREATE MATERIALIZED VIEW filled AS SELECT * FROM unknown; CREATE INDEX by_day ON values_of_all (day) WHERE day > '2024-01-02';
ALTER TABLE values_of_all ADD CHECK (at > '2000-01-01 00:00+00' OR at = '-infinity');
)";

class Settings : public EndToEnd {
 protected:
  // With a locale in which a comma stands before the cents, if the machine can make one.
  static void SetUpTestSuite() {
    if (Cluster::missing()) return;
    locales_ = std::make_unique<TemporaryDirectory>();
    fs::permissions(locales_->path(), fs::perms::all);
    const bool is_made =
        find_program("localedef") &&
        run({.argv = {"localedef", "-i", "es_AR", "-f", "UTF-8", *locales_ / "es_AR.utf8"}}).exit_status <= 1 &&
        fs::exists(*locales_ / "es_AR.utf8");
    if (is_made) {
      const Environment environment({{"LOCPATH", locales_->path()}});
      cluster_ = std::make_unique<Cluster>();
    }
  }
  static void TearDownTestSuite() {
    cluster_.reset();
    locales_.reset();
  }

  void SetUp() override {
    EndToEnd::SetUp();
    if (!IsSkipped() && !cluster_) GTEST_SKIP() << "the locale es_AR cannot be made here (package locales)";
  }

  static std::vector<Setting> settings() {
    std::vector<Setting> known;
    for (const Setting& setting : kSettings) {
      if (setting.since <= cluster_->version() && (std::string(setting.odd) != "lz4" || has_lz4()))
        known.push_back(setting);
    }
    return known;
  }

  // Whoever builds a server decides.
  static bool has_lz4() {
    return cluster_->sql("postgres",
                         "SELECT 'lz4' = ANY (enumvals) FROM pg_settings WHERE name = 'default_toast_compression'") ==
           "t";
  }

  static std::string altered(const std::string& database, const Setting& setting) {
    const std::string name = setting.name;
    const std::string value = name == "search_path" ? setting.odd : sql_literal(setting.odd);
    return fmt::format("ALTER DATABASE {} SET {} = {};", database, name, value);
  }

  // Makes the origin anew, restores it every way, with these settings in the databases.
  void expect_no_change(const std::vector<Setting>& of_origin, const std::vector<Setting>& of_target) {
    for (const char* const database : {"origin", "by_pana", "by_psql"}) cluster_->create_database(database);
    cluster_->sql("origin", kContent);
    const Content expected = content_of(*cluster_, "origin");
    for (const Setting& setting : of_origin) cluster_->sql("postgres", altered("origin", setting));
    for (const Setting& setting : of_target)
      cluster_->sql("postgres", altered("by_pana", setting) + altered("by_psql", setting));

    const TemporaryDirectory directory;
    const Outcome backup = pana({"backup", cluster_->url("origin"), "--to", directory.path()});
    ASSERT_TRUE(ends_with(kOk, backup));
    const fs::path file = backups_in(directory.path()).at(0);
    ASSERT_TRUE(ends_with(kOk, pana({"restore", file, "--into", cluster_->url("by_pana"), "--verify"})));
    ASSERT_TRUE(ends_with(0, restore_with_psql(*cluster_, file, "by_psql")));
    ASSERT_TRUE(ends_with(kOk, pana({"verify", file, "--against", cluster_->url("origin")})));
    for (const char* const database : {"origin", "by_pana", "by_psql"})
      cluster_->sql("postgres", fmt::format("ALTER DATABASE {} RESET ALL", database));
    EXPECT_EQ("", differences(expected, content_of(*cluster_, "by_pana")));
    EXPECT_EQ("", differences(expected, content_of(*cluster_, "by_psql")));
  }

  static inline std::unique_ptr<TemporaryDirectory> locales_;
  static inline std::unique_ptr<Cluster> cluster_;
};

TEST_F(Settings, OfTheSourceChangeNothing) { expect_no_change(settings(), {}); }

TEST_F(Settings, OfTheTargetChangeNothing) { expect_no_change({}, settings()); }

TEST_F(Settings, OfBothChangeNothing) { expect_no_change(settings(), settings()); }

// One by one, for two of them could cancel each other out: the most dangerous ones always, all when told to.
TEST_F(Settings, ChangeNothingAlone) {
  for (const Setting& setting : settings()) {
    const std::string name = setting.name;
    const bool is_dangerous = name == "lc_monetary" || name == "array_nulls" || name == "quote_all_identifiers";
    if (!is_dangerous && std::getenv("PANA_ALL_SETTINGS") == nullptr) continue;
    SCOPED_TRACE(name);
    expect_no_change({setting}, {});
    expect_no_change({}, {setting});
  }
}

// docs/settings.md is this table; PANA_WRITE_DOCS writes it.
TEST(SettingsPage, IsTheTestedTable) {
  std::string page =
      "# Settings that change what text means\n\n"
      "A role or a database can have settings (`ALTER ROLE ... SET`, `ALTER DATABASE ... SET`) under which the same "
      "text means something\n"
      "else. Every line was tried with the odd value at the source, at the target and at both, alone and together with "
      "all others; the\n"
      "content was compared by psql and pg_dump (`tests/settings_test.cc`).\n\n"
      "| setting | odd value | what would change | what pana does |\n|---|---|---|---|\n";
  for (const Setting& setting : kSettings) {
    page += fmt::format("| `{}` | `{}` | {} | {}{} |\n", setting.name, setting.odd, setting.danger, setting.verdict,
                        setting.since == 0 ? "" : fmt::format(" (PostgreSQL {})", setting.since));
  }
  const fs::path path = fs::path(PANA_SOURCE_DIR) / "docs/settings.md";
  if (std::getenv("PANA_WRITE_DOCS") != nullptr) std::ofstream(path) << page;
  std::ifstream file(path);
  EXPECT_EQ(page, std::string((std::istreambuf_iterator<char>(file)), {}));
}

}  // namespace
}  // namespace pana::test
