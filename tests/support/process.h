// Child processes of integration tests: started, watched, signalled by pid, and never left behind.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <csignal>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace demarc::testing {

struct ProcessOptions {
  /// argv[0] is looked up in PATH.
  std::vector<std::string> argv;
  /// Set on top of this process's environment.
  std::map<std::string, std::string> environment;
  /// Where it runs; empty: here.
  std::string working_folder;
  /// Its standard input, whole.
  std::string input;
};

/// A running or ended child. Its output goes to files in memory, which nobody has to empty and
/// which outlive it. It is killed when this object ends, and by the kernel should this program die
/// or the thread end that started it. Used by one thread.
class Process {
 public:
  /// Throws std::system_error if it cannot be started; a program that does not exist ends with 127.
  explicit Process(ProcessOptions options);
  ~Process();  // SIGKILL, and waits
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  [[nodiscard]] pid_t pid() const noexcept { return pid_; }
  [[nodiscard]] bool is_running();

  /// Sends a signal to this child alone; nothing once it has ended.
  void signal(int number);

  /// The exit status, or 128 and the signal that ended it; nothing if it still runs at the
  /// deadline.
  std::optional<int> wait(std::chrono::milliseconds deadline = std::chrono::seconds{30});

  /// SIGTERM, then SIGKILL at the deadline; the exit status as wait() has it.
  int stop(std::chrono::milliseconds deadline = std::chrono::seconds{30});

  /// The first whole line of standard output that starts with `prefix`, without its newline;
  /// nothing if none comes before the deadline or the child's end.
  std::optional<std::string> wait_for_line(
      const std::string& prefix, std::chrono::milliseconds deadline = std::chrono::seconds{30});

  /// All it has written so far.
  [[nodiscard]] std::string output() const;
  [[nodiscard]] std::string errors() const;

 private:
  pid_t pid_ = -1;
  int output_ = -1;
  int errors_ = -1;
  std::optional<int> status_;
};

struct Finished {
  int exit = 0;  // as Process::wait; 137 (128 and SIGKILL) also when it ran out of time
  std::string out;
  std::string err;
};

/// Runs a program to its end, or kills it at the deadline.
Finished run(ProcessOptions options, std::chrono::milliseconds deadline = std::chrono::seconds{30});
Finished run(std::vector<std::string> argv,
             std::chrono::milliseconds deadline = std::chrono::seconds{30});

}  // namespace demarc::testing
