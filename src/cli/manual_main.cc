// Writes the manual pages and completions into a directory, laid out as below /usr/share. Run when pana is built, with
// docs/format.md and the date of the pages.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "cli/command_line.h"
#include "cli/manual.h"
#include "cli/markdown_page.h"

int main(int argc, char** argv) {
  namespace fs = std::filesystem;
  if (argc != 4) {
    std::fputs("usage: pana_manual DIRECTORY FORMAT.md DATE\n", stderr);
    return 2;
  }
  const pana::CommandLine command_line({});
  const CLI::App& program = command_line.app();
  std::ostringstream format;
  if (!(format << std::ifstream(argv[2], std::ios::binary).rdbuf())) {
    std::fprintf(stderr, "pana_manual: cannot read %s\n", argv[2]);
    return 1;
  }
  bool is_written = true;
  const auto write = [&](const fs::path& name, const std::string& text) {
    const fs::path path = fs::path(argv[1]) / name;
    fs::create_directories(path.parent_path());
    std::ofstream file(path, std::ios::binary);
    is_written = (file << text << std::flush) && is_written;
  };
  write("man/man1/pana.1", pana::manual_page(program, nullptr, argv[3]));
  for (const CLI::App* const command : program.get_subcommands({})) {
    write("man/man1/pana-" + command->get_name() + ".1", pana::manual_page(program, command, argv[3]));
  }
  write("man/man5/pana-backup-format.5",
        pana::page_of_markdown({.name = "pana-backup-format",
                                .section = 5,
                                .date = argv[3],
                                .summary = "the format of pana's backups",
                                .see_also = {"pana(1)", "pana-backup(1)", "pana-verify(1)", "psql(1)", "zstd(1)"}},
                               format.str()));
  write("bash-completion/completions/pana", pana::bash_completion(program));
  write("zsh/vendor-completions/_pana", pana::zsh_completion(program));
  write("fish/vendor_completions.d/pana.fish", pana::fish_completion(program));
  return is_written ? 0 : 1;
}
