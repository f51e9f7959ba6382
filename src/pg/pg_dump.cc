#include "pg/pg_dump.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <optional>

#include "base/environment.h"
#include "base/log.h"
#include "base/setting.h"
#include "pg/schema_changes.h"

namespace pana {
namespace {

namespace fs = std::filesystem;

// What a program of ours needs of the surroundings; nothing of the connection, which is given explicitly.
std::vector<std::pair<std::string, std::string>> base_environment() {
  std::vector<std::pair<std::string, std::string>> environment = {{"LC_ALL", "C"}};
  for (const char* const name : {"PATH", "HOME", "LD_LIBRARY_PATH"}) {
    if (const std::string value = environment_value(name); !value.empty()) environment.emplace_back(name, value);
  }
  return environment;
}

constexpr int kNewestKnown = 18;

// Where one may be: Debian's directories and those of PATH.
std::vector<std::string> usual_places() {
  std::vector<std::string> paths;
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator("/usr/lib/postgresql", ignored)) {
    paths.push_back((entry.path() / "bin" / "pg_dump").string());
  }
  const std::string path = environment_value("PATH");
  for (std::string_view rest = path; !rest.empty();) {
    const std::size_t end = std::min(rest.find(':'), rest.size());
    if (end > 0) paths.push_back((fs::path(rest.substr(0, end)) / "pg_dump").string());
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return paths;
}

int number_at(std::string_view text, std::size_t position) {
  int value = 0;
  std::from_chars(text.data() + std::min(position, text.size()), text.data() + text.size(), value);
  return value;
}

// "pg_dump (PostgreSQL) 15.8 (Debian 15.8-0+deb12u1)"; nothing where there is no program. Throws when one is there that
// does not run.
std::optional<PgDumpProgram> examine(const std::string& path) {
  if (::access(path.c_str(), X_OK) != 0) return std::nullopt;
  // Debian's /usr/bin/pg_dump is a script that takes a while to find one of those in /usr/lib/postgresql, which we
  // have.
  std::error_code ignored;
  if (fs::canonical(path, ignored).filename() == "pg_wrapper") return std::nullopt;
  std::string output;
  ChildProcess child({path, "--version"}, base_environment());
  const int status = child.run({.standard_output = [&output](std::string_view text) { output += text; },
                                .standard_error = [](std::string_view) {},
                                .descriptor = {},
                                .ready = {},
                                .meanwhile = {}},
                               {});
  constexpr std::string_view kMark = "(PostgreSQL) ";
  const std::size_t begin = output.find(kMark);
  if (status != 0) {
    throw Error(WIFSIGNALED(status) ? ErrorKind::failed : ErrorKind::refused,
                fmt::format("{} --version ended with {}", path, describe_wait_status(status)),
                "find out by hand why it does not run");
  }
  if (begin == std::string::npos) {
    throw Error(ErrorKind::refused,
                fmt::format("{} is not pg_dump: its --version names no version of PostgreSQL", path),
                "set PANA_PG_DUMP to the path of the right one");
  }
  const std::string version =
      output.substr(begin + kMark.size(), output.find_first_of(" \n", begin + kMark.size()) - begin - kMark.size());
  const int major = number_at(version, 0);
  const std::size_t dot = version.find('.');
  const int minor = dot == std::string::npos ? 0 : number_at(version, dot + 1);
  const bool has_restrict_key = major >= 18 || (major == 17 && minor >= 6) || (major == 16 && minor >= 10) ||
                                (major == 15 && minor >= 14) || (major == 14 && minor >= 19) ||
                                (major == 13 && minor >= 22);
  return PgDumpProgram{.path = path, .version = version, .major = major, .has_restrict_key = has_restrict_key};
}

// Collects what pg_dump says: its chatter (--verbose makes it tell every step) is dropped, warnings are logged, errors
// are kept for the exception.
class Messages {
 public:
  explicit Messages(const std::string& program) : prefix_(std::filesystem::path(program).filename().string() + ": ") {}

  void add(std::string_view text) {
    unfinished_ += text;
    for (std::size_t end = 0; (end = unfinished_.find('\n')) != std::string::npos; unfinished_.erase(0, end + 1)) {
      take(std::string_view(unfinished_).substr(0, end));
    }
  }

  const std::string& errors() const { return errors_; }

 private:
  void take(std::string_view line) {
    if (line.starts_with(prefix_)) line.remove_prefix(prefix_.size());
    if (line.starts_with("warning: ")) {
      log(LogLevel::warning, "pg_dump", fmt::format("pg_dump says: {}", line.substr(9)));
    } else if (line.starts_with("error: ") || line.starts_with("detail: ") || line.starts_with("hint: ")) {
      errors_ += (errors_.empty() ? "" : "; ") + std::string(line.substr(line.find(' ') + 1));
    }
  }

  const std::string prefix_;  // pg_dump calls itself by its file's name
  std::string unfinished_;
  std::string errors_;
};

std::vector<std::string> arguments_of(const PgDumpProgram& program, const PgDumpRequest& request) {
  std::vector<std::string> argv = {program.path,  "--section=pre-data", "--section=post-data",
                                   "--no-blobs",  "--no-password",      "--clean",
                                   "--if-exists", "--verbose",          "--encoding=" + request.encoding};
  if (!request.restrict_key.empty()) argv.push_back("--restrict-key=" + request.restrict_key);
  argv.insert(argv.end(), request.arguments.begin(), request.arguments.end());
  return argv;
}

std::vector<std::pair<std::string, std::string>> environment_of(const SessionLoan& loan) {
  std::vector<std::pair<std::string, std::string>> environment = base_environment();
  for (auto& variable : loan.environment()) environment.push_back(std::move(variable));
  return environment;
}

}  // namespace

PgDumpProgram find_pg_dump(int server_version) {
  const std::string chosen = environment_value("PANA_PG_DUMP");
  const int server_major = server_version / 10000;
  std::optional<PgDumpProgram> newest;
  std::optional<PgDumpProgram> best;  // the server's own version or, of those that can read it, the oldest: a newer one
                                      // may write what the server itself would not understand
  std::optional<Error> obstacle;
  for (const std::string& path : chosen.empty() ? usual_places() : std::vector{chosen}) {
    try {
      std::optional<PgDumpProgram> program = examine(path);
      if (!program) continue;
      if (program->major >= server_major && (!best || program->major < best->major)) best = program;
      if (!newest || program->major > newest->major) newest = std::move(program);
    } catch (const Error& error) {
      obstacle = error;
    }
  }
  if (best && server_major > kNewestKnown) {
    log(LogLevel::warning, "newer_server",
        fmt::format(
            "the server is PostgreSQL {}, newer than pana knows: pana takes its new features as pg_dump {} writes them",
            server_major, best->version),
        {{"hint", "restore a backup, and compare what came back with it, to see whether all is well"}});
  }
  if (best) return *best;
  if (obstacle && (!newest || newest->major < server_major)) throw Error(*obstacle);
  if (!newest && !chosen.empty()) {
    throw Error(ErrorKind::refused, fmt::format("PANA_PG_DUMP names no program: {}", chosen),
                "unset it, or give the program's path");
  }
  if (!newest) {
    throw Error(ErrorKind::refused, "pg_dump was not found",
                fmt::format("install it: apt-get install postgresql-client, or postgresql-client-{} from PostgreSQL's "
                            "own apt repository",
                            server_major));
  }
  throw Error(
      ErrorKind::refused, fmt::format("pg_dump {} cannot read a PostgreSQL {} server", newest->version, server_major),
      fmt::format("install a pg_dump of version {} or newer; PostgreSQL's own apt repository has postgresql-client-{}",
                  server_major, server_major));
}

SchemaDump::SchemaDump(const PgDumpProgram& program, Connection& connection, const PgDumpRequest& request)
    : connection_(connection), loan_(connection, request.locked_tables, request.longest_silence),
      child_(arguments_of(program, request), environment_of(loan_)), program_(program.path),
      longest_silence_(request.longest_silence) {}

void SchemaDump::read(const std::function<void(std::string_view)>& output, const std::function<void()>& meanwhile,
                      const std::stop_token& stop) {
  using Clock = std::chrono::steady_clock;
  Messages messages(program_);
  auto last_sign = Clock::now();
  const int status = child_.run(
      {.standard_output =
           [&](std::string_view text) {
             output(text);
             last_sign = Clock::now();
           },
       .standard_error =
           [&](std::string_view text) {
             messages.add(text);
             last_sign = Clock::now();
           },
       .descriptor = [this] { return loan_.descriptor(); },
       .ready =
           [&] {
             loan_.serve();
             last_sign = Clock::now();
           },
       .meanwhile =
           [&] {
             if (!loan_.has_failed()) meanwhile();
             if (longest_silence_.count() == 0 || Clock::now() - last_sign <= longest_silence_) return;
             throw Error(ErrorKind::failed, fmt::format("pg_dump said nothing for {} s", longest_silence_.count()),
                         advice("if it may need longer, raise {}", Setting::stall_timeout));
           }},
      stop);
  if (status != 0 && loan_.error() && is_lock_in_the_way(*loan_.error())) {
    throw Obstacle(Obstacle::Cause::lock, ErrorKind::failed,
                   fmt::format("pg_dump could not have a lock in time: {}", messages.errors()),
                   "a migration or another long exclusive lock is in the way; see pg_locks, and try again later");
  }
  if (messages.errors().starts_with("no matching ")) {
    throw Error(ErrorKind::usage, messages.errors(),
                "patterns are matched as pg_dump and psql do: upper case needs quotes, and what is outside of the "
                "role's search "
                "path its schema: 'sales.orders'");
  }
  if (status != 0) {
    throw DatabaseError(fmt::format("pg_dump failed with {}: {}", describe_wait_status(status),
                                    messages.errors().empty() ? "it gave no reason" : messages.errors()),
                        loan_.error() ? loan_.error()->sqlstate() : "",
                        "run pg_dump --schema-only on the database by hand, which may say more");
  }
  refuse_changes_of_schema(connection_);
}

}  // namespace pana
