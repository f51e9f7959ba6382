#include "sql/table_filter.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"

namespace pana {
namespace {

std::vector<NamePattern> parse(const std::vector<std::string>& texts) {
  std::vector<NamePattern> patterns;
  for (const std::string& text : texts) patterns.push_back(NamePattern::parse(text));
  return patterns;
}

// Before it would stand another database's name.
void refuse_dot(const std::string& schema) {
  if (!NamePattern::parse(schema).has_schema()) return;
  throw Error(ErrorKind::usage, fmt::format("the schema pattern {} has a dot", schema),
              "quote a dot that belongs to the name; tables are chosen by -t");
}

bool any_matches(const std::vector<NamePattern>& patterns, std::string_view schema, std::string_view name,
                 bool visible = true) {
  return std::any_of(patterns.begin(), patterns.end(), [&](const NamePattern& pattern) {
    return (visible || pattern.has_schema()) && pattern.matches(schema, name);
  });
}

}  // namespace

TableFilter::TableFilter(Patterns patterns)
    : patterns_(std::move(patterns)), schemas_(parse(patterns_.schemas)),
      exclude_schemas_(parse(patterns_.exclude_schemas)), tables_(parse(patterns_.tables)),
      exclude_tables_(parse(patterns_.exclude_tables)), exclude_table_data_(parse(patterns_.exclude_table_data)) {
  for (const std::vector<std::string>* const texts : {&patterns_.schemas, &patterns_.exclude_schemas}) {
    for (const std::string& text : *texts) refuse_dot(text);
  }
}

bool TableFilter::includes(std::string_view schema, std::string_view name, bool visible) const {
  if (any_matches(exclude_tables_, schema, name, visible)) return false;
  if (!tables_.empty()) return any_matches(tables_, schema, name, visible);
  return includes_schema(schema);
}

bool TableFilter::includes_schema(std::string_view schema) const {
  // A schema's pattern is matched against the schema's own name.
  return (schemas_.empty() || any_matches(schemas_, {}, schema)) && !any_matches(exclude_schemas_, {}, schema);
}

bool TableFilter::includes_rows(std::string_view schema, std::string_view name, bool visible) const {
  return includes(schema, name, visible) && !excludes_rows(schema, name, visible);
}

bool TableFilter::excludes(std::string_view schema, std::string_view name) const {
  return any_matches(exclude_tables_, schema, name);
}

bool TableFilter::excludes_rows(std::string_view schema, std::string_view name, bool visible) const {
  return any_matches(exclude_table_data_, schema, name, visible);
}

bool TableFilter::includes_extension_rows(std::string_view schema, std::string_view name, bool visible) const {
  if (any_matches(exclude_tables_, schema, name, visible) || any_matches(exclude_schemas_, {}, schema)) return false;
  if (excludes_rows(schema, name, visible)) return false;
  return includes_everything() || includes(schema, name, visible);
}

std::vector<std::string> TableFilter::unmatched(const std::vector<Relation>& relations,
                                                const std::set<std::string>& schemas) const {
  std::vector<std::string> unmatched;
  for (std::size_t i = 0; i < tables_.size(); ++i) {
    const bool matched = std::ranges::any_of(relations, [&](const Relation& relation) {
      return (relation.visible || tables_[i].has_schema()) && tables_[i].matches(relation.schema, relation.name);
    });
    if (!matched) unmatched.push_back(patterns_.tables[i]);
  }
  if (has_table_patterns()) return unmatched;  // schema patterns have no effect
  for (std::size_t i = 0; i < schemas_.size(); ++i) {
    if (std::ranges::none_of(schemas, [&](const std::string& schema) { return schemas_[i].matches({}, schema); }))
      unmatched.push_back(patterns_.schemas[i]);
  }
  return unmatched;
}

std::vector<std::string> TableFilter::arguments() const {
  std::vector<std::string> arguments;
  for (const PatternOption& option : options()) {
    const std::string_view names = option.option;
    const std::string name(names.substr(names.find("--")));
    for (const std::string& pattern : patterns_.*option.patterns) arguments.push_back(name + "=" + pattern);
  }
  return arguments;
}

std::span<const TableFilter::PatternOption> TableFilter::options() {
  static constexpr PatternOption kOptions[] = {
      {"-n,--schema", "schemas", &Patterns::schemas, "only schemas matching PATTERN"},
      {"-N,--exclude-schema", "exclude_schemas", &Patterns::exclude_schemas, "no schemas matching PATTERN"},
      {"-t,--table", "tables", &Patterns::tables, "only tables matching PATTERN"},
      {"-T,--exclude-table", "exclude_tables", &Patterns::exclude_tables, "no tables matching PATTERN"},
      {"--exclude-table-data", "exclude_table_data", &Patterns::exclude_table_data,
       "the definition but not the rows of tables matching PATTERN"},
  };
  return kOptions;
}

}  // namespace pana
