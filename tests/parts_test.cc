// Single relations out of a backup: of every odd one of the fixtures, against what pg_dump and psql make of it.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <sstream>
#include <string>

#include "support/origin_and_target.h"

namespace pana::test {
namespace {

namespace fs = std::filesystem;

class Parts : public EndToEnd {
 protected:
  // As patterns, each quoted. By default some of them, always the same; PANA_ALL_PARTS=1 asks for all, =10 for each
  // tenth.
  static std::vector<std::string> relations(const Source& source, std::size_t every) {
    if (const char* const wish = std::getenv("PANA_ALL_PARTS")) every = std::stoul(wish);
    const std::string all = cluster().sql(source.database, R"(
      SELECT replace(format('"%s"."%s"', replace(n.nspname, '"', '""'), replace(c.relname, '"', '""')), E'\n', E'\\n')
      FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
      WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND n.nspname !~ '^(pg_|information_schema|probe)' AND position(E'\n' IN n.nspname || c.relname) = 0
        AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.objid = c.oid AND d.classid = 'pg_class'::regclass AND d.deptype IN ('e', 'i') AND c.relkind IN ('S', 'r', 'v'))
      ORDER BY md5(c.relname), 1)");
    std::vector<std::string> patterns;
    std::istringstream lines(all);
    std::size_t position = 0;
    for (std::string line; std::getline(lines, line); ++position) {
      if (position % every == 0) patterns.push_back(line);
    }
    return patterns;
  }

  static void fill_by_pg_dump(const Source& source, const std::vector<std::string>& options,
                              const std::string& database) {
    Command restore = cluster().client("psql", {"-X", "-q", "-o", "/dev/null"}, database);
    restore.input = cluster().pg_dump(options, source.database);
    run(restore);  // goes on behind errors
  }

  // psql takes the rows of a table that could not be made for statements, and loses those of others with them.
  static void fill_by_pg_restore(const Source& source, const std::vector<std::string>& options,
                                 const std::string& database) {
    const TemporaryDirectory directory;
    const fs::path archive = directory.path() / "archive";
    std::vector<std::string> arguments = {"-Fc", "-f", archive};
    arguments.insert(arguments.end(), options.begin(), options.end());
    run_successfully(cluster().client("pg_dump", arguments, source.database));
    run(cluster().client("pg_restore", {"-d", database, archive}, database));  // goes on behind errors
  }

  static void copy_database(const std::string& from, const std::string& to) {
    cluster().drop_database(to);
    cluster().sql("postgres", "CREATE DATABASE " + to + " TEMPLATE " + from);
  }
};

// What a restore of parts did, or refused before it did anything: the database is as it was.
class Unchanged : public Parts {
 protected:
  void expect_unchanged_by(const Source& source, std::size_t every, const std::vector<std::string>& options) {
    const fs::path backup = back_up(source.database);
    const std::string whole = fresh_database("whole");
    ASSERT_TRUE(ends_with(kOk, pana({"restore", backup, "--into", whole})));
    std::size_t replaced = 0;
    for (const std::string& relation : relations(source, every)) {
      // Their parent has indexes that were made ONLY there: whoever attaches a partition gets its part of them, which
      // the source lacks.
      if (relation == "\"indexes\".\"part_1\"" || relation == "\"indexes\".\"part_2\"") continue;
      std::vector<std::string> arguments = {"restore", backup, "--into", whole, "--clean", "-t", relation};
      arguments.insert(arguments.end(), options.begin(), options.end());
      const Outcome outcome = pana(arguments);
      const bool is_refused = outcome.exit_status == kRefused ||
                              outcome.err.find("cannot drop what is there") != std::string::npos ||
                              outcome.err.find("cannot empty the tables") != std::string::npos;
      if (outcome.succeeded()) ++replaced;
      EXPECT_TRUE(outcome.succeeded() || is_refused) << relation << outcome.description();
      const std::string difference = differences(source.content, content_of(cluster(), "whole"));
      EXPECT_EQ("", difference) << relation << outcome.description();
      if (difference.empty()) continue;
      ASSERT_TRUE(ends_with(kOk, pana({"restore", backup, "--into", fresh_database("whole")})));
    }
    EXPECT_GT(replaced, 0U);
    fmt::print("{} replaced\n", replaced);
  }
};

TEST_F(Unchanged, ByReplacingRelationsOfAnyKind) { expect_unchanged_by(everything(), 15, {}); }
TEST_F(Unchanged, ByReplacingManyTables) { expect_unchanged_by(many(), 240, {}); }
TEST_F(Unchanged, ByReplacingTheRowsOfManyTables) { expect_unchanged_by(many(), 360, {"--data-only"}); }

TEST_F(Unchanged, ByReplacingSchemas) {
  const fs::path backup = back_up(many().database);
  const std::string whole = fresh_database("whole");
  ASSERT_TRUE(ends_with(kOk, pana({"restore", backup, "--into", whole})));
  for (const char* const schema : {"many_a", "\"Many B\"", "\"many.c\"", "many_d", "public"}) {
    const Outcome outcome = pana({"restore", backup, "--into", whole, "--clean", "-n", schema});
    EXPECT_TRUE(outcome.succeeded() || outcome.err.find("cannot drop what is there") != std::string::npos)
        << schema << outcome.description();
    EXPECT_EQ("", differences(many().content, content_of(cluster(), "whole"))) << schema << outcome.description();
  }
}

// Parts of a backup, into a database that has the rest of what they need, against what pg_dump with the same option
// gives.
class AsByPgDump : public Parts {
 protected:
  // pg_dump -t leaves a table's extended statistics out, which pana brings.
  static void drop_statistics(const std::string& database) {
    cluster().sql(database,
                  "SELECT format('DROP STATISTICS %I.%I', n.nspname, s.stxname) FROM pg_statistic_ext AS s JOIN "
                  "pg_namespace AS n ON n.oid = s.stxnamespace \\gexec");
  }

  void expect_same(const Source& source, const std::string& option, const std::vector<std::string>& patterns,
                   bool with_the_rest, const std::vector<std::string>& also = {}) {
    const fs::path backup = back_up(source.database);
    fresh_database("parts_base");
    if (with_the_rest) fill_by_pg_dump(source, {"--schema-only", "-T", "*.*"}, "parts_base");
    for (const std::string& pattern : patterns) {
      // Which of their rows another partition takes follows from the numbers that the database gives to an enum's
      // values.
      if (option == "-T" && (pattern == "\"parts\".\"by_enum_hash\"" || pattern.starts_with("\"parts\".\"enum_hash_")))
        continue;
      copy_database("parts_base", "by_pg_dump");
      copy_database("parts_base", "by_pana");
      std::vector<std::string> options = {option, pattern};
      options.insert(options.end(), also.begin(), also.end());
      option == "-T" ? fill_by_pg_restore(source, options, "by_pg_dump")
                     : fill_by_pg_dump(source, options, "by_pg_dump");
      std::vector<std::string> arguments = {"restore",           backup,        "--into", cluster().url("by_pana"),
                                            "--allow-non-empty", "--keep-going"};
      arguments.insert(arguments.end(), options.begin(), options.end());
      if (option != "-T") arguments.emplace_back("--no-publications");  // pg_dump leaves the tables' place in them out
      const Outcome outcome = pana(arguments);
      if (option == "-t") drop_statistics("by_pana");
      EXPECT_EQ("", differences(content_of(cluster(), "by_pg_dump"), content_of(cluster(), "by_pana")))
          << pattern << outcome.description();
    }
  }
};

TEST_F(AsByPgDump, AreRelationsOfAnyKind) { expect_same(everything(), "-t", relations(everything(), 30), true); }
TEST_F(AsByPgDump, AreManyTables) { expect_same(many(), "-t", relations(many(), 180), true); }
TEST_F(AsByPgDump, AreAllButRelationsOfAnyKind) { expect_same(everything(), "-T", relations(everything(), 90), false); }
TEST_F(AsByPgDump, AreAllButOneOfManyTables) { expect_same(many(), "-T", relations(many(), 500), false); }
TEST_F(AsByPgDump, AreTheDefinitionsOfAllButOneOfManyTables) {
  expect_same(many(), "-T", relations(many(), 250), false, {"--schema-only"});
}
TEST_F(AsByPgDump, AreSchemas) { expect_same(many(), "-n", {"many_a", "\"Many B\"", "public"}, true); }

}  // namespace
}  // namespace pana::test
