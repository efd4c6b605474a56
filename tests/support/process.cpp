// fork and exec; between them only what is safe in a child of a program with threads.
#include "tests/support/process.h"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "tests/support/wait_for.h"

extern char** environ;

namespace demarc::testing {

namespace {

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

int memory_file(const char* name) {
  const int file = memfd_create(name, MFD_CLOEXEC);
  if (file < 0) fail("memfd_create");
  return file;
}

/// From the beginning, whatever the position that the child shares with us.
std::string content(int file) {
  std::string text;
  char chunk[65'536];
  for (;;) {
    const ssize_t got = pread(file, chunk, sizeof chunk, static_cast<off_t>(text.size()));
    if (got <= 0) return text;
    text.append(chunk, static_cast<std::size_t>(got));
  }
}

std::vector<std::string> merged_environment(const std::map<std::string, std::string>& changes) {
  std::vector<std::string> merged;
  for (char** at = environ; *at != nullptr; ++at) {
    const std::string entry = *at;
    if (!changes.contains(entry.substr(0, entry.find('=')))) merged.push_back(entry);
  }
  for (const auto& [name, value] : changes) merged.push_back(fmt::format("{}={}", name, value));
  return merged;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  result.reserve(texts.size() + 1);
  for (std::string& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

struct Child {
  std::vector<char*> argv;
  std::vector<char*> environment;
  const char* working_folder = nullptr;
  pid_t parent = -1;
  int input = -1;
  int output = -1;
  int errors = -1;
};

/// In the child: async-signal-safe calls only (the parent may have other threads).
[[noreturn]] void become(const Child& child) {
  constexpr int not_found = 127;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != child.parent) _exit(not_found);  // it died before the line above
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  dup2(child.input, STDIN_FILENO);
  dup2(child.output, STDOUT_FILENO);
  dup2(child.errors, STDERR_FILENO);
  if (*child.working_folder != '\0' && chdir(child.working_folder) != 0) _exit(not_found);
  environ = const_cast<char**>(child.environment.data());
  execvp(child.argv[0], child.argv.data());
  _exit(not_found);
}

int exit_status(int status) {
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace

Process::Process(ProcessOptions options) {
  std::vector<std::string> environment = merged_environment(options.environment);
  const int input = memory_file("input");
  if (pwrite(input, options.input.data(), options.input.size(), 0) !=
      static_cast<ssize_t>(options.input.size())) {
    fail("write the child's input");
  }
  output_ = memory_file("output");
  errors_ = memory_file("errors");
  const Child child{.argv = pointers(options.argv),
                    .environment = pointers(environment),
                    .working_folder = options.working_folder.c_str(),
                    .parent = getpid(),
                    .input = input,
                    .output = output_,
                    .errors = errors_};
  pid_ = fork();
  if (pid_ == 0) become(child);
  const int error_number = errno;
  close(input);
  if (pid_ > 0) return;
  close(output_);
  close(errors_);
  errno = error_number;
  fail("fork");
}

Process::~Process() {
  signal(SIGKILL);
  if (!status_) waitpid(pid_, nullptr, 0);
  close(output_);
  close(errors_);
}

bool Process::is_running() {
  if (status_) return false;
  int status = 0;
  if (waitpid(pid_, &status, WNOHANG) == pid_) status_ = exit_status(status);
  return !status_;
}

void Process::signal(int number) {
  // Until it is reaped the pid cannot be anybody else's.
  if (is_running()) kill(pid_, number);
}

std::optional<int> Process::wait(std::chrono::milliseconds deadline) {
  static_cast<void>(wait_for([this] { return !is_running(); }, deadline));
  return status_;
}

int Process::stop(std::chrono::milliseconds deadline) {
  signal(SIGTERM);
  if (const auto status = wait(deadline)) return *status;
  signal(SIGKILL);
  int status = 0;
  waitpid(pid_, &status, 0);
  status_ = exit_status(status);
  return *status_;
}

std::optional<std::string> Process::wait_for_line(const std::string& prefix,
                                                  std::chrono::milliseconds deadline) {
  std::optional<std::string> line;
  const auto find = [&] {
    const std::string text = output();
    std::size_t start = 0;
    for (std::size_t end = 0; (end = text.find('\n', start)) != std::string::npos;) {
      if (text.compare(start, prefix.size(), prefix) == 0) {
        line = text.substr(start, end - start);
        return true;
      }
      start = end + 1;
    }
    return false;
  };
  static_cast<void>(wait_for(
      [&] {
        const bool had_ended = !is_running();  // asked first: then the output is whole
        return find() || had_ended;
      },
      deadline));
  return line;
}

std::string Process::output() const { return content(output_); }

std::string Process::errors() const { return content(errors_); }

Finished run(ProcessOptions options, std::chrono::milliseconds deadline) {
  Process process(std::move(options));
  const auto ended = process.wait(deadline);
  const int status = ended ? *ended : (process.signal(SIGKILL), process.stop());
  return {status, process.output(), process.errors()};
}

Finished run(std::vector<std::string> argv, std::chrono::milliseconds deadline) {
  return run(ProcessOptions{.argv = std::move(argv)}, deadline);
}

}  // namespace demarc::testing
