// The whole of pana's command line: one description of commands and options, which parses them and of which the manual
// pages and the completions of shells are made.
#pragma once

#include <CLI/CLI.hpp>
#include <stop_token>
#include <string>
#include <vector>

#include "base/error.h"
#include "cli/commands.h"

namespace pana {

class CommandLine {
 public:
  // Stopped by `stop`, as the command that runs is.
  explicit CommandLine(const std::stop_token& stop);
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;

  // Does what the arguments say, without the program's name; returns the exit status. Throws Error.
  int run(const std::vector<std::string>& arguments);

  const CLI::App& app() const { return app_; }

 private:
  void choose_log() const;
  void name_options() const;
  void take_environment(const std::vector<std::string>& arguments);
  int refuse(const CLI::ParseError& error, const std::vector<std::string>& arguments);
  void require_command(const std::vector<std::string>& arguments) const;

  CommandContext context_;
  CLI::App app_;
  std::string log_format_ = "text";
  CLI::Option* log_format_option_ = nullptr;
  bool quiet_ = false;
  bool verbose_ = false;
};

// Says in the log what went wrong, and what to do.
void complain(const Error& error);

}  // namespace pana
