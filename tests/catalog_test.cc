// What pana reads of a catalog: which tables and sequences belong to a backup, and how their rows are read and loaded.
#include "pg/catalog.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "pg/sequences.h"
#include "pg/session.h"
#include "support/pana.h"

namespace pana::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class Catalog : public EndToEnd {
 protected:
  static Connection connect(const std::string& sql) {
    const std::string url = fresh_database("catalog");
    cluster().sql("catalog", sql);
    Connection connection(DatabaseAddress(url), {});
    prepare_reading_session(connection, "UTF8");
    return connection;
  }

  template <typename Things>
  static std::vector<std::string> names(const Things& things) {
    std::vector<std::string> names;
    for (const auto& thing : things) names.push_back(thing.name.sql_name);
    return names;
  }

  static std::vector<std::string> names(const std::vector<CatalogTable>& tables) {
    std::vector<std::string> names;
    for (const CatalogTable& table : tables) names.push_back(table.sql_name);
    return names;
  }
};

TEST_F(Catalog, HasTheTablesWithRowsAndTheColumnsThatCopyReads) {
  Connection connection = connect(R"(
    CREATE TABLE plain (id int, gone int, "Odd, ""name""" text, twice int GENERATED ALWAYS AS (2) STORED);
    ALTER TABLE plain DROP COLUMN gone;
    CREATE TABLE empty (); CREATE VIEW seen AS SELECT 1; CREATE UNLOGGED TABLE unlogged (id int);
    CREATE TABLE tree (id int) PARTITION BY LIST (id); CREATE TABLE leaf PARTITION OF tree DEFAULT)");
  const std::vector<CatalogTable> tables = read_tables(connection, {});
  EXPECT_THAT(names(tables), ElementsAre("public.empty", "public.leaf", "public.plain", "public.unlogged"));
  EXPECT_THAT(tables.at(0).columns, IsEmpty());
  EXPECT_EQ("public.empty", tables.at(0).copy_source());
  EXPECT_EQ(R"(public.plain (id, "Odd, ""name"""))", tables.at(2).copy_source());
  EXPECT_EQ(tables.at(2).copy_source(), tables.at(2).copy_target());
  EXPECT_TRUE(tables.at(2).readable && tables.at(2).in_usable_schema && !tables.at(2).hides_rows);
  EXPECT_THAT(names(read_definitions(connection, {}, tables)), ElementsAre("public.tree"));
}

// The hash of an enum's value is another one after a restore.
TEST_F(Catalog, LoadsPartitionsByTheHashOfAnEnumThroughTheirRoot) {
  Connection connection = connect(R"(
    CREATE TYPE mood AS ENUM ('good', 'bad');
    CREATE TABLE moods (z int, m mood) PARTITION BY HASH (m);
    CREATE TABLE part (m mood, z int); ALTER TABLE moods ATTACH PARTITION part FOR VALUES WITH (MODULUS 1, REMAINDER 0))");
  const std::vector<CatalogTable> tables = read_tables(connection, {});
  ASSERT_THAT(names(tables), ElementsAre("public.part"));
  EXPECT_EQ("public.part (m, z)", tables[0].copy_source());
  EXPECT_EQ("public.moods (m, z)", tables[0].copy_target());
}

TEST_F(Catalog, HasTheSequencesOfTheTablesThatAreWanted) {
  Connection connection = connect(R"(
    CREATE TABLE owned (id serial); CREATE TABLE identity (id int GENERATED ALWAYS AS IDENTITY); CREATE SEQUENCE alone;
    SELECT setval('alone', 7, false))");
  EXPECT_THAT(names(read_sequences(connection, {})),
              ElementsAre("public.alone", "public.identity_id_seq", "public.owned_id_seq"));
  TableFilter::Patterns patterns;
  patterns.tables = {"owned"};
  EXPECT_THAT(names(read_sequences(connection, TableFilter(patterns))), ElementsAre("public.owned_id_seq"));
  const std::vector<std::string> values = read_sequence_values(connection, {});
  EXPECT_TRUE(std::any_of(values.begin(), values.end(), [](const std::string& sql) {
    return sql.find("public.alone") != std::string::npos && sql.find("7, false") != std::string::npos;
  }));
}

TEST_F(Catalog, LeavesTheSearchPathAsItWas) {
  Connection connection = connect("CREATE TABLE t ()");
  read_tables(connection, {});
  EXPECT_EQ("\"\"", connection.query("SHOW search_path").string(0, 0));
}

}  // namespace
}  // namespace pana::test
