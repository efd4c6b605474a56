// The control thread's loop: waits for files, signals, timers and for work that other threads hand
// in, and does one thing after the other. tools/daemon.h is what it runs.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "geo/base/descriptor.h"
#include "geo/base/result.h"

namespace demarc::tools {

class EventLoop {
 public:
  using Task = std::function<void()>;

  [[nodiscard]] static Result<std::unique_ptr<EventLoop>, SystemError> create();

  /// Calls `ready` on the loop's thread whenever `number` can be read. Loop thread.
  [[nodiscard]] Result<void, SystemError> watch(int number, Task ready);
  void unwatch(int number);

  /// Any thread: runs `task` on the loop's thread, in the order handed in.
  void post(Task task);

  /// Runs `task` once at that time or soon after; a later call with the same slot replaces it, no
  /// time takes it back. Loop thread.
  void set_timer(int slot, std::optional<std::chrono::steady_clock::time_point> at, Task task);

  /// Until stop(). The calling thread is the loop's thread.
  void run();
  void stop() noexcept { running_ = false; }

 private:
  EventLoop() = default;
  void run_posted();
  void run_timers();
  [[nodiscard]] int wait_milliseconds() const;

  struct Timer {
    std::chrono::steady_clock::time_point at;
    Task task;
  };
  Descriptor epoll_;
  Descriptor wake_;
  std::map<int, std::shared_ptr<Task>> watched_;
  std::map<int, Timer> timers_;
  std::mutex mutex_;
  std::vector<Task> posted_;
  bool running_ = true;
};

}  // namespace demarc::tools
