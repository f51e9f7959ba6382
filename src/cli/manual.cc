#include "cli/manual.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "cli/roff.h"

namespace pana {
namespace {

std::vector<const CLI::App*> commands_of(const CLI::App& program) { return program.get_subcommands({}); }

// "-j", "--jobs"
std::vector<std::string> names_of(const CLI::Option& option) {
  std::vector<std::string> names;
  for (const std::string& name : option.get_snames()) names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) names.push_back("--" + name);
  return names;
}

// What a value is called. CLI11 writes "SECONDS:INT in [0 - 86400]", with what a validator says behind the colon.
std::string value_name(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  return type.substr(0, type.find(':'));
}

// The values that an option can have, by its name ("auto|path|virtual") or its validator ("TEXT:{AES256,aws:kms}");
// none when it takes others, too.
std::vector<std::string> values_of(const CLI::Option& option) {
  std::string list = value_name(option);
  char separator = '|';
  if (const std::string type = option.get_type_name(); list.find(separator) == std::string::npos) {
    const std::size_t brace = type.find('{');
    if (brace == std::string::npos) return {};
    list = type.substr(brace + 1, type.rfind('}') - brace - 1);
    separator = ',';
  }
  std::vector<std::string> values;
  for (std::size_t begin = 0; begin <= list.size();) {
    const std::size_t end = std::min(list.find(separator, begin), list.size());
    values.push_back(list.substr(begin, end - begin));
    begin = end + 1;
  }
  return values;
}

bool takes_value(const CLI::Option& option) { return option.get_items_expected_max() > 0; }

// The value's name as --help shows it, and what the option is when it is left out.
std::string roff_option(const CLI::Option& option) {
  std::string names;
  for (const std::string& name : names_of(option))
    names += (names.empty() ? "" : ", ") + std::string("\\fB") + roff(name) + "\\fR";
  std::string page = ".TP\n" + names;
  if (takes_value(option)) page += " \\fI" + roff(value_name(option)) + "\\fR";
  page += "\n" + roff(option.get_description());
  if (option.get_required()) page += "; required";
  if (!option.get_default_str().empty()) page += roff(fmt::format(" (default {})", option.get_default_str()));
  if (!option.get_envname().empty()) page += roff(fmt::format(" [environment: {}]", option.get_envname()));
  return page + "\n";
}

std::string roff_options(const CLI::App& app, std::string_view title) {
  std::string page = fmt::format(".SH {}\n", title);
  for (const CLI::Option* const option : app.get_options()) {
    if (option->nonpositional()) page += roff_option(*option);
  }
  return page;
}

std::string positionals_of(const CLI::App& command) {
  std::string text;
  for (const CLI::Option* const option : command.get_options()) {
    if (option->nonpositional()) continue;
    const std::string name = option->get_name(/*positional=*/true);
    text += option->get_required() ? " " + name : " [" + name + "]";
  }
  return text;
}

std::string see_also(const CLI::App& program, const CLI::App* command) {
  std::vector<std::string> pages;
  if (command != nullptr) pages.emplace_back(".BR pana (1)");
  for (const CLI::App* const other : commands_of(program)) {
    if (other != command) pages.push_back(fmt::format(".BR pana\\-{} (1)", other->get_name()));
  }
  pages.emplace_back(".BR pana\\-backup\\-format (5)");
  pages.emplace_back(".BR pg_dump (1)");
  return fmt::format(".SH SEE ALSO\n{}\n", fmt::join(pages, ",\n"));
}

// One word for a shell between single quotes.
std::string shell_word(std::string_view text) {
  std::string escaped;
  for (const char letter : text) escaped += letter == '\'' ? std::string("'\\''") : std::string(1, letter);
  return "'" + escaped + "'";
}

std::vector<const CLI::Option*> options_of(const CLI::App& program, const CLI::App* command) {
  std::vector<const CLI::Option*> options;
  for (const CLI::App* const app : {command, &program}) {
    if (app == nullptr) continue;
    for (const CLI::Option* const option : app->get_options()) {
      const bool is_of_program_alone =
          command != nullptr && app == &program && (option->check_lname("help") || option->check_lname("version"));
      if (option->nonpositional() && !is_of_program_alone) options.push_back(option);
    }
  }
  return options;
}

std::string all_names(const std::vector<const CLI::Option*>& options) {
  std::vector<std::string> names;
  for (const CLI::Option* const option : options) {
    for (const std::string& name : names_of(*option)) names.push_back(name);
  }
  return fmt::format("{}", fmt::join(names, " "));
}

std::string command_names(const CLI::App& program) {
  std::vector<std::string> names;
  for (const CLI::App* const command : commands_of(program)) names.push_back(command->get_name());
  return fmt::format("{}", fmt::join(names, " "));
}

}  // namespace

std::string manual_page(const CLI::App& program, const CLI::App* command, std::string_view date) {
  const CLI::App& app = command == nullptr ? program : *command;
  const std::string name = command == nullptr ? "pana" : "pana-" + command->get_name();
  std::string page = fmt::format(".TH {} 1 {} \"pana {}\"\n.SH NAME\n{} \\- {}\n.SH SYNOPSIS\n", roff(capitals(name)),
                                 date, PANA_VERSION, roff(name), roff(app.get_description()));
  if (command == nullptr) {
    page += ".B pana\n\\fICOMMAND\\fR [\\fIOPTIONS\\fR]\n.SH COMMANDS\n";
    for (const CLI::App* const each : commands_of(program)) {
      page += fmt::format(".TP\n.BR pana\\-{} (1)\n{}\n", each->get_name(), roff(each->get_description()));
    }
    page += roff_options(program, "OPTIONS");
    page += fmt::format(".SH EXIT STATUS\n{}\n", roff(program.get_footer()));
    page +=
        ".SH ENVIRONMENT\n.TP\n.B DATABASE_URL\nthe database of backup and check, unless it is an argument; else "
        "libpq's own variables\n"
        ".TP\n.B PANA_PG_DUMP\nthe pg_dump to use; by default the one of the server's major version\n";
  } else {
    page += fmt::format(".B pana {}\n[\\fIOPTIONS\\fR]{}\n", command->get_name(), roff(positionals_of(*command)));
    page += ".SH ARGUMENTS\n";
    for (const CLI::Option* const option : command->get_options()) {
      if (!option->nonpositional())
        page += fmt::format(".TP\n.I {}\n{}\n", roff(option->get_name(true)), roff(option->get_description()));
    }
    page += roff_options(*command, "OPTIONS");
    page += ".PP\nThe options of\n.BR pana (1)\nmay follow the command, too.\n";
  }
  return page + see_also(program, command);
}

std::string bash_completion(const CLI::App& program) {
  std::string script =
      "# bash completion for pana; made from its options\n_pana() {\n  local current=${COMP_WORDS[COMP_CWORD]} "
      "previous=${COMP_WORDS[COMP_CWORD-1]}\n"
      "  local command=${COMP_WORDS[1]} options=\n  COMPREPLY=()\n  case $previous in\n";
  for (const CLI::App* const command : commands_of(program)) {
    for (const CLI::Option* const option : options_of(program, command)) {
      const std::vector<std::string> values = values_of(*option);
      if (values.empty()) continue;
      const std::string line =
          fmt::format("    {}) COMPREPLY=($(compgen -W {} -- \"$current\")); return ;;\n",
                      fmt::join(names_of(*option), "|"), shell_word(fmt::format("{}", fmt::join(values, " "))));
      if (script.find(line) == std::string::npos) script += line;
    }
  }
  script += fmt::format(
      "  esac\n  if ((COMP_CWORD == 1)) && [[ $current != -* ]]; then\n    COMPREPLY=($(compgen -W {} -- "
      "\"$current\"))\n    return\n  fi\n  case $command in\n",
      shell_word(command_names(program)));
  for (const CLI::App* const command : commands_of(program)) {
    script += fmt::format("    {}) options={} ;;\n", command->get_name(),
                          shell_word(all_names(options_of(program, command))));
  }
  return script + fmt::format(
                      "    *) options={} ;;\n  esac\n  if [[ $current == -* ]]; then\n    COMPREPLY=($(compgen -W "
                      "\"$options\" -- \"$current\"))\n  else\n"
                      "    COMPREPLY=($(compgen -f -- \"$current\"))\n  fi\n}}\ncomplete -o filenames -F _pana pana\n",
                      shell_word(all_names(options_of(program, nullptr))));
}

std::string zsh_completion(const CLI::App& program) {
  std::string script = "#compdef pana\n# made from pana's options\n_pana() {\n  local -a commands\n  commands=(\n";
  for (const CLI::App* const command : commands_of(program)) {
    script += "    " + shell_word(command->get_name() + ":" + command->get_description()) + "\n";
  }
  script += "  )\n  if ((CURRENT == 2)); then\n    _describe command commands\n    return\n  fi\n  case $words[2] in\n";
  for (const CLI::App* const command : commands_of(program)) {
    script += fmt::format("    {})\n      _arguments \\\n", command->get_name());
    for (const CLI::Option* const option : options_of(program, command)) {
      std::string description;
      for (const char letter : option->get_description())
        description +=
            letter == '[' || letter == ']' || letter == ':' ? std::string("\\") + letter : std::string(1, letter);
      const std::vector<std::string> values = values_of(*option);
      const std::string value = !takes_value(*option) ? ""
                                : values.empty()      ? ":value:_files"
                                                      : fmt::format(":value:({})", fmt::join(values, " "));
      for (const std::string& name : names_of(*option))
        script += "        " + shell_word("*" + name + "[" + description + "]" + value) + " \\\n";
    }
    script += "        '*:file:_files'\n      ;;\n";
  }
  return script + "  esac\n}\n_pana \"$@\"\n";
}

std::string fish_completion(const CLI::App& program) {
  std::string script = "# fish completion for pana; made from its options\n";
  for (const CLI::App* const command : commands_of(program)) {
    script += fmt::format("complete -c pana -n __fish_use_subcommand -f -a {} -d {}\n", command->get_name(),
                          shell_word(command->get_description()));
  }
  for (const CLI::App* const command : commands_of(program)) {
    for (const CLI::Option* const option : options_of(program, command)) {
      script += fmt::format("complete -c pana -n '__fish_seen_subcommand_from {}'", command->get_name());
      for (const std::string& name : option->get_snames()) script += " -s " + name;
      for (const std::string& name : option->get_lnames()) script += " -l " + name;
      const std::vector<std::string> values = values_of(*option);
      if (!values.empty())
        script += " -x -a " + shell_word(fmt::format("{}", fmt::join(values, " ")));
      else if (takes_value(*option))
        script += " -r";
      script += " -d " + shell_word(option->get_description()) + "\n";
    }
  }
  return script;
}

}  // namespace pana
