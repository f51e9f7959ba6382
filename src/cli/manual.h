// Manual pages and completions of shells, made from the command line's own description.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <string_view>

namespace pana {

// pana(1), or of a command pana-COMMAND(1), in roff's man macros; the date as "2026-01-31".
std::string manual_page(const CLI::App& program, const CLI::App* command, std::string_view date);

// What bash, zsh and fish complete: commands, options, the values of those that have some, files.
std::string bash_completion(const CLI::App& program);
std::string zsh_completion(const CLI::App& program);
std::string fish_completion(const CLI::App& program);

}  // namespace pana
