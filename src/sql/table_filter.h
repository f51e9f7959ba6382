// Which schemas and tables a command is about: pg_dump's -n, -N, -t, -T and --exclude-table-data.
#pragma once

#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sql/name_pattern.h"

namespace pana {

class TableFilter {
 public:
  // The patterns as the user wrote them (pg_dump's rules: psql patterns).
  struct Patterns {
    std::vector<std::string> schemas;
    std::vector<std::string> exclude_schemas;
    std::vector<std::string> tables;
    std::vector<std::string> exclude_tables;
    std::vector<std::string> exclude_table_data;
  };

  // How each is written: on the command line, in a function's event, and with what help.
  struct PatternOption {
    const char* option;  // "-n,--schema"
    const char* member;  // "schemas"
    std::vector<std::string> Patterns::*patterns;
    const char* help;
  };
  static std::span<const PatternOption> options();

  TableFilter() = default;
  explicit TableFilter(Patterns patterns);

  // Whether a table (or sequence) and its rows are wanted. With table patterns, schema patterns have no effect.
  // pg_dump's table patterns without a schema match what is `visible` in the role's search path; in a backup, where
  // nothing tells, they match in every schema.
  bool includes(std::string_view schema, std::string_view name, bool visible = true) const;
  bool includes_rows(std::string_view schema, std::string_view name, bool visible = true) const;

  // Whether -T matches it, whatever else does.
  bool excludes(std::string_view schema, std::string_view name) const;
  bool excludes_rows(std::string_view schema, std::string_view name, bool visible = true) const;

  // Of an extension's configuration table, whose rows belong to the extension: only when everything is wanted, or the
  // table is.
  bool includes_extension_rows(std::string_view schema, std::string_view name, bool visible = true) const;

  bool includes_schema(std::string_view schema) const;
  bool has_table_patterns() const { return !patterns_.tables.empty(); }

  // Neither -n nor -t was given: large objects and extensions are part of the backup.
  bool includes_everything() const { return patterns_.schemas.empty() && patterns_.tables.empty(); }
  bool is_empty() const { return arguments().empty(); }

  struct Relation {
    std::string schema;
    std::string name;
    bool visible = true;
  };
  // The patterns of -t that match none of these relations; without any, those of -n that match none of these schemas.
  std::vector<std::string> unmatched(const std::vector<Relation>& relations,
                                     const std::set<std::string>& schemas) const;

  const Patterns& patterns() const { return patterns_; }

  // pg_dump's options for the same choice, one "--option=pattern" each.
  std::vector<std::string> arguments() const;

 private:
  Patterns patterns_;
  std::vector<NamePattern> schemas_;
  std::vector<NamePattern> exclude_schemas_;
  std::vector<NamePattern> tables_;
  std::vector<NamePattern> exclude_tables_;
  std::vector<NamePattern> exclude_table_data_;
};

}  // namespace pana
