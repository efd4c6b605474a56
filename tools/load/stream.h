// One stream of questions over UDP: so many waiting for their answers (closed loop), or so many a
// second whatever comes back (open loop). tools/load/measure.h lets streams run beside each other.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "dns/random.h"
#include "dns/sockets.h"
#include "geo/base/descriptor.h"
#include "geo/base/result.h"
#include "tools/load/latency.h"
#include "tools/load/questions.h"

namespace demarc::tools::load {

/// An ID is used again after this many questions, and waits that long at most.
inline constexpr std::size_t ids = 65'536;
inline constexpr std::size_t window_max = 16'384;
/// A question without answer counts as lost after this.
inline constexpr std::chrono::seconds answer_timeout{1};

struct StreamSettings {
  dns::Endpoint server;
  std::size_t window = 128;            // 1 to window_max; without `per_second`
  std::optional<double> per_second;    // open loop
  std::vector<std::uint32_t> sources;  // IPv4 addresses, host order; empty: the kernel's
};

struct Tally {
  std::uint64_t sent = 0;
  std::uint64_t answered = 0;
  std::uint64_t lost = 0;
  std::uint64_t truncated = 0;
  std::array<std::uint64_t, 16> rcodes{};
  Latencies latencies;
};

/// One thread; does not wait.
class Stream {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// `questions` are sent in a random order and outlive this.
  [[nodiscard]] static Result<std::unique_ptr<Stream>, SystemError> open(
      const StreamSettings& settings, const Questions& questions, std::uint64_t seed);

  /// Takes the answers that are there, then sends what is due. Whether there was anything to do.
  bool turn(Time now);
  /// Counts from here on; questions that are on their way already do not count.
  void begin_counting(Time now);
  /// Sends no more; turn() goes on taking answers.
  void stop_sending() noexcept { is_sending_ = false; }
  [[nodiscard]] bool is_waiting() const noexcept { return oldest_ != next_; }
  /// What still waits counts as lost.
  [[nodiscard]] Tally end_counting();
  [[nodiscard]] int socket() const noexcept { return socket_.number(); }

 private:
  struct Waiting {
    Time sent;
    bool is_waiting = false;
  };

  Stream(const StreamSettings& settings, const Questions& questions, std::uint64_t seed)
      : settings_(settings), questions_(questions), random_(seed) {}
  std::size_t receive(Time now);
  void take(std::span<const std::uint8_t> answer, Time now);
  void give_up_old(Time now);
  void forget(Waiting& waiting);
  [[nodiscard]] std::size_t due(Time now);
  std::size_t send(std::size_t count, Time now);

  StreamSettings settings_;
  const Questions& questions_;
  dns::Random random_;
  Descriptor socket_;
  std::vector<Waiting> waiting_{ids};    // by ID
  std::uint64_t next_ = 0, oldest_ = 0;  // questions sent; all before `oldest_` are done
  std::size_t outstanding_ = 0;
  Time began_{}, counts_from_{};
  double paid_ = 0;  // of an open loop: questions that its clock has asked for
  bool is_sending_ = true;
  Tally tally_;
};

}  // namespace demarc::tools::load
