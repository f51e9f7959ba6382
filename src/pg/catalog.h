// What a database holds that pana itself reads: tables with rows, and the names that a restore will need. Which of them
// belong to a backup follows pg_dump's own rules (bin/pg_dump/pg_dump.c: selectDumpableTable, processExtensionTables,
// makeTableDataInfo).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "pg/connection.h"
#include "sql/schema_names.h"
#include "sql/table_filter.h"

namespace pana {

struct CatalogName {
  std::string schema;
  std::string name;
  std::string sql_name;  // both, quoted where needed
};

// One table whose rows belong to a backup. Text is in the session's encoding.
struct CatalogTable {
  std::uint32_t oid = 0;
  std::string schema;
  std::string name;
  std::string sql_name;                  // quoted where needed: public."Order"
  std::vector<std::string> columns;      // those COPY reads: not dropped, not generated
  std::vector<std::string> sql_columns;  // the same, quoted where needed
  std::string sql_load_name;             // where its rows are loaded: itself, or the root of its partition tree
  std::string condition;                 // "WHERE ..." of an extension's configuration table, else empty
  std::uint64_t bytes = 0;               // with TOAST
  std::uint64_t toast_bytes = 0;         // of them
  std::uint64_t pages = 0;               // of the heap
  bool can_split = false;                // by ranges of ctid
  bool readable = false;                 // SELECT is granted
  bool hides_rows = false;               // row level security would apply to us
  bool in_usable_schema = false;         // USAGE is granted

  // The table and, where it has any, its columns as in COPY: public.orders (id, total); to read from, and to load into.
  std::string copy_source() const;
  std::string copy_target() const;
};

// The tables in the order of their names; on a standby without the unlogged ones.
std::vector<CatalogTable> read_tables(Connection& connection, const TableFilter& filter);

// The conditions of extensions' configuration tables: which of their rows are the user's. Empty: all of them.
std::map<RelationName, std::string> read_extension_conditions(Connection& connection);

// A table whose definition alone belongs to a backup: a partitioned one, or one whose rows are not wanted.
struct CatalogDefinition {
  std::uint32_t oid = 0;
  CatalogName name;
  bool readable = false;          // SELECT is granted, without which pg_dump cannot lock it
  bool in_usable_schema = false;  // USAGE is granted
};

// What pg_dump locks beside the tables `with_rows`. Those of extensions, of which nothing is backed up, as far as the
// role may.
std::vector<CatalogDefinition> read_definitions(Connection& connection, const TableFilter& filter,
                                                const std::vector<CatalogTable>& with_rows);

// Of the tables with rows, `tables`, and the definitions alone: partitioned ones of whose partitions none has rows that
// are wanted.
std::vector<CatalogName> read_trees_without_rows(Connection& connection, const std::vector<CatalogTable>& tables,
                                                 const std::vector<CatalogDefinition>& definitions);

// The tables that are partitioned by ranges of text in the order of the database's default collation.
std::vector<CatalogName> read_text_ranges(Connection& connection);

// On a standby, the unlogged tables and sequences: their contents are on the primary alone. Nothing elsewhere.
std::vector<CatalogName> read_unlogged_on_standby(Connection& connection, const TableFilter& filter);

// What a filter's patterns find in the database.
struct FilterMatch {
  bool chooses_something = false;      // a relation of any kind, where it has table patterns, or else a schema
  std::vector<std::string> unmatched;  // the patterns of -t, or else of -n, that match nothing
};
FilterMatch match(Connection& connection, const TableFilter& filter);

struct CatalogRole {
  std::uint32_t oid = 0;
  std::string name;
  bool owns = false;
  bool granted = false;
  bool in_policy = false;
};

// The roles that the database's own objects name.
std::vector<CatalogRole> read_roles(Connection& connection);

struct CatalogExtension {
  std::string name;
  std::string version;
  std::string schema;
};

// The extensions other than those every database has.
std::vector<CatalogExtension> read_extensions(Connection& connection);

// An index behind a primary key or unique constraint of an ordinary table, as two statements that build the same.
struct CatalogConstraintIndex {
  std::uint32_t table_oid = 0;
  std::uint32_t constraint_oid = 0;
  std::string create_index;
  std::string add_constraint;
};

std::vector<CatalogConstraintIndex> read_constraint_indexes(Connection& connection);

}  // namespace pana
