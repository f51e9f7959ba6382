#include "format/index.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <limits>
#include <optional>

#include "base/error.h"
#include "base/json.h"

namespace pana {
namespace {

constexpr std::string_view kHeaderMark = "-- pana:index ";
constexpr std::string_view kHeaderCheckMark = "-- pana:header ";
constexpr std::string_view kGlobalsMark = "-- pana:globals ";
constexpr std::string_view kObjectMark = "-- pana:object ";
constexpr std::string_view kTableMark = "-- pana:table ";
constexpr std::string_view kFrameMark = "-- pana:frame ";
constexpr std::string_view kEndMark = "-- pana:end ";

[[noreturn]] void damaged(std::string_view what) {
  throw Error(ErrorKind::damaged, fmt::format("the index is damaged: {}", what));
}

// JSON's numbers, as nlohmann takes them, can be fractions, negative, true or too large for the type.
template <typename Number>
Number number(const Json& json) {
  if (!json.is_number_unsigned()) damaged("it has something else where a number belongs");
  const auto value = json.get<std::uint64_t>();
  if (value > static_cast<std::uint64_t>(std::numeric_limits<Number>::max())) damaged("a number of it is too large");
  return static_cast<Number>(value);
}

// A loop over an object, a string or null would find members, or none.
const Json& array(const Json& json) {
  if (!json.is_array()) damaged("it has something else where a list belongs");
  return json;
}

void add(std::uint64_t& sum, std::uint64_t value) {
  if (__builtin_add_overflow(sum, value, &sum)) damaged("its numbers are impossibly large");
}

std::uint64_t checksum(std::string_view text) { return XXH64(text.data(), text.size(), 0); }

Json header_json(const IndexHeader& header, const IndexTotals& totals) {
  Json json = {{"format", header.format},
               {"pana", header.pana},
               {"database", header.database},
               {"server", header.server},
               {"server_version_num", header.server_version_num},
               {"pg_dump", header.pg_dump},
               {"encoding", header.encoding},
               {"snapshot_time", header.snapshot_time},
               {"compression", header.compression},
               {"sequences", header.sequences},
               {"large_objects", header.large_objects},
               {"filters", header.filters},
               {"roles", Json::array()},
               {"extensions", Json::array()}};
  if (!header.system_identifier.empty()) json["system_identifier"] = header.system_identifier;
  if (!header.locale.empty()) json["locale"] = header.locale;
  if (!header.text_ranges.empty()) json["text_ranges"] = header.text_ranges;
  if (!header.unlogged.empty()) json["unlogged"] = header.unlogged;
  if (!header.lc_monetary.empty()) json["lc_monetary"] = header.lc_monetary;
  if (!header.run.empty()) json["run"] = header.run;
  if (!header.skipped.empty()) json["skipped"] = header.skipped;
  if (!header.kept_from_us.empty()) json["kept_from_us"] = header.kept_from_us;
  for (const RoleUse& role : header.roles) {
    json["roles"].push_back(
        {{"name", role.name}, {"owns", role.owns}, {"granted", role.granted}, {"in_policy", role.in_policy}});
  }
  for (const ExtensionUse& extension : header.extensions) {
    json["extensions"].push_back(
        {{"name", extension.name}, {"version", extension.version}, {"schema", extension.schema}});
  }
  json["totals"] = {{"tables", totals.tables}, {"rows", totals.rows}, {"text_bytes", totals.text_bytes}};
  return json;
}

IndexHeader parse_header(const Json& json) {
  IndexHeader header;
  header.format = number<int>(json.at("format"));
  if (header.format > kFormatVersion) {
    throw NewerFormat(
        fmt::format("the backup has format {}, this pana reads format {}", header.format, kFormatVersion));
  }
  if (header.format != kFormatVersion) damaged("there is no such format");
  header.pana = json.at("pana").get<std::string>();
  header.database = json.at("database").get<std::string>();
  header.server = json.at("server").get<std::string>();
  header.server_version_num = number<int>(json.at("server_version_num"));
  header.pg_dump = json.at("pg_dump").get<std::string>();
  header.encoding = json.at("encoding").get<std::string>();
  // It becomes part of a SET statement.
  if (!std::ranges::all_of(header.encoding, [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; })) {
    damaged("its encoding is no name of one");
  }
  header.snapshot_time = json.at("snapshot_time").get<std::string>();
  header.compression = json.at("compression").get<std::string>();
  header.sequences = number<std::uint64_t>(json.at("sequences"));
  header.large_objects = number<std::uint64_t>(json.at("large_objects"));
  header.filters = json.at("filters").get<std::vector<std::string>>();
  header.system_identifier = json.value("system_identifier", "");
  header.locale = json.value("locale", "");
  header.text_ranges = json.value("text_ranges", std::vector<std::string>());
  header.unlogged = json.value("unlogged", std::vector<std::string>());
  header.lc_monetary = json.value("lc_monetary", "");
  header.run = json.value("run", "");
  header.skipped = json.value("skipped", std::vector<std::string>());
  header.kept_from_us = json.value("kept_from_us", std::vector<std::string>());
  for (const Json& role : array(json.at("roles"))) {
    header.roles.push_back({.name = role.at("name").get<std::string>(),
                            .owns = role.at("owns").get<bool>(),
                            .granted = role.at("granted").get<bool>(),
                            .in_policy = role.at("in_policy").get<bool>()});
  }
  for (const Json& extension : array(json.at("extensions"))) {
    header.extensions.push_back({.name = extension.at("name").get<std::string>(),
                                 .version = extension.at("version").get<std::string>(),
                                 .schema = extension.at("schema").get<std::string>()});
  }
  return header;
}

Json table_json(const TableInfo& table) {
  Json json = {
      {"id", table.id}, {"oid", table.oid}, {"schema", table.schema}, {"name", table.name}, {"columns", table.columns}};
  if (!table.condition.empty()) json["condition"] = table.condition;
  if (!table.loaded_into.empty()) json["loaded_into"] = table.loaded_into;
  json["rows"] = table.content.rows;
  json["bytes"] = table.content.bytes;
  json["digest"] = table.content.hex();
  for (const ConstraintIndex& index : table.constraint_indexes) {
    json["constraint_indexes"].push_back({{"constraint_oid", index.constraint_oid},
                                          {"create_index", index.create_index},
                                          {"add_constraint", index.add_constraint}});
  }
  return json;
}

std::optional<IndexTotals> parse_totals(const Json& header) {
  if (!header.contains("totals")) return std::nullopt;
  const Json& totals = header.at("totals");
  return IndexTotals{.tables = number<std::uint64_t>(totals.at("tables")),
                     .rows = number<std::uint64_t>(totals.at("rows")),
                     .text_bytes = number<std::uint64_t>(totals.at("text_bytes"))};
}

TableInfo parse_table(const Json& json) {
  TableInfo table;
  table.id = number<TableId>(json.at("id"));
  table.oid = number<std::uint32_t>(json.at("oid"));
  table.schema = json.at("schema").get<std::string>();
  table.name = json.at("name").get<std::string>();
  table.columns = json.at("columns").get<std::vector<std::string>>();
  table.condition = json.value("condition", "");
  table.loaded_into = json.value("loaded_into", "");
  const auto digest = parse_digest(json.at("digest").get<std::string>());
  if (!digest) damaged("a table's digest is malformed");
  table.content = *digest;
  table.content.rows = number<std::uint64_t>(json.at("rows"));
  table.content.bytes = number<std::uint64_t>(json.at("bytes"));
  const Json indexes = json.value("constraint_indexes", Json::array());
  for (const Json& index : array(indexes)) {
    table.constraint_indexes.push_back({.constraint_oid = number<std::uint32_t>(index.at("constraint_oid")),
                                        .create_index = index.at("create_index").get<std::string>(),
                                        .add_constraint = index.at("add_constraint").get<std::string>()});
  }
  return table;
}

Json frame_json(const FrameInfo& frame) {
  Json json = {{"phase", phase_name(frame.phase)}, {"bytes", frame.bytes}, {"xxh64", hex64(frame.xxh64)}};
  for (const FrameRows& rows : frame.tables) json["tables"].push_back({rows.table, rows.rows});
  return json;
}

FrameInfo parse_frame(const Json& json) {
  FrameInfo frame;
  const auto phase = parse_phase(json.at("phase").get<std::string>());
  const auto checksum = parse_hex64(json.at("xxh64").get<std::string>());
  if (!phase || !checksum) damaged("a frame's line is malformed");
  frame.phase = *phase;
  frame.xxh64 = *checksum;
  frame.bytes = number<std::uint64_t>(json.at("bytes"));
  const Json tables = json.value("tables", Json::array());
  for (const Json& rows : array(tables)) {
    frame.tables.push_back({.table = number<TableId>(rows.at(0)), .rows = number<std::uint64_t>(rows.at(1))});
  }
  return frame;
}

// The rows that the frames promise must be those that the tables promise, in phases that do not go back.
void check_consistency(const Index& index) {
  std::map<TableId, std::uint64_t> rows;
  Phase phase = Phase::preamble;
  std::uint64_t text_bytes = 0;
  for (const FrameInfo& frame : index.frames) {
    if (frame.phase < phase) damaged("its frames are out of order");
    phase = frame.phase;
    add(text_bytes, frame.bytes);
    for (const FrameRows& part : frame.tables) add(rows[part.table], part.rows);
  }
  std::map<TableId, bool> seen;
  std::uint64_t all_rows = 0;
  for (const TableInfo& table : index.tables) {
    add(all_rows, table.content.rows);
    if (!seen.emplace(table.id, true).second) damaged("a table is listed twice");
    if (rows[table.id] != table.content.rows) damaged("its frames do not add up to its tables");
    rows.erase(table.id);
  }
  if (!rows.empty()) damaged("a frame names a table that is not listed");
}

// What a line says, behind its mark.
Json payload(std::string_view line, std::string_view mark) { return Json::parse(line.substr(mark.size())); }

// Takes the first line off, with its newline; nothing when there is no whole line.
std::optional<std::string_view> take_line(std::string_view& text) {
  const std::size_t length = text.find('\n');
  if (length == std::string_view::npos) return std::nullopt;
  const std::string_view line = text.substr(0, length + 1);
  text.remove_prefix(line.size());
  return line;
}

// `check` is the line behind the header's.
void check_header(std::string_view header, std::string_view check) {
  const auto expected = parse_hex64(payload(check, kHeaderCheckMark).at("xxh64").get<std::string>());
  if (expected != checksum(header)) damaged("the checksum of its header does not match");
}

void parse_line(std::string_view line, Index& index) {
  if (line.starts_with(kFrameMark)) {
    index.frames.push_back(parse_frame(payload(line, kFrameMark)));
  } else if (line.starts_with(kTableMark)) {
    index.tables.push_back(parse_table(payload(line, kTableMark)));
  } else if (line.starts_with(kObjectMark)) {
    index.objects.push_back(parse_object(payload(line, kObjectMark)));
  } else if (line.starts_with(kGlobalsMark)) {
    index.globals = parse_globals(payload(line, kGlobalsMark));
  } else if (!line.starts_with("-- pana:")) {
    damaged("a line of it is not an index line");
  }  // Lines with other words may come with later minor versions; what they say is an addition.
}

}  // namespace

const TableInfo* Index::table(TableId id) const {
  const auto found = std::find_if(tables.begin(), tables.end(), [id](const TableInfo& t) { return t.id == id; });
  return found == tables.end() ? nullptr : &*found;
}

IndexTotals Index::totals() const {
  IndexTotals totals;
  for (const TableInfo& table : tables) {
    if (table.id == kLargeObjects) continue;
    ++totals.tables;
    totals.rows += table.content.rows;
  }
  for (const FrameInfo& frame : frames) totals.text_bytes += frame.bytes;
  return totals;
}

std::string write_index(const Index& index) {
  std::string text;
  // A role is the cluster's and need not be named in this database's encoding: what has no meaning becomes U+FFFD.
  const auto line = [&text](std::string_view mark, const Json& json) {
    text.append(mark).append(json.dump(-1, ' ', /*ensure_ascii=*/true, Json::error_handler_t::replace)).append("\n");
  };
  line(kHeaderMark, header_json(index.header, index.totals()));
  line(kHeaderCheckMark, {{"xxh64", hex64(checksum(text))}});
  if (index.globals) line(kGlobalsMark, globals_json(*index.globals));
  for (const DatabaseObject& object : index.objects) line(kObjectMark, object_json(object));
  for (const TableInfo& table : index.tables) line(kTableMark, table_json(table));
  for (const FrameInfo& frame : index.frames) line(kFrameMark, frame_json(frame));
  return text + fmt::format("{}{:020} {}\n", kEndMark, index.text_bytes(), hex64(checksum(text)));
}

std::uint64_t parse_end_line(std::string_view line) {
  std::uint64_t offset = 0;
  if (line.size() != kEndLineBytes || !line.starts_with(kEndMark) || line[32] != ' ' || line.back() != '\n' ||
      !parse_hex64(line.substr(33, 16))) {
    throw Error(ErrorKind::damaged, "the file does not end like a backup");
  }
  const char* const digits_end = line.data() + 32;
  const auto [end, error] = std::from_chars(line.data() + kEndMark.size(), digits_end, offset);
  if (error != std::errc() || end != digits_end) throw Error(ErrorKind::damaged, "the file does not end like a backup");
  return offset;
}

Index parse_index(std::string_view text) try {
  if (text.size() < kEndLineBytes) damaged("it is cut short");
  const std::string_view end_line = text.substr(text.size() - kEndLineBytes);
  const std::uint64_t offset = parse_end_line(end_line);
  text.remove_suffix(kEndLineBytes);
  if (checksum(text) != parse_hex64(end_line.substr(33, 16))) damaged("its checksum does not match");
  if (!text.starts_with(kHeaderMark) || text.back() != '\n') damaged("it does not begin with its header");

  Index index;
  const std::string_view header_line = *take_line(text);
  const Json header = payload(header_line, kHeaderMark);
  index.header = parse_header(header);
  if (text.starts_with(kHeaderCheckMark)) check_header(header_line, *take_line(text));
  while (const auto line = take_line(text)) parse_line(*line, index);
  check_consistency(index);
  const IndexTotals totals = index.totals();
  if (offset != totals.text_bytes) damaged("its frames do not add up to its own offset");
  if (parse_totals(header).value_or(totals) != totals) damaged("its lines do not add up to its totals");
  return index;
} catch (const Json::exception&) {
  damaged("a line of it cannot be parsed");
}

std::optional<IndexSummary> parse_index_head(std::string_view text) try {
  if (!text.starts_with(kHeaderMark)) damaged("it does not begin with its header");
  const auto header_line = take_line(text);
  const auto check_line = header_line ? take_line(text) : std::nullopt;
  if (!check_line || !check_line->starts_with(kHeaderCheckMark)) return std::nullopt;
  check_header(*header_line, *check_line);
  const Json header = payload(*header_line, kHeaderMark);
  IndexHeader parsed = parse_header(header);
  const std::optional<IndexTotals> totals = parse_totals(header);
  if (!totals) return std::nullopt;
  return IndexSummary{.header = std::move(parsed), .totals = *totals};
} catch (const Json::exception&) {
  damaged("its header cannot be parsed");
}

}  // namespace pana
