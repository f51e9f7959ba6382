// Programs run by a test: what they are given, how they ended and what they said.
//
// A program is always named by its own process id: nothing here ends what it did not start.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/file_descriptor.h"

namespace pana::test {

// The account a program runs as; only root can choose another than its own.
struct Account {
  uid_t user_id = 0;
  gid_t group_id = 0;
};

struct Command {
  std::vector<std::string> argv = {};                   // argv[0] is looked for in PATH
  std::map<std::string, std::string> environment = {};  // added to the test's own
  std::string input = {};                               // standard input, when there is no input_file
  std::optional<std::filesystem::path> input_file = {};
  std::optional<std::chrono::milliseconds> timeout = {};  // killed and marked as timed out when it takes longer
  std::optional<Account> account = {};
};

struct Outcome {
  int exit_status = -1;  // -1 when a signal ended the program
  int signal = 0;        // 0 when it ended by itself
  bool timed_out = false;
  std::string out;
  std::string err;

  bool succeeded() const { return exit_status == 0; }
  std::string description() const;  // for messages: status, standard output and standard error
};

// Runs the program to its end.
Outcome run(const Command& command);

// Runs the program to its end; throws std::runtime_error with what it said when it did not succeed.
std::string run_successfully(const Command& command);

// A program that runs beside the test. One that still runs when this goes out of scope is killed and waited for.
class Background {
 public:
  explicit Background(const Command& command);
  ~Background();
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

  pid_t pid() const { return pid_; }
  void send(int signal);

  // Whether the program ended within the time.
  bool ends_within(std::chrono::milliseconds time);

  // Waits for the end. Call it once.
  Outcome wait();

  // What the program has written so far.
  std::string out_so_far() const;
  std::string err_so_far() const;

 private:
  FileDescriptor out_;  // files in memory: a program that writes much never waits for the test to read
  FileDescriptor err_;
  FileDescriptor handle_;
  pid_t pid_ = -1;
  bool reaped_ = false;
};

// What a server writes when it is ready: its first line, without the end. Throws std::runtime_error with its errors
// when there is none.
std::string first_line_of(Background& server);

// The running children of a process, by /proc.
std::vector<pid_t> children_of(pid_t parent);

// The name of a process's program, by /proc; empty when there is no such process.
std::string program_of(pid_t pid);

// The program's full path, from PATH; nothing when it is not installed.
// Of root, whose servers run as somebody else: the first directory on the way to `path` that others may not pass.
std::optional<std::filesystem::path> closed_to_others(const std::filesystem::path& path);

std::optional<std::filesystem::path> find_program(const std::string& name);

// A port of 127.0.0.1 that nobody listens on at the moment.
int free_port();

}  // namespace pana::test
