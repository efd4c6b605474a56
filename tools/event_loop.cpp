#include "tools/event_loop.h"

#include <algorithm>
#include <array>

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace demarc::tools {

Result<std::unique_ptr<EventLoop>, SystemError> EventLoop::create() {
  std::unique_ptr<EventLoop> loop(new EventLoop());
  loop->epoll_ = Descriptor(::epoll_create1(EPOLL_CLOEXEC));
  if (!loop->epoll_.is_open()) return system_error("epoll_create1");
  loop->wake_ = Descriptor(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!loop->wake_.is_open()) return system_error("eventfd");
  EventLoop* self = loop.get();
  auto watched = loop->watch(loop->wake_.number(), [self] {
    std::uint64_t count = 0;
    [[maybe_unused]] const auto got = ::read(self->wake_.number(), &count, sizeof count);
    self->run_posted();
  });
  if (!watched) return std::unexpected(watched.error());
  return loop;
}

Result<void, SystemError> EventLoop::watch(int number, Task ready) {
  epoll_event event{.events = EPOLLIN, .data = {.fd = number}};
  if (::epoll_ctl(epoll_.number(), EPOLL_CTL_ADD, number, &event) != 0) {
    return system_error("epoll_ctl");
  }
  watched_[number] = std::make_shared<Task>(std::move(ready));
  return {};
}

void EventLoop::unwatch(int number) {
  ::epoll_ctl(epoll_.number(), EPOLL_CTL_DEL, number, nullptr);
  watched_.erase(number);
}

void EventLoop::post(Task task) {
  {
    const std::scoped_lock lock(mutex_);
    posted_.push_back(std::move(task));
  }
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto put = ::write(wake_.number(), &one, sizeof one);
}

void EventLoop::set_timer(int slot, std::optional<std::chrono::steady_clock::time_point> at,
                          Task task) {
  if (at) {
    timers_[slot] = {*at, std::move(task)};
  } else {
    timers_.erase(slot);
  }
}

void EventLoop::run_posted() {
  std::vector<Task> tasks;
  {
    const std::scoped_lock lock(mutex_);
    tasks.swap(posted_);
  }
  for (const Task& task : tasks) task();
}

void EventLoop::run_timers() {
  const auto now = std::chrono::steady_clock::now();
  std::vector<Task> due;
  for (auto timer = timers_.begin(); timer != timers_.end();) {
    if (timer->second.at <= now) {
      due.push_back(std::move(timer->second.task));
      timer = timers_.erase(timer);
    } else {
      ++timer;
    }
  }
  for (const Task& task : due) task();
}

int EventLoop::wait_milliseconds() const {
  // Even without timers the loop wakes now and then, so that a missed wake-up heals by itself.
  std::chrono::milliseconds wait{1000};
  const auto now = std::chrono::steady_clock::now();
  for (const auto& [slot, timer] : timers_) {
    wait = std::min(wait, std::chrono::ceil<std::chrono::milliseconds>(timer.at - now));
  }
  return static_cast<int>(std::max(wait, std::chrono::milliseconds::zero()).count());
}

void EventLoop::run() {
  std::array<epoll_event, 32> events{};
  while (running_) {
    const int count = ::epoll_wait(epoll_.number(), events.data(), static_cast<int>(events.size()),
                                   wait_milliseconds());
    for (int i = 0; i < count; ++i) {
      // A task may unwatch what another event of this round is about.
      const auto watched = watched_.find(events[static_cast<std::size_t>(i)].data.fd);
      if (watched == watched_.end()) continue;
      const auto task = watched->second;
      (*task)();
    }
    run_timers();
  }
}

}  // namespace demarc::tools
