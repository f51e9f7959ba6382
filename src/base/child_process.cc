#include "base/child_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <system_error>

#include "base/error.h"

namespace pana {
namespace {

constexpr int kIdleMilliseconds = 100;

struct Pipe {
  FileDescriptor read_end;
  FileDescriptor write_end;
};

Pipe make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    throw Error(ErrorKind::failed, fmt::format("cannot make a pipe: {}", std::generic_category().message(errno)));
  }
  return {FileDescriptor(ends[0]), FileDescriptor(ends[1])};
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> result;
  for (std::string& string : strings) result.push_back(string.data());
  result.push_back(nullptr);
  return result;
}

// Runs in the child between fork and exec, where only async-signal-safe calls are allowed.
[[noreturn]] void become(char* const* argv, char* const* environment, int input, int output, int error, pid_t parent) {
  ::setpgid(0, 0);  // Ctrl-C is for the parent, which ends the child
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);  // the parent died before the line above
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  if (::dup2(input, STDIN_FILENO) < 0 || ::dup2(output, STDOUT_FILENO) < 0 || ::dup2(error, STDERR_FILENO) < 0) {
    ::_exit(127);
  }
  ::execve(argv[0], argv, environment);
  ::_exit(127);
}

// Reads what is there; false at the end of the stream.
bool forward(const FileDescriptor& from, std::vector<char>& buffer, const std::function<void(std::string_view)>& to) {
  const ssize_t got = ::read(from.get(), buffer.data(), buffer.size());
  if (got < 0) return errno == EINTR || errno == EAGAIN;
  if (got > 0) to(std::string_view(buffer.data(), static_cast<std::size_t>(got)));
  return got > 0;
}

}  // namespace

ChildProcess::ChildProcess(const std::vector<std::string>& argv,
                           const std::vector<std::pair<std::string, std::string>>& environment) {
  std::vector<std::string> arguments = argv;
  std::vector<std::string> variables;
  for (const auto& [name, value] : environment) variables.push_back(fmt::format("{}={}", name, value));
  const std::vector<char*> argument_pointers = pointers(arguments);
  const std::vector<char*> variable_pointers = pointers(variables);
  Pipe input = make_pipe();
  input.write_end.reset();  // it is at its end; a file that is would need a file system
  Pipe output = make_pipe();
  Pipe error = make_pipe();
  const pid_t parent = ::getpid();
  id_ = ::fork();
  if (id_ < 0) {
    throw Error(ErrorKind::failed, fmt::format("cannot start {}: {}", argv[0], std::generic_category().message(errno)));
  }
  if (id_ == 0) {
    become(argument_pointers.data(), variable_pointers.data(), input.read_end.get(), output.write_end.get(),
           error.write_end.get(), parent);
  }
  output_ = std::move(output.read_end);
  error_ = std::move(error.read_end);
}

ChildProcess::~ChildProcess() {
  if (id_ <= 0) return;
  ::kill(id_, SIGKILL);
  while (::waitpid(id_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

int ChildProcess::run(const Talk& talk, const std::stop_token& stop) {
  std::vector<char> buffer(64 * 1024);
  std::array<pollfd, 3> streams{pollfd{output_.get(), POLLIN, 0}, pollfd{error_.get(), POLLIN, 0},
                                pollfd{-1, POLLIN, 0}};
  while (streams[0].fd >= 0 || streams[1].fd >= 0) {
    if (stop.stop_requested()) throw Error(ErrorKind::interrupted, "stopped on request");
    if (talk.descriptor) streams[2].fd = talk.descriptor();
    if (::poll(streams.data(), streams.size(), kIdleMilliseconds) < 0) continue;
    if (streams[0].revents != 0 && !forward(output_, buffer, talk.standard_output)) streams[0].fd = -1;
    if (streams[1].revents != 0 && !forward(error_, buffer, talk.standard_error)) streams[1].fd = -1;
    if (streams[2].revents != 0) talk.ready();
    if (talk.meanwhile) talk.meanwhile();
  }
  int status = 0;
  while (::waitpid(id_, &status, 0) < 0 && errno == EINTR) {
  }
  id_ = -1;
  return status;
}

std::string describe_wait_status(int status) {
  if (WIFSIGNALED(status)) return fmt::format("signal {} ({})", WTERMSIG(status), ::strsignal(WTERMSIG(status)));
  return fmt::format("exit status {}", WEXITSTATUS(status));
}

}  // namespace pana
