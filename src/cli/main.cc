// pana: the command line.
#include <fcntl.h>
#include <fmt/format.h>
#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdio>
#include <optional>
#include <system_error>

#include "base/environment.h"
#include "base/error.h"
#include "base/log.h"
#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/nearest.h"
#include "cli/signals.h"
#include "lambda/function.h"
#include "pg/conninfo.h"

namespace {

constexpr const char* kFooter =
    "Exit status: 0 done, 1 failed, 2 wrong usage, 3 a backup is damaged, 4 contents differ,\n"
    "5 refused because a precondition is not met (nothing was changed), 6 interrupted,\n"
    "7 done, but without what could not be read (--skip-unreadable).";

void complain(const pana::Error& error) {
  pana::Json fields = {{"exit_status", error.exit_status()}};
  if (!error.hint().empty()) fields["hint"] = error.hint();
  pana::log(pana::LogLevel::error, "error", error.what(), fields);
}

// As our other errors: it begins in lower case, unless with an option's name in capitals.
std::string usage_message(const CLI::ParseError& error) {
  std::string message = pana::redacted(error.what());
  const bool is_word = message.size() > 1 && (message[1] == ' ' || std::islower(static_cast<unsigned char>(message[1])) != 0);
  if (is_word) message[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(message[0])));
  return message;
}

// The option of the program, or of the command among the arguments, that the unknown one of them is nearest to.
std::optional<std::string> option_meant(const CLI::App& app, const std::vector<std::string>& arguments) {
  std::vector<std::string> known;
  const auto add_options = [&known](const CLI::App& of) {
    for (const CLI::Option* const option : of.get_options()) {
      for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
    }
  };
  add_options(app);
  for (const CLI::App* const command : app.get_subcommands()) add_options(*command);
  for (const std::string& argument : arguments) {
    const std::string name = argument.substr(0, argument.find('='));
    if (!name.starts_with("--") || std::ranges::find(known, name) != known.end()) continue;
    if (std::optional<std::string> meant = pana::nearest(name, known)) return meant;
  }
  return std::nullopt;
}

std::string usage_hint(const std::optional<std::string>& meant) {
  return fmt::format("{}see pana --help, or pana COMMAND --help", meant ? fmt::format("did you mean {}? ", *meant) : "");
}

[[noreturn]] void refuse_command(const CLI::App& app, const std::string& command) {
  std::vector<std::string> known;
  for (const CLI::App* const other : app.get_subcommands({})) known.push_back(other->get_name());
  throw pana::Error(pana::ErrorKind::usage, fmt::format("{} is no command", pana::redacted(command)), usage_hint(pana::nearest(command, known)));
}

int run(std::vector<std::string> arguments) {
  const pana::Signals signals;
  if (arguments.empty() && pana::is_lambda()) return pana::run_lambda(signals.token());
  pana::configure_log(pana::LogFormat::text);
  pana::CommandContext context{.stop = signals.token(), .store = {.s3 = {}, .stop = signals.token()}};

  CLI::App app("Backs up a PostgreSQL database to a single plain SQL file, restores it, and proves that the copy is identical.", "pana");
  app.footer(kFooter);
  app.require_subcommand(1);
  app.fallthrough();  // an option of the program may stand behind the command, too
  app.set_version_flag("--version", "pana " PANA_VERSION);
  std::string log_format = "text";
  const CLI::Option* const log_format_option =
      app.add_option("--log-format", log_format, "text, or json: one object a line")
          ->envname("PANA_LOG_FORMAT")
          ->check(CLI::IsMember({"text", "json"}))
          ->capture_default_str();
  const auto choose_log_format = [log_format_option] {
    const std::string from_environment = pana::environment_value("PANA_LOG_FORMAT");
    const std::string chosen = log_format_option->empty() ? from_environment : log_format_option->results().back();
    if (chosen == "json") pana::configure_log(pana::LogFormat::json);
  };
  app.parse_complete_callback(choose_log_format);
  pana::add_s3_options(app, context.store.s3);
  pana::add_backup_command(app, context);
  pana::add_list_command(app, context);
  pana::add_show_command(app, context);
  pana::add_restore_command(app, context);
  pana::add_verify_command(app, context);
  pana::add_check_command(app, context);
  pana::add_prune_command(app, context);
  try {
    const bool has_command = arguments.empty() || arguments.front().starts_with('-') ||
                             !app.get_subcommands([&arguments](const CLI::App* command) {
                                return command->check_name(arguments.front());
                              }).empty();
    if (!has_command) refuse_command(app, arguments.front());
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));  // backwards, as CLI11 takes them
    if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return 0;
    if (errno == EPIPE) return 0;
    throw pana::Error(pana::ErrorKind::failed, "the result could not be written to standard output",
                      "the command did what it was asked; only its report is lost");
  } catch (const std::system_error& error) {
    // Whoever reads our output has enough of it: pana show ... | head.
    if (error.code() != std::errc::broken_pipe || std::ferror(stdout) == 0) throw;
    return 0;
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help and --version
    choose_log_format();
    complain(pana::Error(pana::ErrorKind::usage, usage_message(error), usage_hint(option_meant(app, arguments))));
    return static_cast<int>(pana::ErrorKind::usage);
  }
}

// What is opened next must not become standard input, output or error: log lines would be written into a backup.
void open_standard_streams() {
  for (int descriptor = ::open("/dev/null", O_RDWR); descriptor >= 0; descriptor = ::open("/dev/null", O_RDWR)) {
    if (descriptor <= STDERR_FILENO) continue;
    ::close(descriptor);
    return;
  }
}

}  // namespace

int main(int argc, char** argv) try {
  open_standard_streams();
  // A core dump would hold the database's password.
  const rlimit none{.rlim_cur = 0, .rlim_max = 0};
  ::setrlimit(RLIMIT_CORE, &none);
  // Frames and parts come and go in every worker: freed, they shall go back to the system. By default glibc raises this
  // threshold, and each thread's arena keeps some (measured: 140 MiB instead of 72, four workers, uncompressed to S3).
  ::mallopt(M_MMAP_THRESHOLD, 256 * 1024);
  // The parts of one frame, which a directory takes in small pieces, stay: memory that comes fresh from the kernel for every
  // frame costs a tenth of the client's time.
  ::mallopt(M_TRIM_THRESHOLD, 2 * 1024 * 1024);
  return run(pana::take_arguments(argc, argv));
} catch (...) {
  const pana::Error error = pana::current_error("lower --jobs");
  complain(error);
  return error.exit_status();
}
