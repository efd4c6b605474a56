#include "tools/load/measure.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>

#include <fmt/format.h>
#include <poll.h>

namespace demarc::tools::load {
namespace {

using Clock = std::chrono::steady_clock;
using Streams = std::vector<std::unique_ptr<Stream>>;

/// The next answer, or 50 us: an open loop is due again by then.
void wait_for_any(const Streams& streams) {
  std::vector<pollfd> sockets;
  for (const auto& stream : streams) sockets.push_back({stream->socket(), POLLIN, 0});
  const timespec pause{.tv_sec = 0, .tv_nsec = 50'000};
  ::ppoll(sockets.data(), sockets.size(), &pause, nullptr);
}

template <typename Condition>
void run_while(const Streams& streams, Condition&& condition) {
  for (Clock::time_point now = Clock::now(); condition(now); now = Clock::now()) {
    bool was_busy = false;
    for (const auto& stream : streams) was_busy = stream->turn(now) || was_busy;
    if (!was_busy) wait_for_any(streams);
  }
}

}  // namespace

std::optional<Nanoseconds> cpu_time_of(pid_t process) {
  std::error_code error;
  Nanoseconds all{0};
  bool has_any = false;
  for (const auto& thread :
       std::filesystem::directory_iterator(fmt::format("/proc/{}/task", process), error)) {
    // Its first number is the time on a CPU in nanoseconds; a thread may end meanwhile.
    std::ifstream in(thread.path() / "schedstat");
    std::int64_t nanoseconds = 0;
    if (!(in >> nanoseconds)) continue;
    all += Nanoseconds(nanoseconds);
    has_any = true;
  }
  return has_any ? std::optional(all) : std::nullopt;
}

Result<Measured, SystemError> measure(std::span<const Load> loads, const Timing& timing,
                                      std::optional<pid_t> server, std::uint64_t seed) {
  Streams streams;
  for (const Load& load : loads) {
    auto stream = Stream::open(load.settings, *load.questions, seed++);
    if (!stream) return std::unexpected(stream.error());
    streams.push_back(std::move(*stream));
  }
  const auto cpu = [&] { return server ? cpu_time_of(*server) : std::nullopt; };
  run_while(streams, [end = Clock::now() + timing.warm](auto now) { return now < end; });

  const auto began = Clock::now();
  const auto cpu_before = cpu();
  for (const auto& stream : streams) stream->begin_counting(began);
  run_while(streams, [end = began + timing.lasts](auto now) { return now < end; });
  const auto ended = Clock::now();
  for (const auto& stream : streams) stream->stop_sending();
  run_while(streams, [&, end = ended + answer_timeout](auto now) {
    return now < end && std::ranges::any_of(streams, [](const auto& s) { return s->is_waiting(); });
  });
  const auto cpu_after = cpu();

  Measured measured;
  measured.seconds = std::chrono::duration<double>(ended - began).count();
  for (const auto& stream : streams) measured.tallies.push_back(stream->end_counting());
  if (cpu_before && cpu_after) measured.cpu = *cpu_after - *cpu_before;
  return measured;
}

}  // namespace demarc::tools::load
