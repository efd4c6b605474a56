#include "health/program_probes.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

// glibc 2.36 forgets the linkage in this one.
extern "C" {
#include <sys/pidfd.h>
}

#include "health/judgement.h"
#include "health/printable.h"

namespace demarc::health {
namespace {

using std::chrono::microseconds;

ProbeResult silent(std::string detail) {
  return {.outcome = ProbeOutcome::silent, .detail = std::move(detail)};
}

ProbeResult judge_exit(const Probe& probe, int status, std::string_view output) {
  const std::string_view line = output.substr(0, output.find('\n'));
  const std::string said = line.empty() ? std::string{} : ": " + printable(line);
  if (!WIFEXITED(status)) {
    return {.detail = fmt::format("{} ended by signal {}", probe.path, WTERMSIG(status))};
  }
  const int code = WEXITSTATUS(status);
  ProbeResult result{.detail = fmt::format("{} exit {}{}", probe.path, code, said)};
  if (code == 0) result.outcome = ProbeOutcome::pass;
  if (code == 1) result.outcome = ProbeOutcome::weak;
  if (code == 3) result.outcome = ProbeOutcome::silent;
  return result;
}

/// posix_spawn's two lists, freed at their end.
class SpawnOptions {
 public:
  /// The child writes to `output`, reads nothing, has every signal at its default and a process
  /// group of its own.
  explicit SpawnOptions(int output) {
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions_, output, STDOUT_FILENO);
    ::posix_spawn_file_actions_addopen(&actions_, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    ::posix_spawnattr_init(&attributes_);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    ::posix_spawnattr_setsigmask(&attributes_, &none);
    ::posix_spawnattr_setsigdefault(&attributes_, &all);
    ::posix_spawnattr_setpgroup(&attributes_, 0);
    ::posix_spawnattr_setflags(
        &attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  }
  ~SpawnOptions() {
    ::posix_spawnattr_destroy(&attributes_);
    ::posix_spawn_file_actions_destroy(&actions_);
  }
  SpawnOptions(const SpawnOptions&) = delete;
  SpawnOptions& operator=(const SpawnOptions&) = delete;

  [[nodiscard]] int run(const std::string& path, std::vector<std::string> arguments,
                        pid_t& process) const {
    std::vector<char*> pointers;
    for (std::string& argument : arguments) pointers.push_back(argument.data());
    pointers.push_back(nullptr);
    std::string search = "PATH=/usr/local/bin:/usr/bin:/bin";
    std::array<char*, 2> environment{search.data(), nullptr};
    return ::posix_spawn(&process, path.c_str(), &actions_, &attributes_, pointers.data(),
                         environment.data());
  }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

std::vector<std::string> arguments_of(const Probe& probe) {
  std::vector<std::string> arguments{probe.path, probe.host};
  for (const geo::Address& address : probe.addresses) arguments.push_back(geo::to_text(address));
  return arguments;
}

}  // namespace

ProgramProbes::~ProgramProbes() {
  for (auto& [target, running] : running_) end(running);
}

void ProgramProbes::start(TargetId target, const Probe& probe, Clock::time_point now) {
  if (folder_.empty()) {
    ended_.push_back({target, silent("programs are off: demarcd.yaml names no folder of them")});
  } else if (running_.size() >= programs_running_max) {
    waiting_.emplace_back(target, probe);
  } else {
    run(target, probe, now);
  }
}

void ProgramProbes::run(TargetId target, Probe probe, Clock::time_point now) {
  std::array<int, 2> pipe{-1, -1};
  if (::pipe2(pipe.data(), O_CLOEXEC) != 0) {
    ended_.push_back({target, silent(fmt::format("no pipe: {}", std::strerror(errno)))});
    return;
  }
  Descriptor output(pipe[0]);
  const Descriptor theirs(pipe[1]);
  ::fcntl(output.number(), F_SETFL, O_NONBLOCK);
  pid_t process = -1;
  const int error =
      SpawnOptions(theirs.number()).run(folder_ + "/" + probe.path, arguments_of(probe), process);
  if (error != 0) {
    ended_.push_back(
        {target, silent(fmt::format("cannot run {}: {}", probe.path, std::strerror(error)))});
    return;
  }
  Running running{.probe = std::move(probe),
                  .process = process,
                  .ended = Descriptor(::pidfd_open(process, 0)),
                  .output = std::move(output),
                  .text = {},
                  .started = now,
                  .deadline = now};
  running.deadline += running.probe.timing.timeout;
  if (!running.ended.is_open()) {
    end(running);
    ended_.push_back({target, silent(fmt::format("no pidfd: {}", std::strerror(errno)))});
    return;
  }
  running_.insert_or_assign(target, std::move(running));
}

/// Kills and reaps it; nothing of it is left.
void ProgramProbes::end(Running& running) noexcept {
  if (running.process <= 0) return;
  ::kill(-running.process, SIGKILL);
  ::kill(running.process, SIGKILL);  // it may have left its group, or not be in it yet
  while (::waitpid(running.process, nullptr, 0) < 0 && errno == EINTR) {
  }
  running.process = -1;
}

void ProgramProbes::cancel(TargetId target) {
  std::erase_if(waiting_, [&](const auto& entry) { return entry.first == target; });
  const auto found = running_.find(target);
  if (found == running_.end()) return;
  end(found->second);
  running_.erase(found);
}

/// Reads what it wrote, so that it never waits for us, and sees whether it has ended.
std::optional<ProbeResult> ProgramProbes::look(Running& running) {
  pollfd ended{running.ended.number(), POLLIN, 0};
  const bool has_ended = ::poll(&ended, 1, 0) == 1;
  std::array<char, program_output_max> bytes{};
  for (;;) {
    const ssize_t got = ::read(running.output.number(), bytes.data(), bytes.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    const std::size_t room = program_output_max - running.text.size();
    running.text.append(bytes.data(), std::min(room, static_cast<std::size_t>(got)));
    if (!has_ended) break;  // one that never stops writing is read a piece a turn
    if (running.text.size() == program_output_max) break;
  }
  if (!has_ended) return std::nullopt;
  int status = 0;
  if (::waitpid(running.process, &status, WNOHANG) != running.process) return std::nullopt;
  // Its children may live on in its group, which nobody asked for.
  ::kill(-std::exchange(running.process, -1), SIGKILL);
  return judge_exit(running.probe, status, running.text);
}

void ProgramProbes::collect(Clock::time_point now, std::vector<FinishedProbe>& finished) {
  for (auto at = running_.begin(); at != running_.end();) {
    auto& [target, running] = *at;
    auto result = look(running);
    const bool is_timeout = !result && now >= running.deadline;
    if (is_timeout) {
      end(running);
      result = ProbeResult{.detail = fmt::format("{} still ran after {} ms", running.probe.path,
                                                 running.probe.timing.timeout.count())};
    }
    if (!result) {
      ++at;
      continue;
    }
    result->latency = std::chrono::duration_cast<microseconds>(now - running.started);
    finished.push_back({target, std::move(*result), is_timeout});
    at = running_.erase(at);
  }
  while (!waiting_.empty() && running_.size() < programs_running_max) {
    auto [target, probe] = std::move(waiting_.front());
    waiting_.pop_front();
    run(target, std::move(probe), now);
  }
  std::ranges::move(std::exchange(ended_, {}), std::back_inserter(finished));
}

void ProgramProbes::add_descriptors(std::vector<int>& descriptors) const {
  for (const auto& [target, running] : running_) {
    descriptors.push_back(running.ended.number());
  }
}

ProgramProbes::Clock::time_point ProgramProbes::next_deadline() const noexcept {
  if (!ended_.empty()) return Clock::time_point::min();
  auto next = Clock::time_point::max();
  for (const auto& [target, running] : running_) next = std::min(next, running.deadline);
  return next;
}

}  // namespace demarc::health
