// What people have reported to break restores, with each of three ways: pg_dump and psql, pg_dump and pg_restore, pana.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "support/compare.h"
#include "support/origin_and_target.h"

namespace pana::test {
namespace {

namespace fs = std::filesystem;

struct Situation {
  std::string name;
  std::string origin;                        // SQL that makes it
  std::string target = {};                   // what is in the target before
  std::vector<std::string> dump = {};        // pg_dump's options
  std::vector<std::string> pg_restore = {};  // pg_restore's, and psql's way when it is pg_dump that knows the option
  std::vector<std::string> pana = {};        // pana restore's
  std::string probe = {};  // gives the same text in both databases when all is well; without it everything is compared
  int since = 13;          // PostgreSQL, both
  int until = 99;
};

const std::vector<Situation>& situations() {
  static const std::vector<Situation> all = {
      {.name = "a CHECK whose function reads another, larger table",
       .origin = "CREATE TABLE z_codes (code int PRIMARY KEY, filler text); INSERT INTO z_codes SELECT i, repeat('x', "
                 "300) FROM generate_series(1, 5000) AS i;"
                 "CREATE FUNCTION known(c int) RETURNS boolean LANGUAGE sql STABLE AS 'SELECT EXISTS (SELECT FROM "
                 "public.z_codes AS x WHERE x.code = $1)';"
                 "CREATE TABLE a_orders (code int CHECK (public.known(code))); INSERT INTO a_orders VALUES (1)"},
      {.name = "`--data-only` with foreign keys against the order of names",
       .origin = "CREATE TABLE z (id int PRIMARY KEY); CREATE TABLE a (id int REFERENCES z); INSERT INTO z VALUES (1); "
                 "INSERT INTO a VALUES (1)",
       .target = "CREATE TABLE z (id int PRIMARY KEY); CREATE TABLE a (id int REFERENCES z)",
       .dump = {"--data-only"},
       .pana = {"--data-only"},
       .probe = "SELECT count(*) FROM a"},
      {.name = "`--data-only` with foreign keys in a circle",
       .origin = "CREATE TABLE a (id int PRIMARY KEY, b int); CREATE TABLE b (id int PRIMARY KEY REFERENCES a); ALTER "
                 "TABLE a ADD FOREIGN KEY (b) REFERENCES b;"
                 "INSERT INTO a VALUES (1, NULL); INSERT INTO b VALUES (1); UPDATE a SET b = 1",
       .target = "CREATE TABLE a (id int PRIMARY KEY, b int); CREATE TABLE b (id int PRIMARY KEY REFERENCES a); ALTER "
                 "TABLE a ADD FOREIGN KEY (b) REFERENCES b",
       .dump = {"--data-only"},
       .pana = {"--data-only"},
       .probe = "SELECT count(*) FROM b"},
      {.name = "default privileges of the target: rights that the source did not give",
       .origin = "CREATE TABLE t (id int); CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'; REVOKE ALL ON "
                 "FUNCTION f() FROM PUBLIC",
       .target = "ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO pana_reader; ALTER DEFAULT PRIVILEGES GRANT ALL ON "
                 "FUNCTIONS TO pana_reader",
       .pana = {"--allow-non-empty"},
       .probe = "SELECT has_table_privilege('pana_reader', 't', 'SELECT'), has_function_privilege('pana_reader', "
                "'f()', 'EXECUTE')"},
      {.name = "`array_nulls = off` for the target's database: NULLs become the text NULL",
       .origin = "CREATE TABLE t AS SELECT ARRAY['a', NULL] AS a",
       .target = "ALTER DATABASE target SET array_nulls = off",
       .probe = "SELECT a[2] IS NULL FROM t"},
      {.name = "`default_transaction_read_only = on` for the target's database",
       .origin = "CREATE TABLE t AS SELECT 1 AS id",
       .target = "ALTER DATABASE target SET default_transaction_read_only = on",
       .probe = "SELECT to_regclass('t') IS NOT NULL"},
      {.name = "a column called begin in a function of standard SQL",
       .origin = "CREATE TABLE shift (\"begin\" int); CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT "
                 "s.\"begin\" FROM shift AS s; END;"
                 "CREATE TABLE z_behind AS SELECT 1 AS id; CREATE INDEX ON z_behind (id)",
       .since = 14},
      {.name = "a role that grants name, dropped in the source (`pg_init_privs`, before 17)",
       .origin = "DROP ROLE IF EXISTS ghost; CREATE ROLE ghost; ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO "
                 "ghost; CREATE EXTENSION pg_stat_statements;"
                 "ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM ghost; DROP OWNED BY ghost; DROP ROLE "
                 "ghost; CREATE TABLE t AS SELECT 1 AS id",
       .probe = "SELECT id, (SELECT count(*) FROM pg_extension) FROM t"},
      {.name = "an owner that the target lacks",
       .origin = "DROP ROLE IF EXISTS pana_gone; CREATE ROLE pana_gone; CREATE TABLE t AS SELECT 1 AS id; ALTER TABLE "
                 "t OWNER TO pana_gone",
       .probe = "SELECT count(*) FROM pg_class WHERE relname = 't' AND pg_get_userbyid(relowner) LIKE 'pana_gone%'"},
      {.name = "a tablespace that the target lacks",
       .origin = "SET allow_in_place_tablespaces = on; CREATE TABLESPACE pana_gone LOCATION ''; CREATE TABLE t (id "
                 "int) TABLESPACE pana_gone; INSERT INTO t VALUES (1)",
       .probe = "SELECT reltablespace <> 0 FROM pg_class WHERE relname = 't'",
       .since = 15},
      {.name = "rows that the source's foreign key does not allow",
       .origin = "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (a int REFERENCES a); SET "
                 "session_replication_role = replica; INSERT INTO b VALUES (7)"},
      {.name = "an index on a function that finds its table by search_path",
       .origin = "CREATE TABLE codes AS SELECT 1 AS code; CREATE FUNCTION code() RETURNS int IMMUTABLE LANGUAGE "
                 "plpgsql AS 'BEGIN RETURN (SELECT min(code) FROM codes); END';"
                 "CREATE TABLE t (id int); INSERT INTO t VALUES (1); CREATE INDEX ON t ((id + code()))",
       .until = 16},  // later servers build no such index at all
      {.name = "the same, with `--search-path public`",
       .origin = "CREATE TABLE codes AS SELECT 1 AS code; CREATE FUNCTION code() RETURNS int IMMUTABLE LANGUAGE "
                 "plpgsql AS 'BEGIN RETURN (SELECT min(code) FROM codes); END';"
                 "CREATE TABLE t (id int); INSERT INTO t VALUES (1); CREATE INDEX ON t ((id + code()))",
       .pana = {"--search-path", "public"},
       .until = 16},
      {.name = "`--clean` with a partition's key attached to a plain index of its parent",
       .origin = "CREATE TABLE m (k int NOT NULL) PARTITION BY LIST (k); CREATE UNIQUE INDEX m_k ON m (k); CREATE "
                 "TABLE m_1 (k int PRIMARY KEY); ALTER TABLE m ATTACH PARTITION m_1 FOR VALUES IN (1);"
                 "INSERT INTO m VALUES (1)",
       .target = "CREATE TABLE m (k int NOT NULL) PARTITION BY LIST (k); CREATE UNIQUE INDEX m_k ON m (k); CREATE "
                 "TABLE m_1 (k int PRIMARY KEY); ALTER TABLE m ATTACH PARTITION m_1 FOR VALUES IN (1)",
       .dump = {"--clean", "--if-exists"},
       .pg_restore = {"--clean", "--if-exists"},
       .pana = {"--clean"}},
      {.name = "rows of partitions by the hash of an enum",
       .origin = "CREATE TYPE e AS ENUM ('a', 'b', 'c', 'd'); CREATE TABLE h (e e, n int) PARTITION BY HASH (e); "
                 "CREATE TABLE h_0 PARTITION OF h FOR VALUES WITH (MODULUS 2, REMAINDER 0);"
                 "CREATE TABLE h_1 PARTITION OF h FOR VALUES WITH (MODULUS 2, REMAINDER 1); INSERT INTO h SELECT x, 1 "
                 "FROM unnest(enum_range(NULL::e)) AS x",
       .target = "CREATE TYPE f AS ENUM ('x')",
       .pana = {"--allow-non-empty"},
       .probe = "SELECT sum(n) FROM h"},
      {.name = "`-t` of a table with an identity column",
       .origin = "CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY (START 7)); INSERT INTO t DEFAULT VALUES",
       .dump = {"-t", "t"},
       .pg_restore = {},
       .pana = {"-t", "t"}},
      {.name = "`-t` of a table whose type is missing",
       .origin = "CREATE TYPE mood AS ENUM ('fine'); CREATE TABLE t (m mood); INSERT INTO t VALUES ('fine')",
       .dump = {"-t", "t"},
       .pana = {"-t", "t"},
       .probe = "SELECT to_regclass('t') IS NOT NULL"},
      {.name = "the comment of an extension that is somebody else's",
       .origin = "CREATE EXTENSION hstore; CREATE TABLE t (h hstore)",
       .target = "CREATE EXTENSION hstore",
       .pana = {"--allow-non-empty"}},
      {.name = "large objects with an owner, a comment and grants",
       .origin = "SELECT lo_from_bytea(77, 'abc'); ALTER LARGE OBJECT 77 OWNER TO pana_owner; COMMENT ON LARGE OBJECT "
                 "77 IS 'said'; GRANT SELECT ON LARGE OBJECT 77 TO pana_reader"},
      {.name = "a value that the target's CHECK no longer allows (`--data-only`)",
       .origin = "CREATE TABLE t (id int); INSERT INTO t VALUES (7)",
       .target = "CREATE TABLE t (id int CHECK (id < 5))",
       .dump = {"--data-only"},
       .pana = {"--data-only"},
       .probe = "SELECT count(*) FROM t"},
      {.name = "a column that the target's table lacks (`--data-only`)",
       .origin = "CREATE TABLE t AS SELECT 1 AS a, 2 AS b",
       .target = "CREATE TABLE t (a int)",
       .dump = {"--data-only"},
       .pana = {"--data-only"},
       .probe = "SELECT count(*) FROM t"},
      {.name = "something in the target already",
       .origin = "CREATE TABLE t AS SELECT 1 AS id",
       .target = "CREATE TABLE t AS SELECT 2 AS id",
       .probe = "SELECT sum(id) FROM t"},
  };
  return all;
}

// From the best to the worst.
enum class Verdict { equal, refused, failed, told, silent };

std::string text_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::equal: return "as in the source";
    case Verdict::refused: return "refused, nothing changed";
    case Verdict::failed: return "fails half way";
    case Verdict::told: return "**status 0**, errors on the terminal";
    case Verdict::silent: return "**status 0**, not a word";
  }
  return {};
}

class Situations : public OriginAndTarget {
 protected:
  void prepare(const Situation& situation) {
    cluster().sql("postgres", "ALTER DATABASE target RESET ALL");
    target_ = fresh_database("target");
    if (!situation.target.empty()) target(situation.target);
  }

  // In a session that looks as no setting of the database bids it.
  static std::string probe(const std::string& database, const Situation& situation) {
    Command look = cluster().client("psql", {"-X", "-A", "-t", "-c", situation.probe}, database);
    const Outcome outcome = run(look);
    return outcome.out + outcome.err;
  }

  static std::string state_of(const std::string& database, const Situation& situation) {
    if (!situation.probe.empty()) return probe(database, situation);
    const Content content = content_of(cluster(), database);
    return content.tables + content.sequences + content.large_objects + content.materialized_views;
  }

  static bool is_equal(const Situation& situation) {
    if (!situation.probe.empty()) return probe("origin", situation) == probe("target", situation);
    return differences(content_of(cluster(), "origin"), content_of(cluster(), "target")).empty();
  }

  template <typename Restore>
  Verdict judge(const Situation& situation, Restore&& restore) {
    prepare(situation);
    const std::string before = state_of("target", situation);
    const Outcome outcome = restore();
    if (outcome.succeeded() && is_equal(situation)) return Verdict::equal;
    if (!outcome.succeeded())
      return state_of("target", situation) == before && outcome.exit_status == kRefused ? Verdict::refused
                                                                                        : Verdict::failed;
    return outcome.err.empty() ? Verdict::silent : Verdict::told;
  }
};

// docs/situations.md is what comes out on PostgreSQL 15; PANA_WRITE_DOCS writes it.
TEST_F(Situations, AreNoWorseThanWithPgDumpAndPgRestore) {
  std::string page =
      "# What people report to break restores\n\n"
      "Each situation was made, dumped and restored in three ways by `tests/situations_test.cc`: `pg_dump | psql`, "
      "`pg_dump -Fc` with `pg_restore`,\n"
      "and `pana backup` with `pana restore`; the content was compared by psql and pg_dump. psql goes on behind "
      "errors, and ends with 0, unless\n"
      "ON_ERROR_STOP is set. What pana refuses (status 5) it names, with what helps, before anything is changed.\n\n"
      "| situation | pg_dump, psql | pg_dump, pg_restore | pana |\n|---|---|---|---|\n";
  const TemporaryDirectory directory;
  for (const Situation& situation : situations()) {
    SCOPED_TRACE(situation.name);
    if (cluster().version() < situation.since || cluster().version() > situation.until) continue;
    fresh_database("origin");
    origin(situation.origin);
    const std::string script = cluster().pg_dump(situation.dump, "origin");
    const fs::path archive = directory.path() / "archive";
    std::vector<std::string> to_archive = {"-Fc", "-f", archive};
    for (const std::string& option : situation.dump) {
      if (option != "--clean" && option != "--if-exists") to_archive.push_back(option);  // of pg_restore
    }
    run_successfully(cluster().client("pg_dump", to_archive, "origin"));
    fs::permissions(archive, fs::perms::all);
    const fs::path backup = back_up("origin");
    // The cluster is one: what the target is to lack is hidden meanwhile.
    const auto hide = [&](bool is_hidden) {
      for (const char* const kind : {"ROLE", "TABLESPACE"}) {
        const bool is_named = situation.origin.find(fmt::format("CREATE {} pana_gone", kind)) != std::string::npos;
        if (is_named)
          cluster().sql("postgres", fmt::format("ALTER {} pana_gone{} RENAME TO pana_gone{}", kind,
                                                is_hidden ? "" : "_hidden", is_hidden ? "_hidden" : ""));
      }
    };
    const auto with_what_is_gone = [&](auto&& restore) {
      hide(true);
      Outcome outcome = restore();
      hide(false);
      return outcome;
    };
    const Verdict by_psql = judge(situation, [&] {
      return with_what_is_gone([&] {
        Command psql = cluster().client("psql", {"-X", "-q", "-o", "/dev/null"}, "target");
        psql.input = script;
        return run(psql);
      });
    });
    const Verdict by_pg_restore = judge(situation, [&] {
      return with_what_is_gone([&] {
        std::vector<std::string> arguments = {"-d", "target"};
        arguments.insert(arguments.end(), situation.pg_restore.begin(), situation.pg_restore.end());
        arguments.push_back(archive);
        return run(cluster().client("pg_restore", arguments, "target"));
      });
    });
    Outcome said;
    const Verdict by_pana =
        judge(situation, [&] { return with_what_is_gone([&] { return said = restore(backup, situation.pana); }); });
    EXPECT_LE(by_pana, std::min(by_psql, by_pg_restore)) << said.description();
    EXPECT_LE(by_pana, Verdict::failed) << "no success that is none" << said.description();
    page += fmt::format("| {} | {} | {} | {} |\n", situation.name, text_of(by_psql), text_of(by_pg_restore),
                        text_of(by_pana));
    if (situation.origin.find("pana_gone") != std::string::npos) {
      fresh_database("origin");
      fresh_database("target");
      cluster().sql("postgres", "DROP ROLE IF EXISTS pana_gone");
      cluster().sql("postgres", "DROP TABLESPACE IF EXISTS pana_gone");
    }
  }
  cluster().sql("postgres", "ALTER DATABASE target RESET ALL");
  if (cluster().version() != 15) return;  // other versions of the clients say other things
  const fs::path path = fs::path(PANA_SOURCE_DIR) / "docs/situations.md";
  if (std::getenv("PANA_WRITE_DOCS") != nullptr) std::ofstream(path) << page;
  std::ifstream file(path);
  EXPECT_EQ(page, std::string((std::istreambuf_iterator<char>(file)), {}));
}

}  // namespace
}  // namespace pana::test
