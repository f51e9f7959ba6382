#include "cli/commands.h"
namespace pana {
void add_list_command(CLI::App&, const CommandContext&){}
void add_show_command(CLI::App&, const CommandContext&){}
void add_restore_command(CLI::App&, const CommandContext&){}
void add_verify_command(CLI::App&, const CommandContext&){}
void add_check_command(CLI::App&, const CommandContext&){}
void add_prune_command(CLI::App&, const CommandContext&){}
}
