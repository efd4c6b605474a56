#include "tools/child.h"

#include <cerrno>

#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "geo/base/descriptor.h"

namespace demarc::tools {
namespace {

std::string read_whole(int number) {
  std::string text(child_output_max + 1, '\0');
  const ssize_t got = ::pread(number, text.data(), text.size(), 0);
  text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return text;
}

std::vector<std::string> environment_with(const std::map<std::string, std::string>& added) {
  std::vector<std::string> all;
  for (char** one = environ; *one != nullptr; ++one) {
    const std::string text = *one;
    if (!added.contains(text.substr(0, text.find('=')))) all.push_back(text);
  }
  for (const auto& [name, value] : added) all.push_back(name + "=" + value);
  return all;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

Result<ChildResult, SystemError> run_child(const std::vector<std::string>& argv,
                                           const std::map<std::string, std::string>& environment) {
  // Files in memory, so that nobody has to empty a pipe while the child runs.
  const Descriptor out(::memfd_create("out", MFD_CLOEXEC));
  const Descriptor err(::memfd_create("err", MFD_CLOEXEC));
  if (!out.is_open() || !err.is_open()) return system_error("memfd_create");
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, out.number(), STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, err.number(), STDERR_FILENO);
  std::vector<std::string> arguments = argv;
  std::vector<std::string> variables = environment_with(environment);
  pid_t child = -1;
  const int error = ::posix_spawnp(&child, argv.front().c_str(), &actions, nullptr,
                                   pointers_to(arguments).data(), pointers_to(variables).data());
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return std::unexpected(SystemError{"run " + argv.front(), error});
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return system_error("wait for " + argv.front());
  }
  ChildResult result{WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
                     read_whole(out.number()), read_whole(err.number())};
  if (result.out.size() > child_output_max) return failure(argv.front() + " wrote too much");
  return result;
}

}  // namespace demarc::tools
