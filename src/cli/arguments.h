// The command line with its passwords taken out of what other users of the machine can see.
#pragma once

#include <string>
#include <vector>

namespace pana {

// Copies the arguments, without the program's name, and then blots the secrets out of the original: it is what
// /proc/PID/cmdline and ps show. Between the program's start and this call they can be seen; PGPASSWORD, DATABASE_URL
// or a password file never can.
std::vector<std::string> take_arguments(int argc, char** argv);

}  // namespace pana
