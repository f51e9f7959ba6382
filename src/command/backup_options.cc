#include "command/backup_options.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>

#include "base/error.h"
#include "base/human.h"

namespace pana {
namespace {

std::optional<std::uint64_t> whole_number(std::string_view text) {
  std::uint64_t number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) return std::nullopt;
  return number;
}

std::size_t jobs(const std::string& value) {
  if (value == "auto") return 0;
  const std::optional<std::uint64_t> number = whole_number(value);
  if (number && *number >= 1 && *number <= 64) return *number;
  throw Error(ErrorKind::usage, "neither auto nor a number from 1 to 64");
}

std::chrono::seconds seconds(const std::string& value) {
  constexpr std::uint64_t kDay = 86400;
  const std::optional<std::uint64_t> number = whole_number(value);
  if (number && *number <= kDay) return std::chrono::seconds(*number);
  throw Error(ErrorKind::usage, fmt::format("not a number of seconds from 0 to {}", kDay));
}

// A number without its unit: locks and snapshot would be held for days.
std::uint64_t rate(const std::string& value) {
  constexpr std::uint64_t kLeast = 64 << 10;
  const std::optional<std::uint64_t> bytes = parse_bytes(value);
  if (!bytes) throw Error(ErrorKind::usage, "not a size such as 20MiB");
  if (*bytes == 0 || *bytes >= kLeast) return *bytes;
  throw Error(ErrorKind::usage, "less than 64 KiB a second: give it a unit, such as 20MiB");
}

Compression compression(const std::string& value) try { return parse_compression(value); } catch (const Error&) {
  throw Error(ErrorKind::usage, "neither none nor zstd nor zstd:LEVEL with a level from 1 to 19");
}

using Request = BackupRequest;
using Value = const std::string;

constexpr BackupOption kOptions[] = {
    {.option = "-j,--jobs",
     .member = "jobs",
     .variable = "PANA_JOBS",
     .type_name = "N",
     .by_default = "4",
     .help = "connections that read rows, 1 to 64; auto: by processors and size",
     .help_of_check = "connections that a backup would use",
     .apply = [](Request& request, Value& value) { request.jobs = jobs(value); }},
    {.option = "-Z,--compression",
     .member = "compression",
     .variable = "PANA_COMPRESSION",
     .type_name = "TEXT",
     .by_default = "none",
     .help = "none, zstd or zstd:LEVEL, 1 to 19",
     .help_of_check = "",
     .apply = [](Request& request, Value& value) { request.compression = compression(value); }},
    {.option = "--lock-wait",
     .member = "lock_wait_seconds",
     .variable = "",
     .type_name = "SECONDS",
     .by_default = "300",
     .help = "give up when the tables cannot be locked within this time",
     .help_of_check = "",
     .apply = [](Request& request, Value& value) { request.locks.give_up_after = seconds(value); }},
    {.option = "--skip-unreadable",
     .member = "",  // a backup that nobody watches must not lack anything unnoticed
     .variable = "",
     .type_name = "",
     .by_default = "",
     .help = "leave out what the role may not read, say so, and end with status 7",
     .help_of_check = "only warn of what the role may not read, which backup --skip-unreadable leaves out",
     .apply = [](Request& request, Value& value) { request.skip_unreadable = value == "true"; }},
    {.option = "--yield-to-waiters",
     .member = "yield_to_waiters_seconds",
     .variable = "",
     .type_name = "SECONDS",
     .by_default = "0",
     .help = "give up when another session has waited this long for a lock that the backup holds; 0: never",
     .help_of_check = "",
     .apply = [](Request& request, Value& value) { request.yield_to_waiters = seconds(value); }},
    {.option = "--max-rate",
     .member = "max_rate",
     .variable = "",
     .type_name = "SIZE",
     .by_default = "",
     .help = "read at most this many bytes of rows a second, over all connections, such as 20MiB; 0: no limit",
     .help_of_check = "",
     .apply = [](Request& request, Value& value) { request.max_bytes_per_second = rate(value); }},
    {.option = "--no-split",
     .member = "no_split",
     .variable = "",
     .type_name = "",
     .by_default = "",
     .help = "read each table over one connection, which spares the server's cache",
     .help_of_check = "",
     .apply = [](Request& request, Value& value) { request.split_tables = value != "true"; }},
    {.option = "--stall-timeout",
     .member = "stall_timeout_seconds",
     .variable = "",
     .type_name = "SECONDS",
     .by_default = "600",
     .help = "give up when the server, or pg_dump, says nothing for this long; 0: never",
     .help_of_check = "give up when the server says nothing for this long; 0: never",
     .apply = [](Request& request, Value& value) { request.longest_silence = seconds(value); }},
};

}  // namespace

std::span<const BackupOption> backup_options() { return kOptions; }

}  // namespace pana
