// What one receiver has not got yet, in order, and when it is tried again. Pure; time and
// randomness come in. health/alerts/deliverer.h has the thread, health/alerts/spool.h the disk.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "geo/base/moment.h"
#include "geo/base/result.h"
#include "health/alerts/notice.h"
#include "health/http_request.h"

namespace demarc::health {

/// Messages that wait for one receiver; above it the oldest become dead letters.
inline constexpr std::size_t undelivered_max = 1'000;
/// A message that could not be delivered for so long is a dead letter.
inline constexpr Milliseconds undelivered_for_max{std::chrono::hours{24}};

struct RetryTiming {
  Milliseconds first{1'000};
  Milliseconds longest{300'000};
};

/// How long to wait after the n-th failure in a row (from 1): doubled each time, and half of it to
/// all of it by `random` (0 to 1), so that many nodes do not knock together.
[[nodiscard]] Milliseconds backoff(const RetryTiming& timing, unsigned failures, double random);

enum class Delivery : std::uint8_t { delivered, again, given_up };

/// What a receiver's answer means. Given up: a status that the same message would get again (3xx,
/// and 4xx but 408, 425 and 429). No answer and everything else: again.
[[nodiscard]] Delivery judge_delivery(const Result<HttpAnswer, std::string>& answer);

struct Queued {
  std::uint64_t number = 0;
  Notice notice;
  bool is_saved = false;  // on disk
};

/// One message a key: a later one takes the place of an earlier one that nobody has got, at the
/// end of the line, with what the receiver must know of both. So order holds for each key.
class DeliveryQueue {
 public:
  /// What a push made superfluous: its files can go.
  struct Pushed {
    std::vector<std::uint64_t> replaced;
    std::optional<Queued> too_many;  // the oldest of the least urgent: there is no room for it
  };
  [[nodiscard]] Pushed push(Queued message);

  [[nodiscard]] bool empty() const noexcept { return messages_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return messages_.size(); }
  [[nodiscard]] const Queued& front() const { return messages_.front(); }
  /// Precondition: not empty.
  Queued pop();
  /// Every message, the oldest first.
  [[nodiscard]] std::deque<Queued>& messages() noexcept { return messages_; }

 private:
  [[nodiscard]] Queued take_least_urgent();

  std::deque<Queued> messages_;
};

}  // namespace demarc::health
