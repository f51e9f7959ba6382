#include "cli/command_line.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdio>
#include <initializer_list>
#include <map>
#include <optional>
#include <system_error>

#include "base/environment.h"
#include "base/error.h"
#include "base/log.h"
#include "base/setting.h"
#include "cli/nearest.h"
#include "format/compression.h"
#include "net/hash.h"
#include "net/http.h"
#include "pg/conninfo.h"

namespace pana {
namespace {

constexpr const char* kFooter =
    "Exit status: 0 done, 1 failed, 2 wrong usage, 3 a backup is damaged, 4 contents differ,\n"
    "5 refused because a precondition is not met (nothing was changed), 6 interrupted,\n"
    "7 done, but without what could not be read (--skip-unreadable).";

// As our other errors: it begins in lower case, unless with an option's name in capitals.
std::string usage_message(const CLI::ParseError& error) {
  std::string message = redacted(error.what());
  const bool is_word =
      message.size() > 1 && (message[1] == ' ' || std::islower(static_cast<unsigned char>(message[1])) != 0);
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
    if (std::optional<std::string> meant = nearest(name, known)) return meant;
  }
  return std::nullopt;
}

// "--jobs: ..." is about the variable where nobody gave the option.
std::string by_environment(const std::string& message, const CLI::App& app, const std::vector<std::string>& arguments) {
  std::vector<const CLI::App*> apps = {&app};
  for (const CLI::App* const command : app.get_subcommands()) apps.push_back(command);
  for (const CLI::App* const each : apps) {
    for (const CLI::Option* const option : each->get_options()) {
      const std::string name = option->get_name();
      const bool is_given = std::ranges::any_of(arguments, [&](const std::string& argument) {
        return argument.starts_with(name) ||
               (!option->get_snames().empty() && argument.starts_with("-" + option->get_snames().front()) &&
                !argument.starts_with("--"));
      });
      if (option->get_envname().empty() || is_given || !message.starts_with(name + ":")) continue;
      return "the environment variable " + option->get_envname() + message.substr(name.size());
    }
  }
  return message;
}

// A report of an error needs them.
std::string versions() {
  return fmt::format("pana {}\nlibpq {}, zstd {}, libcurl {}, OpenSSL {}", PANA_VERSION, libpq_version(),
                     zstd_version(), libcurl_version(), openssl_version());
}

std::string usage_hint(const std::optional<std::string>& meant) {
  return fmt::format("{}see pana --help, or pana COMMAND --help",
                     meant ? fmt::format("did you mean {}? ", *meant) : "");
}

}  // namespace

void complain(const Error& error) {
  Json fields = {{"exit_status", error.exit_status()}};
  if (!error.hint().empty()) fields["hint"] = error.hint();
  log(LogLevel::error, "error", error.what(), fields);
}

CommandLine::CommandLine(const std::stop_token& stop)
    : context_{.stop = stop, .store = {.s3 = {}, .stop = stop}},
      app_(
          "Backs up a PostgreSQL database to a single plain SQL file, restores it, and proves that every row came "
          "back.",
          "pana") {
  app_.footer(kFooter);
  app_.require_subcommand(1);
  app_.fallthrough();  // an option of the program may stand behind the command, too
  app_.set_version_flag("--version", versions);
  log_format_option_ = app_.add_option("--log-format", log_format_, "text, or json: one object a line")
                           ->envname("PANA_LOG_FORMAT")
                           ->check(CLI::IsMember({"text", "json"}))
                           ->type_name("text|json")
                           ->capture_default_str();
  CLI::Option* const quiet = app_.add_flag("-q,--quiet", quiet_, "log warnings and errors alone: no progress");
  app_.add_flag("-v,--verbose", verbose_, "log each step as well")->excludes(quiet);
  app_.parse_complete_callback([this] {
    choose_log();
    name_options();
  });
  add_s3_options(app_, context_.store.s3);
  add_backup_command(app_, context_);
  add_list_command(app_, context_);
  add_show_command(app_, context_);
  add_restore_command(app_, context_);
  add_verify_command(app_, context_);
  add_check_command(app_, context_);
  add_prune_command(app_, context_);
}

// Of arguments that were parsed, even when others were not, else of the environment.
void CommandLine::choose_log() const {
  const std::string format =
      log_format_option_->empty() ? environment_value("PANA_LOG_FORMAT") : log_format_option_->results().back();
  const LogLevel least = quiet_ ? LogLevel::warning : verbose_ ? LogLevel::debug : LogLevel::info;
  // https://no-color.org: whatever its value, unless it is empty.
  const bool is_coloured =
      ::isatty(STDERR_FILENO) != 0 && environment_value("NO_COLOR").empty() && environment_value("TERM") != "dumb";
  configure_log(
      {.format = format == "json" ? LogFormat::json : LogFormat::text, .least = least, .is_coloured = is_coloured});
}

// Hints name options that the command has, and no others.
void CommandLine::name_options() const {
  std::vector<const CLI::App*> apps = {&app_};
  for (const CLI::App* const command : app_.get_subcommands()) apps.push_back(command);
  std::map<Setting, std::string> names;
  for (const auto& [setting, option] :
       std::initializer_list<std::pair<Setting, const char*>>{{Setting::compression, "--compression"},
                                                              {Setting::exclude_schema, "--exclude-schema"},
                                                              {Setting::exclude_table, "--exclude-table"},
                                                              {Setting::exclude_table_data, "--exclude-table-data"},
                                                              {Setting::jobs, "--jobs"},
                                                              {Setting::kms_key, "--sse-kms-key-id"},
                                                              {Setting::part_size, "--part-size"},
                                                              {Setting::profile, "--profile"},
                                                              {Setting::region, "--region"},
                                                              {Setting::skip_unreadable, "--skip-unreadable"},
                                                              {Setting::stall_timeout, "--stall-timeout"},
                                                              {Setting::yield_to_waiters, "--yield-to-waiters"}}) {
    const auto has = [option](const CLI::App* app) { return app->get_option_no_throw(option) != nullptr; };
    if (std::ranges::any_of(apps, has)) names.emplace(setting, option);
  }
  name_settings(std::move(names));
}

void CommandLine::require_command(const std::vector<std::string>& arguments) const {
  // Behind options of the program, and their values.
  auto word = arguments.begin();
  while (word != arguments.end() && word->starts_with('-')) {
    const CLI::Option* const option = app_.get_option_no_throw(word->substr(0, word->find('=')));
    if (option == nullptr) return;  // the parser says so
    word +=
        option->get_expected_min() > 0 && word->find('=') == std::string::npos && arguments.end() - word > 1 ? 2 : 1;
  }
  if (word == arguments.end()) return;
  std::vector<std::string> known;
  for (const CLI::App* const command : app_.get_subcommands({})) known.push_back(command->get_name());
  if (std::ranges::find(known, *word) != known.end()) return;
  choose_log();
  throw Error(ErrorKind::usage, fmt::format("{} is not a command", redacted(*word)), usage_hint(nearest(*word, known)));
}

// CLI11 looks at the environment for the options of all commands: what is set for one must not keep another from
// working.
void CommandLine::take_environment(const std::vector<std::string>& arguments) {
  const auto has = [&arguments](const std::string& argument) {
    return std::ranges::find(arguments, argument) != arguments.end();
  };
  const bool asks_for_help = has("--help") || has("-h");
  for (CLI::App* const command : app_.get_subcommands([](const CLI::App*) { return true; })) {
    if (has(command->get_name()) && !asks_for_help) continue;
    for (CLI::Option* const option : command->get_options()) option->envname("");
  }
}

int CommandLine::refuse(const CLI::ParseError& error, const std::vector<std::string>& arguments) {
  if (error.get_exit_code() == 0) return app_.exit(error);  // --help and --version
  choose_log();
  complain(Error(ErrorKind::usage, by_environment(usage_message(error), app_, arguments),
                 usage_hint(option_meant(app_, arguments))));
  return static_cast<int>(ErrorKind::usage);
}

int CommandLine::run(const std::vector<std::string>& arguments) {
  require_command(arguments);
  take_environment(arguments);
  try {
    app_.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));  // backwards, as CLI11 takes them
    if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return 0;
    if (errno == EPIPE) return 0;
    throw Error(ErrorKind::failed, "the result could not be written to standard output",
                "the command did what it was asked; only its report is lost");
  } catch (const std::system_error& error) {
    // Whoever reads our output has enough of it: pana show ... | head.
    if (error.code() != std::errc::broken_pipe || std::ferror(stdout) == 0) throw;
    return 0;
  } catch (const CLI::ParseError& error) {
    return refuse(error, arguments);
  }
}

}  // namespace pana
