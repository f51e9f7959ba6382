// pana: the command line.
#include <fcntl.h>
#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "base/error.h"
#include "base/log.h"
#include "cli/arguments.h"
#include "cli/command_line.h"
#include "cli/signals.h"
#include "lambda/function.h"

namespace {

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
  // The parts of one frame, which a directory takes in small pieces, stay: memory that comes fresh from the kernel for
  // every frame costs a tenth of the client's time.
  ::mallopt(M_TRIM_THRESHOLD, 2 * 1024 * 1024);
  const std::vector<std::string> arguments = pana::take_arguments(argc, argv);
  const pana::Signals signals;
  if (arguments.empty() && pana::is_lambda()) return pana::run_lambda(signals.token());
  pana::configure_log({.format = pana::LogFormat::text});
  return pana::CommandLine(signals.token()).run(arguments);
} catch (...) {
  const pana::Error error = pana::current_error();
  pana::complain(error);
  return error.exit_status();
}
