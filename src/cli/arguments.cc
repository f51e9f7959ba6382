#include "cli/arguments.h"

#include <algorithm>

#include "pg/conninfo.h"

namespace pana {
namespace {

void blot_secrets(char* argument) {
  for (const TextRange& secret : find_secrets(argument)) std::fill(argument + secret.begin, argument + secret.end, '*');
}

}  // namespace

std::vector<std::string> take_arguments(int argc, char** argv) {
  std::vector<std::string> arguments(argv + 1, argv + argc);
  std::for_each(argv + 1, argv + argc, blot_secrets);
  return arguments;
}

}  // namespace pana
