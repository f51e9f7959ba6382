// The index of a backup: which database it is of, which tables it holds, and which frames it consists of.
//
// It is the last frame of the file; its text is SQL comments, one ASCII JSON object a line, so that psql never sees it
// (docs/format.md is the normative description). It describes the uncompressed text alone, so a plain backup and the
// decompressed form of a compressed one have the same index.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "format/database_object.h"
#include "format/frame.h"
#include "format/globals.h"

namespace pana {

constexpr int kFormatVersion = 1;

// The backup was written by a later pana, in a format that this one does not know.
class NewerFormat : public Error {
 public:
  explicit NewerFormat(const std::string& message)
      : Error(ErrorKind::failed, message, "restore it with a newer pana, or with psql") {}
};

// The backups that stand for one another, the newest for all: of one database, with the same filters.
struct BackupSeries {
  std::string database;
  std::string system_identifier;  // as in IndexHeader
  std::vector<std::string> filters;
  auto operator<=>(const BackupSeries&) const = default;
};

// A role that the backup's SQL names, and what for: decides which of them a restore needs.
struct RoleUse {
  std::string name;
  bool owns = false;
  bool granted = false;
  bool in_policy = false;
};

struct ExtensionUse {
  std::string name;
  std::string version;
  std::string schema;
};

// An index that stands behind a primary key or unique constraint: built on its own first, beside other indexes, and
// then attached, it does not hold the table's lock for as long as it takes.
struct ConstraintIndex {
  std::uint32_t constraint_oid = 0;  // the "OID" of the constraint's TOC comment
  std::string create_index;          // CREATE UNIQUE INDEX ...
  std::string add_constraint;        // ALTER TABLE ... ADD CONSTRAINT ... USING INDEX ...
};

struct TableInfo {
  TableId id = 0;
  std::uint32_t oid = 0;  // the "OID" of the table's TOC comment
  std::string schema;     // names are not quoted
  std::string name;
  std::vector<std::string> columns;  // those that COPY reads, in its order
  std::string condition;             // of an extension's configuration table: which rows belong to the backup
  std::string loaded_into;           // SQL name of the partition tree's root, when rows may change partitions
  RowDigest content;
  std::vector<ConstraintIndex> constraint_indexes;
};

struct IndexHeader {
  int format = kFormatVersion;
  std::string pana;  // the version that wrote the backup
  std::string database;
  std::string system_identifier;  // of the server, for databases of one name; empty in older backups and where the
                                  // server kept it
  std::string server;             // "15.8"
  int server_version_num = 0;
  std::string pg_dump;        // "15.8"
  std::string encoding;       // PostgreSQL's name of the database's encoding: that of the file
  std::string snapshot_time;  // RFC 3339; when the snapshot was taken, by the server's clock
  std::string compression;    // informative: "none", "zstd:1"
  std::vector<RoleUse> roles;
  std::vector<ExtensionUse> extensions;
  std::vector<std::string> filters;  // the options that left something out, empty for a whole database
  std::string locale;                // how the database sorted and compared text: "libc C C"; empty in older backups
  std::vector<std::string>
      text_ranges;  // tables partitioned by ranges of text in the database's own order: "public.names"
  std::vector<std::string>
      unlogged;             // tables and sequences whose contents only the primary had: a standby was backed up
  std::string lc_monetary;  // "C": how amounts of money are written; empty in older backups: as the source's role and
                            // database had it
  std::string run;  // what the caller named the run by, so that the same one asked for twice is recognised; or empty
  std::vector<std::string> skipped;       // what the role might not read: "table public.orders"
  std::vector<std::string> kept_from_us;  // what the server showed to superusers and owners alone: "subscription s"
  std::uint64_t sequences = 0;
  std::uint64_t large_objects = 0;

  BackupSeries series() const {
    return {.database = database, .system_identifier = system_identifier, .filters = filters};
  }
};

// What the whole index adds up to; it stands in the header, so that the beginning of a long index tells it.
struct IndexTotals {
  std::uint64_t tables = 0;      // without the pseudo table of large objects
  std::uint64_t rows = 0;        // of all tables; pieces of large objects are none
  std::uint64_t text_bytes = 0;  // the length of the text before the index
  bool operator==(const IndexTotals&) const = default;
};

struct IndexSummary {
  IndexHeader header;
  IndexTotals totals;
};

struct Index {
  IndexHeader header;
  std::optional<Globals> globals;       // none in older backups
  std::vector<DatabaseObject> objects;  // those of the script that have an OID, and extensions' own that have rights;
                                        // none in older backups
  std::vector<TableInfo> tables;
  std::vector<FrameInfo> frames;  // all but the index's own, in file order

  // The table with that id, or nullptr.
  const TableInfo* table(TableId id) const;
  IndexTotals totals() const;
  std::uint64_t rows() const { return totals().rows; }
  std::uint64_t text_bytes() const { return totals().text_bytes; }
};

// The text of the index; `text_bytes` before it give the offset that its last line holds.
std::string write_index(const Index& index);

// The inverse. `text` is the whole text of the index frame. Throws Error(damaged) when anything in it is not as
// write_index() writes it, NewerFormat for a format newer than this program's.
Index parse_index(std::string_view text);

// Header and totals from the first bytes of an index's text, against the checksum of the header line; the lines behind
// it are not looked at. Nothing when `text` is too short for it, or the writer was one that wrote no totals. Throws as
// parse_index() does.
std::optional<IndexSummary> parse_index_head(std::string_view text);

// The last line of a backup's text: "-- pana:end OFFSET CHECKSUM\n", always this long.
constexpr std::uint64_t kEndLineBytes = 50;

// The offset of the index in the text, from the last line; throws Error(damaged) when it is none.
std::uint64_t parse_end_line(std::string_view line);

}  // namespace pana
