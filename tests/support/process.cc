#include "support/process.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <system_error>

#include "support/wait.h"

extern char** environ;

namespace pana::test {
namespace {

[[noreturn]] void fail(const std::string& what) { throw std::system_error(errno, std::generic_category(), what); }

FileDescriptor memory_file(std::string_view content = {}) {
  FileDescriptor file(::memfd_create("pana-test", MFD_CLOEXEC));
  if (!file) fail("memfd_create");
  while (!content.empty()) {
    const ssize_t written = ::write(file.get(), content.data(), content.size());
    if (written < 0) fail("write");
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  ::lseek(file.get(), 0, SEEK_SET);
  return file;
}

std::string content_of(const FileDescriptor& file) {
  std::string content;
  char block[65536];
  for (;;) {
    const ssize_t length = ::pread(file.get(), block, sizeof block, static_cast<off_t>(content.size()));
    if (length <= 0) return content;
    content.append(block, static_cast<std::size_t>(length));
  }
}

FileDescriptor open_input(const Command& command) {
  if (!command.input_file) return memory_file(command.input);
  FileDescriptor file(::open(command.input_file->c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) fail("open " + command.input_file->string());
  return file;
}

std::vector<std::string> environment_with(const std::map<std::string, std::string>& additions) {
  std::vector<std::string> result;
  for (char** entry = environ; *entry; ++entry) {
    const std::string text = *entry;
    if (!additions.contains(text.substr(0, text.find('=')))) result.push_back(text);
  }
  for (const auto& [name, value] : additions) result.push_back(name + "=" + value);
  return result;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// Everything that allocates is done before the fork; the child only makes system calls.
pid_t start(const Command& command, int in, int out, int err) {
  std::vector<std::string> arguments = command.argv;
  const std::optional<std::filesystem::path> program = find_program(arguments.at(0));
  if (!program) throw std::runtime_error("no such program: " + arguments[0]);
  std::vector<std::string> environment = environment_with(command.environment);
  const std::vector<char*> argument_pointers = pointers_to(arguments);
  const std::vector<char*> environment_pointers = pointers_to(environment);

  const pid_t pid = ::fork();
  if (pid < 0) fail("fork");
  if (pid > 0) return pid;
  ::signal(SIGHUP, SIG_DFL);  // who starts the tests with nohup has it ignored, and whoever ignores it hands that on
  ::setpgid(0, 0);  // an interrupt at the test's terminal must not reach the servers before their owners stop them
  ::dup2(in, STDIN_FILENO);
  ::dup2(out, STDOUT_FILENO);
  ::dup2(err, STDERR_FILENO);
  if (const auto& account = command.account) {
    if (::setgroups(0, nullptr) != 0 || ::setresgid(account->group_id, account->group_id, account->group_id) != 0 ||
        ::setresuid(account->user_id, account->user_id, account->user_id) != 0) {
      ::_exit(126);
    }
  }
  ::execve(program->c_str(), argument_pointers.data(), environment_pointers.data());
  ::_exit(127);
}

}  // namespace

std::string Outcome::description() const {
  const std::string ending = timed_out ? "killed after its timeout"
                             : signal  ? fmt::format("ended by signal {}", signal)
                                       : fmt::format("exit status {}", exit_status);
  return fmt::format("{}\n--- standard output\n{}\n--- standard error\n{}\n---", ending, out, err);
}

Outcome run(const Command& command) {
  Background program(command);
  if (!command.timeout || program.ends_within(*command.timeout)) return program.wait();
  program.send(SIGKILL);
  Outcome outcome = program.wait();
  outcome.timed_out = true;
  return outcome;
}

std::string run_successfully(const Command& command) {
  Outcome outcome = run(command);
  if (!outcome.succeeded()) throw std::runtime_error(command.argv[0] + ": " + outcome.description());
  return std::move(outcome.out);
}

Background::Background(const Command& command) : out_(memory_file()), err_(memory_file()) {
  const FileDescriptor in = open_input(command);
  pid_ = start(command, in.get(), out_.get(), err_.get());
  handle_ = FileDescriptor(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
  if (!handle_) fail("pidfd_open");
}

Background::~Background() {
  if (reaped_) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

void Background::send(int signal) {
  if (!reaped_) ::kill(pid_, signal);
}

bool Background::ends_within(std::chrono::milliseconds time) {
  pollfd ended{.fd = handle_.get(), .events = POLLIN, .revents = 0};
  return ::poll(&ended, 1, static_cast<int>(time.count())) > 0;
}

Outcome Background::wait() {
  int status = 0;
  if (::waitpid(pid_, &status, 0) != pid_) fail("waitpid");
  reaped_ = true;
  Outcome outcome;
  if (WIFEXITED(status)) outcome.exit_status = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) outcome.signal = WTERMSIG(status);
  outcome.out = out_so_far();
  outcome.err = err_so_far();
  return outcome;
}

std::string Background::out_so_far() const { return content_of(out_); }
std::string Background::err_so_far() const { return content_of(err_); }

std::string first_line_of(Background& server) {
  const bool listens = becomes_true([&] {
    return server.out_so_far().find('\n') != std::string::npos || server.ends_within(std::chrono::milliseconds(10));
  });
  const std::string said = server.out_so_far();
  if (!listens || said.empty()) throw std::runtime_error("the server does not start: " + server.err_so_far());
  return said.substr(0, said.find('\n'));
}

std::vector<pid_t> children_of(pid_t parent) {
  std::vector<pid_t> children;
  std::error_code ignored;  // a thread may end while it is looked at
  for (const auto& thread : std::filesystem::directory_iterator(fmt::format("/proc/{}/task", parent), ignored)) {
    std::ifstream list(thread.path() / "children");
    for (pid_t child = 0; list >> child;) children.push_back(child);
  }
  return children;
}

std::string program_of(pid_t pid) {
  std::ifstream file(fmt::format("/proc/{}/comm", pid));
  std::string name;
  std::getline(file, name);
  return name;
}

std::optional<std::filesystem::path> closed_to_others(const std::filesystem::path& path) {
  if (::geteuid() != 0) return std::nullopt;
  std::filesystem::path walked;
  for (const std::filesystem::path& part : std::filesystem::canonical(path)) {
    walked /= part;
    const auto permissions = std::filesystem::status(walked).permissions();
    if ((permissions & std::filesystem::perms::others_exec) == std::filesystem::perms::none) return walked;
  }
  return std::nullopt;
}

std::optional<std::filesystem::path> find_program(const std::string& name) {
  if (name.find('/') != std::string::npos) return name;
  const char* path = std::getenv("PATH");
  // Servers live where an ordinary user's PATH does not reach.
  std::istringstream directories(std::string(path ? path : "") + ":/usr/local/sbin:/usr/sbin:/usr/local/bin:/usr/bin");
  for (std::string directory; std::getline(directories, directory, ':');) {
    const std::filesystem::path candidate = std::filesystem::path(directory) / name;
    if (!directory.empty() && ::access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return std::nullopt;
}

int free_port() {
  const FileDescriptor listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listener.get(), generic, length) != 0 || ::getsockname(listener.get(), generic, &length) != 0) {
    fail("no free port");
  }
  return ntohs(address.sin_port);
}

}  // namespace pana::test
