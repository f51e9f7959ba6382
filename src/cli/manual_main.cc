// Writes the manual pages and completions into a directory, laid out as below /usr/share. Run when pana is built.
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "cli/command_line.h"
#include "cli/manual.h"

int main(int argc, char** argv) {
  namespace fs = std::filesystem;
  if (argc != 2) {
    std::fputs("usage: pana_manual DIRECTORY\n", stderr);
    return 2;
  }
  const pana::CommandLine command_line({});
  const CLI::App& program = command_line.app();
  bool is_written = true;
  const auto write = [&](const fs::path& name, const std::string& text) {
    const fs::path path = fs::path(argv[1]) / name;
    fs::create_directories(path.parent_path());
    std::ofstream file(path, std::ios::binary);
    is_written = (file << text << std::flush) && is_written;
  };
  write("man/man1/pana.1", pana::manual_page(program, nullptr));
  for (const CLI::App* const command : program.get_subcommands({})) {
    write("man/man1/pana-" + command->get_name() + ".1", pana::manual_page(program, command));
  }
  write("bash-completion/completions/pana", pana::bash_completion(program));
  write("zsh/vendor-completions/_pana", pana::zsh_completion(program));
  write("fish/vendor_completions.d/pana.fish", pana::fish_completion(program));
  return is_written ? 0 : 1;
}
